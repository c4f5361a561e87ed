"""A release: warehouse, published tables and site under one name, switched in by one pointer.

A release is built in a folder nobody reads. When it is whole it is renamed to its identity, and then one symbolic link
is replaced: a reader sees the old release or the new one, never half of one.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assets.audit.code_copy import code_contents, code_digest
from assets.audit.ledger import entries, inspected
from assets.audit.rolled_back import RESUME, rolled_back
from assets.audit.seals import KIND as RELEASE
from assets.audit.seals import newest
from assets.contract import CONTRACT
from assets.deliveries.problems import InputProblem
from assets.deliveries.state import settled_deliveries
from assets.home_format import refuse_older
from assets.packages import package_versions
from assets.publication.exchange import take_place
from assets.quality.rebases import REBASES, rebases_digest
from assets.quality.thresholds import decided_thresholds, thresholds_digest
from assets.quality.waivers import WAIVERS, waivers_digest
from dashboards.status import STATUS_FILE

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from assets.audit.ledger import Entry
    from assets.deliveries.ledger import Delivery
    from assets.home import Home

ID_DIGITS = 12
RETIRED = ".retired-"
SITE = "site"
MANIFEST = "manifest.json"
IDENTITY = "identity"
"""File in the folder being built: the id of the release it was begun for. It is gone when the release is whole."""
OVERTAKEN = (
    "a delivery, a decision or the code changed while the release was built, so it is not published",
    "Run the same command again",
)


def code_version() -> str:
    """Version of everything that decides what a release says: Python, SQL and page files, versions of packages."""
    return code_digest(package_versions(), code_contents())


def release_id(deliveries: Iterable[Delivery], code: str, contract_version: str, decisions: Iterable[str] = ()) -> str:
    """Identity of the release these inputs lead to: the same inputs and code give the same id.

    ``decisions`` are the hashes of the waivers, rebases and thresholds in the home, empty where there are none.
    """
    lines = sorted(
        f"{delivery.delivery_id} {delivery.state} {delivery.profile_digest} {delivery.extract_stamp} {delivery.label}"
        for delivery in deliveries
    )
    text = "\n".join([code, contract_version, *lines, *filter(None, decisions)])
    return hashlib.sha256(text.encode()).hexdigest()[:ID_DIGITS]


def next_release(home: Home) -> str:
    """Id of the release that what the home holds now leads to."""
    decisions = (
        waivers_digest(WAIVERS.read(home.path)),
        rebases_digest(REBASES.read(home.path)),
        thresholds_digest(decided_thresholds(home.path)),
    )
    return release_id(settled_deliveries(home.ledger), code_version(), CONTRACT.version, decisions)


def current_release(home: Home) -> str | None:
    """Id of the release in force, or None before the first."""
    return home.current.readlink().name if home.current.is_symlink() else None


def predecessor(home: Home) -> str | None:
    """Id of the release that the one being built follows and must not give away; None if there is none.

    A release that is built again follows the one it followed the first time: the same inputs give the same bytes. Where
    an older one was put back in force, readers have seen the newest: that is what the next one follows.
    """
    before = newest_release(home)
    if before is not None and before == next_release(home):
        before = _manifest(home.releases / before).get("predecessor")
    return before if before is not None and (home.releases / before).is_dir() else None


def newest_release(home: Home) -> str | None:
    """Id of the newest release that readers have seen: the one in force, unless an older one was put back."""
    release = current_release(home)
    back = rolled_back(entries(home.path), release)
    return back.newest if back is not None and (home.releases / back.newest).is_dir() else release


def kept_releases(home: Home) -> tuple[str, ...]:
    """Ids of the releases that are kept, oldest first: as they were sealed, and before that as they were written."""
    sealed = newest(inspected(home.path)[0], RELEASE)
    folders = [(path.name, path.stat().st_mtime_ns) for path in home.releases.glob("[!.]*")]
    return tuple(name for name, _ in sorted(folders, key=lambda one: (_number(sealed.get(one[0])), one[1])))


def _number(entry: Entry | None) -> int:
    return entry.number if entry is not None else 0


def kept_code_versions(home: Home) -> set[str]:
    """Versions of the code that the kept releases were made with."""
    return {read_manifest(home, release)["code_version"] for release in kept_releases(home)}


def read_manifest(home: Home, release: str) -> dict[str, Any]:
    """The manifest of a kept release."""
    return _manifest(home.releases / release)


def _manifest(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    return found


def kept_from_building(home: Home) -> InputProblem | None:
    """Why no release may be built now, None if one may.

    ROLLED_BACK: somebody has put an older release in force, and nobody has ended that. HOME_FORMAT: deliveries were
    read under an earlier contract, and their rows would be misread.
    """
    back = rolled_back(entries(home.path), current_release(home))
    if back is not None and back.holds:
        return InputProblem("ROLLED_BACK", "release", back.sentence, RESUME)
    try:
        refuse_older(settled_deliveries(home.ledger))
    except InputProblem as problem:
        return problem
    return None


def start_building(home: Home) -> Path:
    """An empty folder to build in, which knows what it is for; what a dead builder left is swept away.

    Raises:
        InputProblem: none may be built, see ``kept_from_building``.

    """
    problem = kept_from_building(home)
    if problem is not None:
        raise problem
    shutil.rmtree(home.building, ignore_errors=True)
    home.building.mkdir(parents=True, mode=0o700)
    (home.building / IDENTITY).write_text(next_release(home), encoding="utf-8")
    return home.building


def is_overtaken(home: Home) -> bool:
    """Whether a delivery, a decision or the code has changed since the release began to be built."""
    begun = home.building / IDENTITY
    return begun.exists() and begun.read_text(encoding="utf-8") != next_release(home)


def write_manifest(
    folder: Path,
    identity: str,
    deliveries: Sequence[Delivery],
    code: str,
    contract_version: str,
    checks: dict[str, int],
    predecessor: str | None,
) -> None:
    """Write ``manifest.json``: inputs, versions, check results, and the hash of every file of the site but the status.

    ``predecessor`` is the release before it, None for the first. What that one shows decides what is hidden in this
    one, and what is said to have changed, so that the same bytes come of the same predecessor only.
    """
    files = {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted((folder / SITE).rglob("*"))
        if path.is_file() and path.name != STATUS_FILE
    }
    manifest = {
        "release": identity,
        "code_version": code,
        "contract_version": contract_version,
        "deliveries": [
            {
                "delivery_id": delivery.delivery_id,
                "label": delivery.label,
                "extract_stamp": delivery.extract_stamp,
                "state": delivery.state,
                "reading": delivery.run_key,
                "profile": delivery.profile,
                "profile_version": delivery.profile_version,
                "files": {file.name: file.sha256 for file in delivery.files},
            }
            for delivery in deliveries
        ],
        "checks": checks,
        "files": files,
    } | ({} if predecessor is None else {"predecessor": predecessor})
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def is_in_force(home: Home, identity: str) -> bool:
    """Whether the release in force is this one and says what was built again."""
    return current_release(home) == identity and bool(
        _manifest(home.building)["files"] == read_manifest(home, identity)["files"]
    )


def switch_in(home: Home, identity: str) -> None:
    """Put the built release in force."""
    target = home.releases / identity
    if target.exists():  # the same inputs and code were released before, and it may be in force
        take_place(home.building, target, home.releases / f"{RETIRED}{identity}")
    else:
        home.building.rename(target)
    point_to(home, identity)


def point_to(home: Home, identity: str) -> None:
    """Put a whole release in force: a reader sees the one before or this one."""
    pointer = home.path / ".current.new"
    pointer.unlink(missing_ok=True)
    pointer.symlink_to(Path("releases") / identity)
    pointer.replace(home.current)
