"""The history of checks: one row per check, delivery or release, and run; it only ever grows.

Every suite that runs leaves one file below ``HOME/audit/history``, also when what it judged was held. A file is never
written again, and the ledger names it with its hash: first the content is safe under a hidden name, then the ledger
says so, then it gets its name. What a crash leaves between these steps is settled by the next writer. Thousands of
small files are slow to read, so ``HOME/audit/history.parquet`` holds most of their rows again, and the ledger names
each of its states with its hash; it can be deleted at any time. Lake and releases hold what is in force; the
history holds everything that was found, and when. No row of it holds a value of a patient.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from contextlib import contextmanager
from datetime import UTC, datetime
from io import BytesIO
from typing import TYPE_CHECKING

import polars as pl

from assets.audit.ledger import FOLDER as AUDIT
from assets.audit.ledger import LOST, PRIVATE_FILE, append, entries
from assets.deliveries.problems import InputProblem
from assets.home import PRIVATE_FOLDER
from assets.outcomes.tables.quality import STATUSES
from assets.quality.history import REFUSED, RESULT_SCHEMA

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from pathlib import Path

    from assets.home import Home

FOLDER, FOLD = "history", "history.parquet"
KIND, FOLD_KIND = "history", "fold"
DAMAGED = (pl.exceptions.PolarsError, pl.exceptions.PanicException)
"""What reading a damaged file can end in."""
FOLD_AFTER = 64
"""Files beside the fold that a reader opens one by one at most."""
HISTORY_SCHEMA = pl.Schema(
    {
        "number": pl.Int64(),
        "at": pl.Datetime("us", "UTC"),
        "release": pl.String(),
        **RESULT_SCHEMA,
        "waived": pl.Boolean(),
    }
)
"""``number`` counts the files; ``at`` is when the suite ended; ``release`` the id of the release it judged; ``waived``:
a failure held nothing back then, because people had waived it."""


def record(
    home: Home,
    frame: pl.DataFrame,
    run_id: str,
    delivery_id: str | None,
    release: str | None = None,
    waived: Collection[str] = (),
    now: datetime | None = None,
) -> Path:
    """Add the results of one suite, with the columns of ``RESULT_SCHEMA``, and return the file they are in.

    Args:
        home: whose history.
        frame: the results.
        run_id: the run that found them.
        delivery_id: the delivery that was judged; None for a release.
        release: the id of the release that was judged.
        waived: checks whose failure held nothing back.
        now: when, if not this moment.

    Raises:
        InputProblem: HISTORY or LEDGER: a file cannot be written or read, or the ledger is broken.

    """
    moment = (now or datetime.now(UTC)).astimezone(UTC)
    folder = home.path / AUDIT / FOLDER
    with _locked(folder):
        _settle(home, folder)
        files = _files(folder)
        number = _number(files[-1]) + 1 if files else 1
        path = folder / f"{number:08d}-{moment:%Y%m%dT%H%M%SZ}-{delivery_id or 'release'}.parquet"
        rows = frame.with_columns(
            pl.lit(number, pl.Int64()).alias("number"),
            pl.lit(moment, HISTORY_SCHEMA["at"]).alias("at"),
            pl.lit(release, pl.String()).alias("release"),
            pl.col("check_id").is_in(list(waived)).alias("waived"),
        ).select(HISTORY_SCHEMA.names())
        content = _parquet(rows.cast(HISTORY_SCHEMA))
        _write(_hidden(path), content)
        body = {"file": path.name, "sha256": _sha256(content), "rows": rows.height}
        append(home.path, KIND, body | {"run_id": run_id, "delivery_id": delivery_id}, now=moment)
        _hidden(path).replace(path)
        if number - _covered(home) > FOLD_AFTER:
            _make_fold(home, moment)
    return path


def history(home: Home) -> pl.LazyFrame:
    """Every result of a home, oldest first, with the columns of ``HISTORY_SCHEMA``."""
    files = _files(home.path / AUDIT / FOLDER)
    parts = [pl.LazyFrame(schema=HISTORY_SCHEMA)]
    covered = _covered(home)
    if covered:
        # a writer may put a longer fold in its place before this one is read
        parts.append(_scan(_fold(home)).filter(pl.col("number") <= covered))
    beside = [path for path in files if _number(path) > covered]
    if beside:
        parts.append(_scan(beside))
    return pl.concat(parts)


def fold_is_true(home: Home) -> bool:
    """Whether the fold, if there is one, is what a writer made of the files; it is not opened to find out."""
    if not _fold(home).exists():
        return True
    made = {entry.body["sha256"] for entry in entries(home.path) if entry.kind == FOLD_KIND}
    return _sha256(_fold(home).read_bytes()) in made


@contextmanager
def readable() -> Iterator[None]:
    """Say in our own words that a file of the history is damaged, whoever reads it.

    Raises:
        InputProblem: HISTORY.

    """
    try:
        yield
    except DAMAGED:
        raise InputProblem(
            "HISTORY",
            f"{AUDIT}/{FOLDER}",
            "a file is not what was written",
            "`needlepoint audit verify` names it; put it back from a backup",
        ) from None


def standing(found: pl.LazyFrame, run_id: str | None = None) -> pl.LazyFrame:
    """How things stood when a release was judged: its own results, and those of the newest reading of each delivery.

    ``run_id`` names the run; None is the newest that judged a release. A reading that was refused changes nothing: the
    one before it stays in force. Without a run that judged a release, the readings alone.
    """
    files = _files_told(found)
    judged = files.filter(pl.col("delivery_id").is_null())
    if run_id is None and judged.height:
        run_id = judged["run_id"][-1]
    own = judged.filter(pl.col("run_id") == pl.lit(run_id, pl.String()))
    read = files.filter(pl.col("delivery_id").is_not_null(), pl.col("reason").ne_missing(REFUSED))
    if own.height:
        read = read.filter(pl.col("number") < own["number"].max())
    newest = read.group_by("delivery_id").agg(pl.col("number").last())
    return found.filter(pl.col("number").is_in([*newest["number"], *own["number"]]))


def tried_last(found: pl.LazyFrame) -> pl.LazyFrame:
    """The history without what a step found that was tried again in the same run."""
    return found.filter(pl.col("number").is_in(_files_told(found)["number"].to_list()))


def _files_told(found: pl.LazyFrame) -> pl.DataFrame:
    """One row per file in the order of the files, the last try of each step only; a suite begins with one check."""
    first = pl.col("run_id", "delivery_id", "check_id", "reason").first()
    files = found.group_by("number").agg(first).sort("number").collect()
    return files.unique(["run_id", "delivery_id", "check_id"], keep="last", maintain_order=True)


def summarise(results: pl.DataFrame | pl.LazyFrame, checks: Iterable[str] = ()) -> dict[str, int]:
    """How many checks ended how: each with its worst status over deliveries and release, in the order of ``STATUSES``.

    ``checks`` are all there are: those without a result count as not applicable.
    """
    ranks = {status: rank for rank, status in enumerate(STATUSES)}
    worst = dict.fromkeys(checks, 0)
    for check_id, status in results.lazy().select("check_id", "status").unique().collect().iter_rows():
        worst[check_id] = max(worst.get(check_id, 0), ranks[status])
    counts = dict.fromkeys(STATUSES, 0)
    for rank in worst.values():
        counts[STATUSES[rank]] += 1
    return counts


def _make_fold(home: Home, moment: datetime) -> None:
    """Put the rows of all files into one; the fold before it is read only if it is what was written."""
    if not fold_is_true(home):
        _fold(home).unlink()
    hidden = _hidden(_fold(home))
    _write(hidden, b"")  # its owner's only before anything is in it
    with readable():
        history(home).sink_parquet(hidden, statistics=False)
        covered = int(_scan(hidden).select(pl.col("number").max()).collect().item())
    append(home.path, FOLD_KIND, {"sha256": _sha256(hidden.read_bytes()), "files": covered}, now=moment)
    hidden.replace(_fold(home))


def _settle(home: Home, folder: Path) -> None:
    """Finish, drop or report what a writer that died left under a hidden name."""
    for hidden in sorted(folder.glob(".*.parquet")):
        name = hidden.name.removeprefix(".")
        named = [
            entry.body["sha256"] for entry in entries(home.path) if entry.kind == KIND and entry.body["file"] == name
        ]
        if named == [_sha256(hidden.read_bytes())]:
            hidden.replace(folder / name)
            continue
        if named:
            append(home.path, LOST, {"what": "a history file that was not written to its end", "file": name})
        hidden.unlink()


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob("[!.]*.parquet"))


def _number(path: Path) -> int:
    return int(path.name.partition("-")[0])


def _fold(home: Home) -> Path:
    return home.path / AUDIT / FOLD


def _covered(home: Home) -> int:
    """The number of the last file whose rows are in the fold; 0 without a fold that can be read."""
    if not _fold(home).exists():
        return 0
    try:
        return int(_scan(_fold(home)).select(pl.col("number").max()).collect().item() or 0)
    except DAMAGED:
        return 0


def _scan(source: Path | list[Path]) -> pl.LazyFrame:
    """Read files; a column that is younger than a file is null in its rows."""
    return pl.scan_parquet(source, schema=HISTORY_SCHEMA, missing_columns="insert", use_statistics=False)


def _hidden(path: Path) -> Path:
    return path.with_name(f".{path.name}")


def _parquet(frame: pl.DataFrame) -> bytes:
    content = BytesIO()
    frame.write_parquet(content, statistics=False)  # the rows alone decide what a reader sees
    return content.getvalue()


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _write(path: Path, content: bytes) -> None:
    """Write a file of its owner's only; it is on the disk when this returns."""
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE_FILE), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        raise _unwritable() from None


def _unwritable() -> InputProblem:
    return InputProblem(
        "HISTORY", f"{AUDIT}/{FOLDER}", "the folder cannot be written", "Check its permissions and the disk"
    )


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Only one writer at a time; others wait, for it takes milliseconds."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=PRIVATE_FOLDER)
        descriptor = os.open(folder / ".lock", os.O_WRONLY | os.O_CREAT, PRIVATE_FILE)
    except OSError:
        raise _unwritable() from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
