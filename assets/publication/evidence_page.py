"""The page of an evidence pack: plain HTML to read, print and sign. It needs no file beside it and runs no script."""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from typing import TYPE_CHECKING

from dashboards.markup import clean, esc
from dashboards.words import DASH, SEVERITY, STATUS, count, plural, stamp_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from assets.publication.evidence_pack import Facts

STYLE = (
    "body{font:15px/1.45 system-ui,sans-serif;color:#1b2430;background:#fff;max-width:1100px;margin:24px auto;"
    "padding:0 20px}h1{font-size:26px;margin:0}h2{font-size:19px;margin:28px 0 6px}"
    "table{border-collapse:collapse;width:100%;font-size:12.5px}caption{text-align:left;color:#55606e;padding:4px 0}"
    "th,td{border:1px solid #d9dfe6;padding:3px 6px;text-align:left;vertical-align:top}"
    "thead th{background:#f4f6f8}td.hash{overflow-wrap:anywhere;min-width:33ch}"
    "td.number{text-align:right;white-space:nowrap}code{font-size:11px}"
    ".scroll{overflow-x:auto}.sign td{height:36px;width:75%}"
    "@media print{body{margin:0;max-width:none;font-size:12px}.scroll{overflow:visible}tr{break-inside:avoid}"
    "table{font-size:10px}}"
)
POLICY = (
    "default-src 'none'; img-src data:; style-src 'sha256-"
    + base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    + "'; base-uri 'none'; form-action 'none'"
)
PARTS = ("ingested", "accepted", "quarantined", "superseded", "rejected")
SHA_DIGITS = 64
SIGNED = ("Reviewed by", "Date", "Decision", "Note")


def page(facts: Facts, checks: Sequence[dict[str, Any]]) -> str:
    """Return the page; ``checks`` as they stand in ``checks.json``."""
    title = f"Evidence pack of release {esc(facts.release)}"
    sections = (
        _release(facts),
        _inputs(facts),
        _reconciliation(facts),
        _checks(checks),
        _thresholds(facts),
        _waivers(facts),
        _drift(facts),
        _disclosure(facts),
        _published(facts),
        _sign_off(),
    )
    return document(title, sections)


def document(title: str, sections: Iterable[str]) -> str:
    """Return a page that needs no file beside it; ``title`` and sections are HTML."""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{esc(POLICY)}">'
        '<meta name="referrer" content="no-referrer"><meta name="viewport" content="width=device-width">'
        f'<title>{title}</title><link rel="icon" href="data:,"><style>{STYLE}</style></head>\n'
        f"<body><main><h1>{title}</h1>\n{''.join(sections)}</main></body></html>\n"
    )


def _release(facts: Facts) -> str:
    stamp = stamp_text(facts.stamp) if facts.stamp else "not stated"
    rows = (
        ("Release", facts.release),
        ("Newest extract", stamp),
        ("Code", facts.code_version),
        ("Contract", f"version {facts.contract_version}"),
        ("Definition of recovered in force", facts.definition),
        ("Packages", ", ".join(f"{name} {version}" for name, version in facts.packages.items())),
    )
    return (
        "<p>The same inputs and the same code give this release, byte by byte. Files of this pack are checked with "
        "<code>sha256sum -c SHA256SUMS</code> in its folder. When it ran and how long it took is no part of it: that "
        "is in the log of the runs. What went before it, and who decided what, is in trail.html of the kept pack.</p>"
        + table("Release", ("", ""), rows, heads=False)
    )


def _inputs(facts: Facts) -> str:
    rows = [
        (
            one.label,
            stamp_text(one.extract_stamp) or "not stated",
            f"{one.state.value}: {one.problem_code}" if one.problem_code else one.state.value,
            f"{one.profile}, version {one.profile_version}",
            file.name,
            _records(file.records, facts.minimum_group),
            file.sha256,
        )
        for one in facts.deliveries
        for file in one.files
    ]
    head = ("Delivery", "Extract of", "State", "Profile", "File", "Records", "SHA-256")
    return "<h2>Inputs</h2>" + table("Files as the clinics sent them", head, rows)


def _records(records: int | None, minimum_group: int) -> str | int:
    """Records of a file, which may be as many as it has patients."""
    if records is None:
        return DASH
    return f"<{minimum_group}" if 0 < records < minimum_group else records


def _reconciliation(facts: Facts) -> str:
    rows = [
        (
            row["label"] or row["delivery_id"],
            row["out_of_scope"],
            *(row[part] for part in PARTS),
            "exact" if row["ingested"] == sum(row[part] for part in PARTS[1:]) else "DOES NOT ADD UP",
        )
        for row in facts.conservation
    ]
    head = (
        *("Delivery", "Out of scope", "Ingested", "= accepted"),
        *("+ quarantined", "+ superseded", "+ rejected", "Result"),
    )
    return "<h2>Reconciliation</h2>" + table("Rows of each delivery; each part is counted by itself", head, rows)


def _checks(checks: Sequence[dict[str, Any]]) -> str:
    rows = [
        (
            f"{check['title']} ({check['check_id']})",
            STATUS[check["status"]],
            SEVERITY[check["severity"]],
            f"{check['threshold']:.1%}",
            DASH if check["observed"] is None else f"{check['observed']:.2%}",
            check["evaluated"],
            check["violated"],
            ", ".join(check["sql_hashes"]) or DASH,
        )
        for check in checks
    ]
    head = ("Check", "Result", "If it fails", "Allowed", "Observed", "Rows checked", "Rows violating", "SQL")
    return "<h2>Checks</h2>" + table(
        "The worst result over all deliveries. SQL is the first 16 digits of the SHA-256 of the query that lists what "
        "violates the check",
        head,
        rows,
    )


def _waivers(facts: Facts) -> str:
    if not facts.waivers:
        return "<h2>Waivers in force</h2><p>None.</p>"
    names = tuple(facts.waivers[0])
    rows = [tuple(row[name] for name in names) for row in facts.waivers]
    head = tuple(name.replace("_", " ").capitalize() for name in names)
    return "<h2>Waivers in force</h2>" + table("Rows set aside that need not be corrected for a time", head, rows)


def _thresholds(facts: Facts) -> str:
    """Thresholds that say the same of several checks stand once."""
    same = Counter((row["value"], row["reason"], row["owner"], row["since"]) for row in facts.thresholds)
    rows = [
        (f"{value:g}", reason, owner, stamp_text(since), number)
        for (value, reason, owner, since), number in sorted(same.items())
    ]
    head = ("Allowed", "Because", "Owner", "Since", "Checks")
    return "<h2>Thresholds</h2>" + table(
        "How much a check may find before it warns or fails, as a share of what it looked at, or for drift as the "
        "largest score that is no alarm. Which check has which is in manifest.json",
        head,
        rows,
    )


def _drift(facts: Facts) -> str:
    if not facts.drift:
        return "<h2>Drift</h2><p>No delivery has enough of a past to be compared with.</p>"
    flagged = [row for row in facts.drift if row["is_flagged"]]
    said = f"<p>{esc(plural(len(facts.drift), 'comparison'))} with the past of the same clinic.</p>"
    rows = [
        (
            row["check_id"],
            row["clinic_key"],
            row["delivery_id"],
            row["direction"] or "",
            f"{row['score']:.2f}",
            f"{row['threshold']:.2f}",
        )
        for row in flagged
    ]
    head = ("Check", "Clinic", "Delivery", "Direction", "Score", "Limit")
    return f"<h2>Drift</h2>{said}" + (
        table("Beyond the limit", head, rows) if rows else "<p>None is beyond its limit.</p>"
    )


def _disclosure(facts: Facts) -> str:
    rows = sorted(facts.hidden.items())
    return (
        f"<h2>Disclosure control</h2><p>Profile {esc(facts.profile)}: nothing is published about fewer than "
        f"{facts.minimum_group} patients.</p>"
        + table("Kept back, by kind", ("Kind", "Cells"), rows or [("nothing", 0)])
    )


def _published(facts: Facts) -> str:
    rows = sorted(facts.files.items())
    return f"<h2>Published files</h2><p>{esc(plural(len(rows), 'file'))} of the site of this installation.</p>" + table(
        "Published files", ("File", "SHA-256"), rows
    )


def _sign_off() -> str:
    rows = "".join(f'<tr><th scope="row">{name}</th><td></td></tr>' for name in SIGNED)
    return f'<h2>Sign-off</h2><table class="sign"><caption>To fill in by hand</caption><tbody>{rows}</tbody></table>\n'


def table(caption: str, head: Sequence[str], rows: Iterable[Sequence[object]], *, heads: bool = True) -> str:
    """Return a table whose first column names its rows; ``heads``: whether columns have names."""
    columns = "".join(f'<th scope="col">{esc(name)}</th>' for name in head)
    lines = "".join(f"<tr>{''.join(_cell(cell, is_first=i == 0) for i, cell in enumerate(row))}</tr>\n" for row in rows)
    top = f"<thead><tr>{columns}</tr></thead>" if heads else ""
    return (
        f'<div class="scroll" role="region" tabindex="0" aria-label="{esc(caption)}"><table>'
        f"<caption>{esc(caption)}</caption>{top}<tbody>{lines}</tbody></table></div>\n"
    )


def _cell(value: object, *, is_first: bool) -> str:
    if isinstance(value, int):
        return f'<td class="number">{count(value)}</td>'
    text = esc(clean(str(value)))
    if is_first:
        return f'<th scope="row">{text}</th>'
    return f"<td{' class=hash' if len(text) == SHA_DIGITS else ''}>{text}</td>"
