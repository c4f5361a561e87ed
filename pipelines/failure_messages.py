"""Every message about something wrong that the program can say, found in its own source; ``FAILURES.md`` lists them.

The code of a problem is written where the problem is raised. What is found here is held against the catalogue of codes
in ``assets/contract/failures.py``, so that neither has what the other lacks.
"""

from __future__ import annotations

import ast
import importlib
import itertools
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from assets.contract.failures import FAILURES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ROOT = Path(__file__).parents[1]
ROOMS = ("assets", "pipelines")
PAGE = ROOT / "assets" / "contract" / "FAILURES.md"
BLANK = "…"
"""Stands for what is only known when the message is said."""
PASSED_ON = ("problem.code", "self.code", "code")
"""Codes that were given elsewhere in the code, where they are found."""
DOCTOR, ALERT = "doctor", "alert"
ALERT_PARTS = 4
"""What an alert is given by position: its kind, its subject, what it says and what to do."""
LED_BY_CODE = re.compile(r"([A-Z][A-Z_]+): ")
"""How a message of Dagster begins."""


@dataclass(frozen=True, slots=True, order=True)
class Message:
    """What a message says beside where: both parts are without their full stop."""

    code: str
    what: str
    to_do: str


@dataclass(frozen=True, slots=True)
class Place:
    """Where a call stands: its module, by name, and the function around it."""

    module: str
    function: ast.AST

    @property
    def parameters(self) -> list[str]:
        """Names of the parameters of the function, without ``self``; none at the level of the module."""
        arguments = getattr(self.function, "args", None)
        names = [one.arg for one in arguments.args] if isinstance(arguments, ast.arguments) else []
        return names[1:] if names[:1] == ["self"] else names


@dataclass(frozen=True, slots=True)
class Call:
    """A call, and where it stands."""

    place: Place
    node: ast.Call

    @property
    def name(self) -> str:
        """What is called, without what it belongs to."""
        return getattr(self.node.func, "attr", getattr(self.node.func, "id", ""))


def program() -> tuple[Call, ...]:
    """Every call of the program."""
    return tuple(call for path in sources() for call in calls_of(path))


def messages(calls: Sequence[Call]) -> tuple[Message, ...]:
    """Return every message that has a code, sorted.

    Raises:
        ValueError: a code is neither written where it is raised nor known to be passed on.

    """
    return tuple(sorted({message for call in calls for message in _said(call, calls)}))


def findings(calls: Sequence[Call]) -> tuple[Message, ...]:
    """Return what has no code, sorted: what the doctor finds (``DOCTOR``) and what alerts tell of (``ALERT``)."""
    return tuple(sorted({message for call in calls for message in _found(call, calls)}))


def documents() -> dict[Path, str]:
    """The list of messages in Markdown, by its path."""
    return {PAGE: _page()}


def sources() -> Iterator[Path]:
    """The files of the program that raise problems."""
    for room in ROOMS:
        yield from sorted((ROOT / room).rglob("*.py"))


def calls_of(path: Path) -> Iterator[Call]:
    """Every call of a file, with the innermost function around it."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    around: dict[ast.AST, ast.AST] = {}
    for node in ast.walk(tree):  # from outside to inside
        inner = node if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) else around.get(node, tree)
        for child in ast.iter_child_nodes(node):
            around[child] = inner
        if isinstance(node, ast.Call):
            yield Call(Place(module, around.get(node, tree)), node)


def _said(call: Call, calls: Sequence[Call]) -> Iterator[Message]:
    """The messages that a call says."""
    if call.name == "InputProblem":
        yield from _raised(call, calls)
    elif call.name == "replace" and any(word.arg == "problem_code" for word in call.node.keywords):
        yield from _recorded(call)
    elif call.name in ("Failure", "PermanentFailure", "report_run_failed"):
        for text in (text for argument in call.node.args for text in texts(argument, call.place)):
            if found := LED_BY_CODE.match(text):
                what, _, to_do = text[found.end() :].partition(". ")
                yield Message(found[1], what.rstrip("."), to_do.rstrip("."))


def _found(call: Call, calls: Sequence[Call]) -> Iterator[Message]:
    """The findings that a call says: what, and what to do unless nothing has to be done."""
    parts = call.node.args
    if call.name in ("wrong", "note") and call.place.module.startswith("pipelines.doctor"):
        kind, parts = DOCTOR, parts[:2]
    elif call.name == "Alert" and len(parts) == ALERT_PARTS:
        kind, parts = ALERT, parts[2:]
    else:
        return
    for filled in _filled(parts, call, calls):
        for what, to_do in _paired(filled[0], filled[1] if len(filled) > 1 else [""]):
            yield Message(kind, what, to_do.rstrip("."))


def _raised(call: Call, calls: Sequence[Call]) -> Iterator[Message]:
    code, _, *rest = call.node.args
    if ast.unparse(code) in PASSED_ON:
        return
    if len(rest) == 1 and isinstance(rest[0], ast.Starred):  # a pair of constants
        pair = _value(rest[0].value, call.place)
        ways = [pair] if isinstance(pair, tuple) else [(BLANK, BLANK)]
    else:
        ways = [way for whats, to_dos in _filled(rest, call, calls) for way in _paired(whats, to_dos)]
    for known in _codes(code, call.place):
        for what, to_do in ways:
            yield Message(known, what, to_do)


def _paired(whats: list[str], to_dos: list[str]) -> Iterator[tuple[str, str]]:
    """What is said with what to do; where several may go with several, nobody can tell which from the source."""
    yield from itertools.product(whats, to_dos if len(whats) == 1 or len(to_dos) == 1 else [BLANK])


def _filled(rest: Sequence[ast.expr], call: Call, calls: Sequence[Call]) -> Iterator[list[list[str]]]:
    """What each part may say. Parts that the function around is given are said by whoever calls it."""
    names = call.place.parameters
    given = {one.id: names.index(one.id) for one in rest if isinstance(one, ast.Name) and one.id in names}
    if not given:
        yield [texts(one, call.place) for one in rest]
        return
    function = getattr(call.place.function, "name", "")
    for other in calls:
        is_near = other.place.module == call.place.module or not function.startswith("_")
        if other.name == function and is_near and len(other.node.args) > max(given.values()):
            yield [
                texts(other.node.args[given[one.id]], other.place)
                if isinstance(one, ast.Name) and one.id in given
                else texts(one, call.place)
                for one in rest
            ]


def _recorded(call: Call) -> Iterator[Message]:
    """The problem of a delivery that no exception tells of."""
    said = {word.arg: word.value for word in call.node.keywords}
    if ast.unparse(said["problem_code"]) in ("None", "drift.code", *PASSED_ON):
        return
    for code in _codes(said["problem_code"], call.place):
        for what in texts(said["problem"], call.place):
            yield Message(code, what, "The page of the check says what to do")


def _codes(node: ast.expr, place: Place) -> list[str]:
    found = [node.value] if isinstance(node, ast.Constant) else [_value(node, place)]
    codes = [code for code in found if isinstance(code, str)]
    if not codes:
        message = f"{place.module}: the code {ast.unparse(node)} is not known before it is raised"
        raise ValueError(message)
    return codes


def _value(node: ast.expr, place: Place) -> object:
    """What a name of the module stands for; None for anything else."""
    return getattr(importlib.import_module(place.module), node.id, None) if isinstance(node, ast.Name) else None


def texts(node: ast.expr, place: Place) -> list[str]:
    """What an expression may say, with blanks in it; a name of the function says whatever is assigned to it there."""
    if isinstance(node, ast.Constant):
        return [node.value if isinstance(node.value, str) else BLANK]
    if isinstance(node, ast.JoinedStr):
        return ["".join(_part(part, place) for part in node.values)]
    if isinstance(node, ast.IfExp):
        return [*texts(node.body, place), *texts(node.orelse, place)]
    if isinstance(node, ast.Name):
        known = _value(node, place)
        if isinstance(known, str):
            return [known]
        return [text for value in _assigned(node, place) for text in texts(value, place)] or [BLANK]
    return [BLANK]


def _assigned(name: ast.Name, place: Place) -> list[ast.expr]:
    """What a name of a function may stand for: what is assigned to it from the last time on that the way leads by."""
    above = {child: node for node in ast.walk(place.function) for child in ast.iter_child_nodes(node)}
    around: list[ast.AST] = [name]
    while around[-1] in above:
        around.append(above[around[-1]])
    found = [
        one
        for one in above
        if isinstance(one, ast.Assign)
        and any(isinstance(target, ast.Name) and target.id == name.id for target in one.targets)
    ]
    on_the_way = [one.lineno for one in found if above[one] in around and one.lineno < name.lineno]
    since = max(on_the_way, default=0)
    return [one.value for one in found if since <= one.lineno and (not since or one.lineno < name.lineno)]


def _part(node: ast.expr, place: Place) -> str:
    if isinstance(node, ast.FormattedValue):
        known = _value(node.value, place)
        return str(known) if isinstance(known, (str, int)) else BLANK
    return str(node.value) if isinstance(node, ast.Constant) else BLANK


def _page() -> str:
    by_code: dict[str, list[Message]] = {}
    calls = program()
    for message in messages(calls):
        by_code.setdefault(message.code, []).append(message)
    parts = [_INTRODUCTION]
    for group in FAILURES:
        parts.append(f"\n## {group.title}\n\n{group.kept}\n")
        for failure in group.failures:
            said = "".join(f"- {line}\n" for line in _lines(by_code.get(failure.code, ())))
            parts.append(f"\n### {failure.code}\n\n{failure.means} {failure.to_do}\n" + (f"\n{said}" if said else ""))
    found = findings(calls)
    for kind, title in ((DOCTOR, "What `needlepoint doctor` finds"), (ALERT, "What alerts say")):
        said = "".join(f"- {line}\n" for line in _lines([one for one in found if one.code == kind]))
        parts.append(f"\n## {title}\n\n{said}")
    return "".join(parts)


def _lines(found: Sequence[Message]) -> Iterator[str]:
    """Messages in words. One of which only the places of words are known is left out, and so is less about the same."""
    answered = {message.what for message in found if message.to_do not in ("", BLANK)}
    for message in found:
        if not re.search("[a-z]", message.what):
            continue
        if message.to_do not in ("", BLANK):
            yield f"{message.what}. *{message.to_do}.*"
        elif message.what not in answered:
            yield f"{message.what}."


_INTRODUCTION = f"""# Failure codes and their messages

Generated by `needlepoint docs` from the code that says them and `assets/contract/failures.py`. Do not edit.

A message says its code, where, what, and what to do, as `EMPTY: visit.csv: the file is empty. Send it again.` What is
the same for all messages of a code stands below it, then each message without its place; {BLANK} is filled when it is
said, never with a value of a patient. The page *Failure codes* of the site says the same without the single messages.
What the doctor finds and alerts say has no code and stands at the end.
"""
