"""The runbook and the program have the same codes, findings, alerts and words: neither has what the other lacks."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

from assets.contract.failures import FAILURES
from assets.contract.runbook import (
    ALERTS,
    AUTOMATION,
    CHAPTERS,
    DOCTOR,
    EXIT_CODES,
    LINES,
    PREFLIGHT,
    SEALS,
    UNSENT,
)
from assets.deliveries.ledger import State
from dashboards.pages import runbook
from pipelines import failure_messages
from pipelines.alert_channels import WORDS
from pipelines.alerts import Kind
from pipelines.definitions import defs
from pipelines.doctor import examine
from pipelines.failure_messages import BLANK, Call, Message, calls_of, messages, program, texts
from pipelines.findings import VERDICT_WORDS
from pipelines.settings import HOME_VARIABLE

if TYPE_CHECKING:
    from assets.contract.runbook import Chapter

ROOT = Path(__file__).parents[2]
SECOND_WORD = re.compile(r"[A-Z][a-z]+(?: [a-z]+)*(?=\. )")
"""How a line about something that did not go through begins."""


def keys(chapter: Chapter) -> set[str]:
    found = [one.key for one in chapter.situations]
    assert len(found) == len(set(found))
    return set(found)


def said_by(calls: tuple[Call, ...], name: str, position: int) -> set[str]:
    """What the calls of a function anywhere in the program say in one of their arguments."""
    ours = [call for call in calls if call.name == name]
    return {text for call in ours for text in texts(call.node.args[position], call.place)} - {BLANK}


# ---- codes ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def calls() -> tuple[Call, ...]:
    return program()


@pytest.fixture(scope="module")
def said(calls: tuple[Call, ...]) -> tuple[Message, ...]:
    return messages(calls)


def test_every_code_that_is_raised_is_in_the_catalogue_and_no_other(said: tuple[Message, ...]) -> None:
    known = [one.code for group in FAILURES for one in group.failures]
    assert len(known) == len(set(known))
    assert {message.code for message in said} == set(known)


@pytest.fixture
def planted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A program of one file."""
    monkeypatch.setattr(failure_messages, "ROOT", tmp_path)
    monkeypatch.setitem(sys.modules, "assets.planted", ModuleType("assets.planted"))
    (tmp_path / "assets").mkdir()
    return tmp_path / "assets" / "planted.py"


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ('raise InputProblem("NEW", place, "it is blue", "Paint it")', [Message("NEW", "it is blue", "Paint it")]),
        (
            'raise InputProblem("NEW", place, f"it has {n} legs", "Cut" if n else "Wait")',
            [Message("NEW", "it has … legs", "Cut"), Message("NEW", "it has … legs", "Wait")],
        ),
        (
            'def bad(what):\n    return InputProblem("NEW", "", what, "Go")\nbad("one")\nbad("two")',
            [Message("NEW", "one", "Go"), Message("NEW", "two", "Go")],
        ),
        (
            'def bad(n):\n what = "small"\n if n:\n  what = "large"\n raise InputProblem("NEW", "", what, "")',
            [Message("NEW", "large", ""), Message("NEW", "small", "")],
        ),
        ('raise PermanentFailure("LATE: it came late. Go on.")', [Message("LATE", "it came late", "Go on")]),
        (
            'replace(one, problem_code="ODD", problem=f"Held by {x}")',
            [Message("ODD", "Held by …", "The page of the check says what to do")],
        ),
        ("raise InputProblem(problem.code, problem.where, problem.what, remedy)", []),
    ],
)
def test_a_code_is_found_wherever_it_is_raised(planted: Path, code: str, found: list[Message]) -> None:
    planted.write_text(code, encoding="utf-8")
    assert list(messages(program())) == found


def test_a_code_that_nobody_can_know_before_is_not_passed_over(planted: Path) -> None:
    planted.write_text("def bad(kind):\n    raise InputProblem(kind.upper(), '', 'x', 'y')", encoding="utf-8")
    with pytest.raises(ValueError, match="is not known before it is raised"):
        messages(program())


def test_few_messages_cannot_be_told_from_the_source(said: tuple[Message, ...]) -> None:
    assert len(said) > 200
    assert sum(not re.search("[a-z]", message.what) for message in said) <= 12


def test_findings_of_the_doctor_and_alerts_are_found(calls: tuple[Call, ...]) -> None:
    found = failure_messages.findings(calls)
    doctor = {one.what for one in found if one.code == failure_messages.DOCTOR}
    alerts = [one for one in found if one.code == failure_messages.ALERT]
    assert len(doctor) > 25
    assert "nobody is told when something fails" in doctor
    assert len(alerts) > 8
    assert all(re.search("[a-z]", one.to_do) for one in alerts)


# ---- what has no code ----------------------------------------------------------------------------------------------


def test_kinds_of_alerts() -> None:
    assert keys(ALERTS) == {kind.value for kind in Kind}


def test_topics_of_the_doctor(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path))
    assert keys(DOCTOR) == {finding.topic for finding in examine()}


def test_sensors_and_schedules() -> None:
    assert keys(AUTOMATION) == {one.name for one in (*(defs.sensors or ()), *(defs.schedules or ()))}


def test_findings_of_verify(calls: tuple[Call, ...]) -> None:
    assert keys(SEALS) == said_by(calls, "Broken", 1)


def test_reasons_why_an_alert_was_not_sent(calls: tuple[Call, ...]) -> None:
    source = (ROOT / "pipelines" / "alert_channels.py").read_text(encoding="utf-8")
    said = said_by(calls, "Unsent", 0) | set(WORDS.values())
    assert said <= keys(UNSENT)
    for key in keys(UNSENT) - said:
        assert key.split(BLANK)[0] in source


def test_lines_of_commands() -> None:
    """Every line that a command prints about what did not go through begins with words of the runbook."""
    begun = set()
    for name in ("outcome_text", "cli_publish"):
        for call in calls_of(ROOT / "pipelines" / f"{name}.py"):
            if call.name == "echo" and call.node.args and isinstance(call.node.args[0], ast.JoinedStr):
                begun |= {
                    found[0] for text in texts(call.node.args[0], call.place) if (found := SECOND_WORD.match(text))
                }
    assert keys(LINES) == begun


def test_words_of_the_preflight() -> None:
    source = (ROOT / "pipelines" / "findings.py").read_text(encoding="utf-8")
    verdicts = {f"would be {words}" for state, words in VERDICT_WORDS.items() if state is not State.ACCEPTED}
    assert verdicts <= keys(PREFLIGHT)
    for key in keys(PREFLIGHT) - verdicts:
        assert f'"{key}' in source or f'"  {key}' in source


def test_exit_codes_are_those_of_the_readme() -> None:
    readme = re.sub(r"\s+", " ", (ROOT / "README.md").read_text(encoding="utf-8"))
    said = re.search(r"Exit codes: (.*?)\. Before", readme)
    assert said
    assert keys(EXIT_CODES) == set(re.findall(r"(?:^|; )(\d) ", said[1]))


def test_anchors_are_one_per_situation() -> None:
    anchors = [runbook.anchor(chapter, one) for chapter in CHAPTERS for one in chapter.situations]
    assert len(anchors) == len(set(anchors))
