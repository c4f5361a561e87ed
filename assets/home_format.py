"""Which version of this program a home belongs to: ``HOME/home.json``, looked at before anything else is read.

A home says its own format, and the version of the contract that its deliveries were read under. What a later version
wrote is refused: it could be misread. What an earlier one wrote is read as it is where nothing differs, and is refused
until ``needlepoint upgrade`` has read its deliveries again where the contract has changed since: the raw files are
there, and everything else is made from them. A warehouse is part of a release and is never upgraded but built anew.

Formats: 1 is a home without this file, as it was before there was one; in 2 the file is there.
"""

from __future__ import annotations

import json
import os
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

from assets.contract import CONTRACT
from assets.deliveries.ledger import State
from assets.deliveries.problems import InputProblem
from assets.deliveries.versions import is_later, is_older

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from assets.deliveries.ledger import Delivery
    from assets.home import Home

CODE = "HOME_FORMAT"
FORMAT = 2
FILE = "home.json"
PRIVATE_FILE = 0o600
UPGRADE = (
    "Make a copy of the home, then run `needlepoint upgrade`: it reads those deliveries again from their raw files"
)
LATER = "Use the version of this program that wrote it, or a later one"
_UPGRADING: ContextVar[bool] = ContextVar("upgrading", default=False)


def check_home(home: Home) -> None:
    """Refuse a home that this version would misread; one that is not there yet is none of those.

    Raises:
        InputProblem: HOME_FORMAT: a later version wrote it; an earlier one did, and it has to be upgraded; or the file
            is not what this program writes.

    """
    contract = _said(home)
    if contract is not None and is_later(contract, CONTRACT.version):
        raise InputProblem(
            CODE, FILE, f"its deliveries were read under version {contract} of the contract, a later one", LATER
        )
    if _UPGRADING.get():
        return
    if contract is None:
        refuse_older(home.ledger.all())
    elif is_older(contract, CONTRACT.version):
        raise _older(contract)


def refuse_older(deliveries: Iterable[Delivery]) -> None:
    """Refuse rows that were read under an earlier contract.

    Raises:
        InputProblem: HOME_FORMAT: there are some.

    """
    versions = [int(one.contract_version) for one in older(deliveries)]
    if versions:
        raise _older(str(min(versions)))


def mark_home(home: Home) -> None:
    """Say in a home without the file that this version works in it, unless it has to be upgraded first.

    Raises:
        InputProblem: HOME_FORMAT: see ``check_home``.

    """
    check_home(home)
    if not (home.path / FILE).exists() and not older(home.ledger.all()):
        write_format(home)


def write_format(home: Home) -> None:
    """Write the file as it is for this version, in one step."""
    temporary = home.path / f".{FILE}"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE_FILE)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump({"contract": CONTRACT.version, "format": FORMAT}, file)
        file.write("\n")
        file.flush()
        os.fsync(descriptor)
    temporary.replace(home.path / FILE)


def older(deliveries: Iterable[Delivery]) -> tuple[Delivery, ...]:
    """Those with rows that were read under an earlier contract; of a refused one nothing was kept."""
    return tuple(
        one
        for one in deliveries
        if one.state is not State.REJECTED and is_older(one.contract_version, CONTRACT.version)
    )


@contextmanager
def upgrading() -> Iterator[None]:
    """While this is open an earlier home is let in: by the one verb that brings it up to date."""
    token = _UPGRADING.set(True)
    try:
        yield
    finally:
        _UPGRADING.reset(token)


def _said(home: Home) -> str | None:
    """The contract that a home names, None where it has no file. A later format is refused."""
    try:
        content = json.loads((home.path / FILE).read_bytes())
        found, contract = content["format"], content["contract"]
        is_ours = isinstance(found, int) and isinstance(contract, str) and contract.isdecimal()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        is_ours = False
    if not is_ours:
        raise InputProblem(CODE, FILE, "this is not what this program writes", "Put the file of your last backup back")
    if found > FORMAT:
        raise InputProblem(
            CODE, FILE, f"the home has format {found}, and this program knows formats up to {FORMAT}", LATER
        )
    return str(contract)


def _older(contract: str) -> InputProblem:
    return InputProblem(
        CODE,
        FILE,
        f"deliveries were read under version {contract} of the contract, and this program reads version "
        f"{CONTRACT.version}",
        UPGRADE,
    )
