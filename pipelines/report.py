"""The report of a pre-flight as a file: JSON for machines, or one HTML page that needs nothing beside it.

The page has no script and loads nothing; everything that comes from the feed is escaped. It holds names of files,
columns and checks, and counts, never a value of a row.
"""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

from assets.deliveries.problems import InputProblem
from assets.quality.quarantine import STATUS_WORDS, Status
from dashboards.markup import clean, esc
from dashboards.words import plural
from pipelines.findings import FATE_WORDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pipelines.findings import Finding, Findings, Line, Notice

SUFFIXES = (".json", ".html")
TITLE = "Check of a feed"
STYLE = Path(__file__).resolve().parents[1] / "dashboards" / "static" / "style.css"
NARROW = (
    "section{margin-top:16px}.text table{table-layout:fixed}.text td{min-width:0!important}"
    "th,td{overflow-wrap:anywhere}th:first-child{width:40%}"
    "td small{display:block;font-size:14px;color:var(--mute)}"
)
"""What this page has beyond the look of the site: two columns that fit a telephone."""
OUTCOME = {
    0: "A run would publish this feed.",
    1: "A check that blocks would hold back what is marked below.",
    2: "Nothing of this feed can be used.",
}


def write_report(findings: Findings, path: Path) -> None:
    """Write ``path``, as JSON or HTML by its suffix.

    Raises:
        InputProblem: REPORT: the suffix is neither, or the file cannot be written.

    """
    if path.suffix not in SUFFIXES:
        raise InputProblem(
            "REPORT", path.name, "a report is either .json or .html", "Give the file one of these two endings"
        )
    text = json.dumps(findings.as_dict(), indent=1) + "\n" if path.suffix == ".json" else page(findings)
    try:
        path.write_text(text, encoding="utf-8")
    except OSError:
        raise InputProblem(
            "REPORT", path.name, "this file cannot be written", "Check that its folder exists and its permissions"
        ) from None


def page(findings: Findings) -> str:
    """Return the whole page."""
    from dashboards.theme import stylesheet  # noqa: PLC0415 loads plotly, which no other report needs

    style = stylesheet() + STYLE.read_text(encoding="utf-8") + NARROW
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{esc(policy)}">'
        '<meta name="referrer" content="no-referrer">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f'<title>{TITLE}</title><link rel="icon" href="data:,"><style>{style}</style></head>\n'
        f'<body><a class="skip" href="#content">Skip to content</a><main id="content" tabindex="-1"><h1>{TITLE}</h1>\n'
        f"{_summary(findings)}\n{''.join(map(_section, findings.deliveries))}{_release(findings)}</main>\n"
        "<footer><p>This page names files, columns and checks; it holds no value of any row. Nothing was stored by the "
        "check.</p></footer></body></html>\n"
    )


def _summary(findings: Findings) -> str:
    judged = "together with what the home holds" if findings.is_against_home else "by itself, without a home"
    lines = [f'<p class="lead"><strong>{OUTCOME[findings.exit_code]}</strong></p>']
    lines.append(f'<p class="stamp">{plural(len(findings.deliveries), "delivery", "deliveries")}, judged {judged}.</p>')
    lines += [f'<p class="notice">Not read. {_text(problem.with_code)}</p>' for problem in findings.not_landed]
    lines += [f'<p class="notice">Held by {_text(reason)}</p>' for reason in findings.held_by]
    return "\n".join(lines)


def _section(finding: Finding) -> str:
    delivery = finding.delivery
    problem = (
        f'<p class="notice">{_text(f"{delivery.problem_code}: {delivery.problem}")}</p>' if delivery.problem else ""
    )
    fates = [("sent", delivery.ingested + finding.fates["out_of_scope"])]
    fates += [(FATE_WORDS[fate], number) for fate, number in finding.fates.items()]
    here = [line for line in finding.lines if not line.not_in_feed]
    apart = [line for line in finding.lines if line.not_in_feed]
    parts = [
        _table("What becomes of its rows", ("Rows", "Number"), fates, numbers=(1,)),
        _lines("Rows that would be set aside", here),
        _lines("Rows that belong to something not in this feed", apart),
        _notices("Warnings", finding.notices),
        _unmapped(finding),
    ]
    return (
        f'<section class="text"><h2>{_text(delivery.label)}</h2>'
        f"<p>This delivery {_text(finding.verdict)}.</p>{problem}{''.join(parts)}</section>\n"
    )


def _release(findings: Findings) -> str:
    if not findings.notices:
        return ""
    return f'<section class="text"><h2>All deliveries together</h2>{_notices("Warnings", findings.notices)}</section>\n'


def _lines(caption: str, lines: Sequence[Line]) -> str:
    rows = [
        (
            [
                line.file,
                f"{plural(line.rows, 'row')}, {line.where}",
                *([f"column {line.column}"] if line.column else []),
            ],
            [f"{line.sentence} ({line.check_id})", *_to_do(line)],
        )
        for line in lines
    ]
    return _table(caption, ("Where", "What is wrong, and what to do"), rows) if rows else ""


def _to_do(line: Line) -> list[str]:
    if line.not_in_feed:
        return []
    return [f"{line.remedy}."] if line.is_to_do else [f"{STATUS_WORDS[Status(line.status)].capitalize()}."]


def _notices(caption: str, notices: Sequence[Notice]) -> str:
    rows = [
        (
            [notice.words, *notice.groups],
            [f"{notice.sentence} ({notice.check_id})", f"{notice.remedy}."],
        )
        for notice in notices
    ]
    return _table(caption, ("How many", "What shows, and what to do"), rows) if rows else ""


def _unmapped(finding: Finding) -> str:
    rows = [
        (
            code["file"],
            code["column"],
            "not shown" if code["code"] is None else code["code"],
            code["rows"],
            code["fate"],
        )
        for code in finding.unmapped
    ]
    header = ("File", "Column", "Code", "Rows", "What becomes of them")
    return _table("Codes that the profile does not translate", header, rows, numbers=(3,)) if rows else ""


def _table(caption: str, header: Sequence[str], rows: Iterable[Sequence[object]], numbers: tuple[int, ...] = ()) -> str:
    head = "".join(f'<th scope="col"{_class(place, numbers)}>{esc(label)}</th>' for place, label in enumerate(header))
    body = "".join(
        f"<tr>{''.join(_cell(value, place, numbers) for place, value in enumerate(row))}</tr>" for row in rows
    )
    return (
        f'<div class="scroll tall" role="region" tabindex="0" aria-label="{esc(caption)}"><table>'
        f"<caption>{esc(caption)}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _cell(value: object, place: int, numbers: tuple[int, ...]) -> str:
    """A cell; a list is one line under another, the first of them the weightiest."""
    first, *others = value if isinstance(value, list) else [value]
    text = f"{first:,}" if isinstance(first, int) else _text(first)
    text += "".join(f"<small>{_text(other)}</small>" for other in others)
    if place == 0:
        return f'<th scope="row">{text}</th>'
    return f"<td{_class(place, numbers)}>{text}</td>"


def _class(place: int, numbers: tuple[int, ...]) -> str:
    return ' class="num"' if place in numbers else ""


def _text(value: object) -> str:
    return esc(clean(str(value)))
