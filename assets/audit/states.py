"""The states between two releases, and their statistics: old code on new deliveries, new code on old ones, and so on.

A state whose inputs are those of one of the two releases is not built: its statistics are in the warehouse of that one.
The others are built in homes of their own, each by the code it is about, in a process of its own.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import polars as pl

from assets.audit.code_copy import code_contents
from assets.audit.diff import CODE, DECISIONS, DEFINITIONS, LATE, PERIOD, Route, Step
from assets.audit.periods import new_period
from assets.audit.release_inputs import OTHERS, THRESHOLDS, decide, exact_frames, inputs_of, make_lake
from assets.deliveries.problems import InputProblem
from assets.home import PRIVATE_FOLDER
from assets.packages import package_versions

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Callable, Mapping

    from assets.audit.diff import Frames
    from assets.audit.ledger import Entry
    from assets.audit.release_inputs import Inputs
    from assets.home import Home

CONTRACT = "assets/contract"
"""What is defined: measures, definitions of recovery, bounds, thresholds. Thresholds decided in the home go with it."""
FIRST, SECOND, REDUCED, REPEATED = "first", "second", "reduced", "repeated"
"""Whose code, definitions, decisions or deliveries: those of the first release; of the second; the deliveries of the
second without the new period; the code of the first with the packages of now."""


class State(NamedTuple):
    """Whose code, definitions, decisions and deliveries."""

    code: str
    definitions: str
    decisions: str
    deliveries: str


@dataclass(slots=True)
class Between:
    """What lies between two releases, ready to be built; nothing of the home is needed any more.

    ``same`` names what both have in common. ``later`` are the ids of the deliveries that the first release does not
    have, ``again`` of those that were read again. ``has_new_period`` and ``has_late`` say what is in them; a delivery
    that was read again or is gone is a correction.
    """

    first: Inputs
    second: Inputs
    start: Frames
    end: Frames
    scratch: pathlib.Path
    settings: Home
    homes: dict[str, Home]
    same: frozenset[str]
    later: frozenset[str]
    again: frozenset[str]
    has_new_period: bool
    has_late: bool

    def plain(self, state: State) -> State:
        """The same state by other names, equal inputs by one name."""
        code, definitions, decisions, deliveries = state
        if code == REPEATED and self.first.packages == package_versions():
            code = FIRST
        if code == SECOND and "code" in self.same:
            code = FIRST
        if definitions == SECOND and "definitions" in self.same:
            definitions = FIRST
        if decisions == SECOND and "decisions" in self.same:
            decisions = FIRST
        if deliveries == REDUCED:
            deliveries = SECOND if not self.has_new_period else deliveries if self.has_late else FIRST
        if deliveries == SECOND and "deliveries" in self.same:
            deliveries = FIRST
        return State(code, definitions, decisions, deliveries)


def between(home: Home, first: str, second: str, scratch: pathlib.Path) -> Between:
    """Gather everything that the states need, from a home to which nobody writes meanwhile.

    Args:
        home: that has both releases.
        first: id of the release that is compared with.
        second: id of the one that is compared.
        scratch: an empty folder inside the home, on whose file system links are possible.

    Raises:
        InputProblem: see ``inputs_of``.

    """
    old = inputs_of(home, first, scratch / "code-first")
    new = inputs_of(home, second, scratch / "code-second")
    said = {one.run_key for one in old.accepted}
    changed = {one.delivery_id for one in new.accepted if one.run_key not in said}
    later = frozenset(changed - {one.delivery_id for one in old.accepted})
    news = new_period(
        old.accepted,
        [one for one in new.accepted if one.delivery_id in later],
        lambda delivery, table: (new if delivery.delivery_id in later else old).rows(delivery, table),
    )
    found = Between(
        old,
        new,
        exact_frames(home, first),
        exact_frames(home, second),
        scratch,
        home,
        homes={},
        same=_same(old, new),
        later=later,
        again=frozenset(changed - later),
        has_new_period=not news.is_empty,
        has_late=False,
    )
    for deliveries, inputs, left_out in ((FIRST, old, None), (SECOND, new, None), (REDUCED, new, news)):
        place = replace(home, path=scratch / f"home-{deliveries}")
        rows = make_lake(place, inputs, later, left_out)
        found.homes[deliveries] = place
        if deliveries == REDUCED:
            found.has_late = rows > 0 or not said <= {one.run_key for one in new.accepted}
    return found


def follow(found: Between, say: Callable[[str], None]) -> tuple[Route, bool, int]:
    """Build the states and return the route, whether definitions could be told from code, and how many were built.

    Definitions are told from code by running the old code with the new contract. Where that does not run, both are one
    part, the code.

    Raises:
        InputProblem: BUILD: the code of a release does not run on the deliveries of the other.

    """
    states = _Built(found, say)
    f, s, old = FIRST, SECOND, REPEATED
    stations = [
        (CODE, State(old, f, f, f)),
        (LATE, State(old, f, f, REDUCED)),
        (PERIOD, State(old, f, f, s)),
        (DECISIONS, State(old, f, s, s)),
        (DEFINITIONS, State(old, s, s, s)),
        (CODE, State(s, s, s, s)),
    ]
    is_split = states.can_be_made(stations[4][1])
    if not is_split:
        del stations[4]
    route = Route(
        found.start,
        [Step(part, states.frames(state)) for part, state in stations],
        states.frames(stations[2][1]),
        states.frames(State(s, s, s, f)),
    )
    return route, is_split, states.count


class _Built:
    """Statistics of states, each built once."""

    def __init__(self, found: Between, say: Callable[[str], None]) -> None:
        self.found, self.say, self.count = found, say, 0
        self.made: dict[State, Mapping[str, pl.DataFrame]] = {
            found.plain(State(FIRST, FIRST, FIRST, FIRST)): found.start,
            found.plain(State(SECOND, SECOND, SECOND, SECOND)): found.end,
        }

    def frames(self, state: State) -> Mapping[str, pl.DataFrame]:
        """The exact statistics of a state."""
        plain = self.found.plain(state)
        if plain not in self.made:
            self.made[plain] = self._build(plain)
        return self.made[plain]

    def can_be_made(self, state: State) -> bool:
        """Whether the old code runs with the new contract."""
        try:
            self.frames(state)
        except InputProblem:
            return False
        return True

    def _build(self, state: State) -> dict[str, pl.DataFrame]:
        self.count += 1
        self.say(f"Building {said(state)}")
        home = self.found.homes[state.deliveries]
        decide(home, self._decisions(state))
        out = self.found.scratch / f"out-{self.count}"
        out.mkdir(mode=PRIVATE_FOLDER)
        ran = run_code(self._code(state), home, out)
        shutil.rmtree(home.releases, ignore_errors=True)
        if not ran:
            raise InputProblem("BUILD", said(state), "it does not run", "These two releases cannot be split")
        return {path.stem: pl.read_parquet(path) for path in sorted(out.glob("*.parquet"))}

    def _decisions(self, state: State) -> list[Entry]:
        """What was decided; thresholds go with the definitions."""
        waivers, thresholds = (
            (self.found.second if whose == SECOND else self.found.first).decisions
            for whose in (state.decisions, state.definitions)
        )
        return [
            *(entry for entry in waivers if entry.kind in OTHERS),
            *(entry for entry in thresholds if entry.kind in THRESHOLDS),
        ]

    def _code(self, state: State) -> pathlib.Path:
        """The folder with the code of a state; the contract is that of its definitions."""
        code = self.found.second.code if state.code == SECOND else self.found.first.code
        definitions = self.found.second.code if state.definitions == SECOND else self.found.first.code
        if code == definitions:
            return code
        mixed = self.found.scratch / "code-mixed"
        if not mixed.exists():
            shutil.copytree(code, mixed)
            shutil.rmtree(mixed / CONTRACT)
            shutil.copytree(definitions / CONTRACT, mixed / CONTRACT)
        return mixed


def run_code(code: pathlib.Path, home: Home, out: pathlib.Path) -> bool:
    """Let the code in a folder rebuild a home in a process of its own; return whether it could."""
    threads = [] if home.threads is None else [str(home.threads)]
    environment = {
        **os.environ,
        "PYTHONPATH": str(code),
        "OPENBLAS_NUM_THREADS": os.environ.get("OPENBLAS_NUM_THREADS", "1"),
        "GX_ANALYTICS_ENABLED": "false",
    }
    ran = subprocess.run(  # noqa: S603 our own code, compared with its hash when it was unpacked
        [sys.executable, "-m", "assets.audit.rebuild", str(home.path), str(out), home.memory_limit, *threads],
        cwd=code,
        env=environment,
        capture_output=True,  # what another version of our code prints may quote values
        check=False,
    )
    return ran.returncode == 0


def said(state: State) -> str:
    """A state in words."""
    rules = "old" if state.code in (FIRST, REPEATED) else "new"
    words = [f"{rules} code"]
    if state.definitions == SECOND and rules == "old":
        words.append("new definitions")
    if state.decisions == SECOND and rules == "old":
        words.append("new decisions")
    deliveries = {FIRST: "old deliveries", SECOND: "new deliveries", REDUCED: "late and corrected records"}
    return f"{' with '.join(words)} on {deliveries[state.deliveries]}"


def _same(first: Inputs, second: Inputs) -> frozenset[str]:
    """What two releases have in common."""
    (old_contract, old_code), (new_contract, new_code) = (_contents(inputs.code) for inputs in (first, second))
    pairs = {
        "definitions": ((old_contract, *_decided(first, THRESHOLDS)), (new_contract, *_decided(second, THRESHOLDS))),
        "code": ((old_code, first.packages), (new_code, second.packages)),
        "decisions": (_decided(first, OTHERS), _decided(second, OTHERS)),
        "deliveries": tuple({(one.run_key, one.state) for one in inputs.deliveries} for inputs in (first, second)),
    }
    return frozenset(name for name, (old, new) in pairs.items() if old == new)


def _decided(inputs: Inputs, kinds: tuple[str, ...]) -> list[tuple[str, dict[str, Any]]]:
    return [(entry.kind, entry.body) for entry in inputs.decisions if entry.kind in kinds]


def _contents(root: pathlib.Path) -> tuple[dict[str, bytes], dict[str, bytes]]:
    """The files of the contract, and all others."""
    contract: dict[str, bytes] = {}
    others: dict[str, bytes] = {}
    for name, content in code_contents(root).items():
        (contract if name.startswith(f"{CONTRACT}/") else others)[name] = content
    return contract, others
