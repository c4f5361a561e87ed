"""Auditor's guide ``audit-guide.html``: how to verify a release, what proves what, and what nothing proves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assets.contract.check_kinds import Kind
from assets.contract.thresholds import threshold
from dashboards.markup import esc
from dashboards.pages.text import prose, text_page
from dashboards.words import percent

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dashboards.pages.frame import Page, SiteMeta
    from dashboards.published import Published

NAME, HEADING = "audit-guide", "Auditor's guide"


def build(_: Published, meta: SiteMeta) -> Page:
    """Return the page; it needs nothing of a release but its name."""
    release = meta.release or "RELEASE"
    sections = (
        ("visit", "An audit in eight steps", _visit(release)),
        ("pack", "Without any program of ours", _pack()),
        ("home", "With the home", _home()),
        ("rows", "Where every row went", _rows()),
        ("quarantine", "Rows that are set aside", _quarantine()),
        ("checks", "Checks and their thresholds", _checks()),
        ("decisions", "What people decided", _decisions()),
        ("diff", "What moved between two releases", _diff()),
        ("again", "Make a release again", _again()),
        ("kept", "What is kept, and how long", _kept()),
        ("limits", "What this cannot show", _limits()),
    )
    return text_page(NAME, HEADING, sections)


def _commands(lines: Iterable[str]) -> str:
    return f'<pre style="white-space:pre-wrap"><code>{esc(chr(10).join(lines))}</code></pre>'


def _paragraphs(*texts: str) -> str:
    return "".join(f"<p>{prose(text)}</p>" for text in texts)


def _visit(release: str) -> str:
    steps = (
        (
            "Ask for the head of the ledger that somebody keeps outside of the home: with the last signature, or in "
            "a pack you were given earlier."
        ),
        "Take the evidence pack of the release and check its sums on your own machine.",
        "Call `needlepoint audit verify --head HASH` on the home: nothing may be broken.",
        "Add up the account of rows of each delivery.",
        (
            "Take some published numbers, open the link below each that says where it comes from, and follow it to "
            "definition, SQL, checks and deliveries."
        ),
        "Read the log of decisions: each threshold, waiver and roll-back has a name, a reason and a day.",
        "Make the release again from raw files and kept code, if you want to trust no file of it.",
        (
            f"Sign: `needlepoint audit sign {release} --by WHO --decision accept --note TEXT` prints the new head. "
            "Keep it."
        ),
    )
    return f"<ol>{''.join(f'<li>{prose(step)}</li>' for step in steps)}</ol>"


def _pack() -> str:
    return (
        _paragraphs(
            "Every release has a folder in `evidence/`, never overwritten, that needs no program of ours. "
            "`index.html` is everything in one page, to print and sign; `trail.html` says what is new against the "
            "release before, who decided what, and where the ledger stood.",
        )
        + _commands(("cd needlepoint-home/evidence/DAY_RELEASE", "sha256sum -c SHA256SUMS"))
        + _paragraphs(
            "`checks.json` has every check with rule, threshold, owner, how many rows it looked at and how many "
            "broke it; it obeys `checks.schema.json` (JSON Schema, any validator). `gx/` is what Great Expectations "
            "said, without a value of a row. `manifest.json` has every raw and published file with its SHA-256, "
            "versions of code, contract and packages, the thresholds, and what disclosure control keeps back. "
            "Compare the hashes of the published files with the pages you were given.",
        )
    )


def _home() -> str:
    return _commands(
        (
            "needlepoint audit verify --head HASH --home HOME",
            "needlepoint audit log --home HOME",
            "needlepoint releases show RELEASE --home HOME",
        )
    ) + _paragraphs(
        "`verify` recomputes the chain of the ledger, the history of checks, every file of the kept releases and "
        "packs, the kept code, the raw files of all deliveries against their records, and their typed rows "
        "against the releases made from them. It names what is broken and ends with 1. It changes nothing, and "
        "may be called on a copy of the home on another machine.",
    )


def _rows() -> str:
    return (
        _paragraphs(
            "For every delivery: ingested = accepted + quarantined + superseded + rejected. Each of the five is "
            "counted by itself, none is the rest of the others, and a check holds the release if they do not meet. "
            "Rows that the profile does not select are counted beside it as out of scope. The account is on the page "
            "of data quality, in the pack, and in the warehouse:",
        )
        + _commands(
            (
                (
                    "python -c \"import duckdb; print(duckdb.connect('HOME/warehouse.duckdb', read_only=True)"
                    ".sql('from audit.conservation'))\""
                ),
            )
        )
        + _paragraphs(
            "Count the records of a raw file in `lake/<delivery>/raw/` yourself and compare. A delivery that was "
            "refused or is held counts all its rows as rejected.",
        )
    )


def _quarantine() -> str:
    lost = threshold("", Kind.USABLE).value
    return _paragraphs(
        "A row that breaks a critical rule is set aside with each rule that it breaks; the rest of its delivery "
        "goes on. It is open until a later delivery holds an accepted row of the same key (corrected), the delivery "
        "is read again under a better profile and it passes (re-ingested), or somebody answers for it until a day "
        f"(waived, then expired). A delivery that would lose more than {percent(lost)} of the rows of a table is "
        "held instead.",
        "`needlepoint quarantine list` counts them by clinic, rule and state. An entry ends in one of these ways "
        "only; which one is in the warehouse, table `audit.quarantine`.",
    )


def _checks() -> str:
    return (
        _paragraphs(
            "Each check has a page: rule, reason, threshold, owner, since when, and the query that lists what "
            "violates it. Thresholds are data with reason, owner and day; a decision of this home replaces one from "
            "the next run on and is an entry of the ledger. Each result is kept by check, delivery and run, with the "
            "threshold and the SQL it was judged by, so that other thresholds can be tried on all there was:",
        )
        + _commands(
            (
                "needlepoint audit status --home HOME",
                "needlepoint audit what-if --check ID --threshold X --since DAY --home HOME",
            )
        )
        + _paragraphs(
            "Its limit: a rule sets the same rows aside whatever its threshold is, and of a delivery that was held "
            "nothing is known of checks that would have come after.",
        )
    )


def _decisions() -> str:
    return _paragraphs(
        "Waivers, thresholds, new limits of charts, signatures, roll-backs and dropped releases are entries of "
        "`audit/ledger.jsonl`, with who, why and when. Each line holds the hash of the line before it. A waiver lets "
        "something pass until a day; the check stays failed and is shown as waived. A change of scale and faults of "
        "written files cannot be waived.",
        "A signature stands under a kept release: accept or reject, with a note. It is put only after everything of "
        "that release was verified. Where the setting NEEDLEPOINT_SIGN_OFF names an audience, that audience gets no "
        "release that is not accepted. The last signature of a release counts.",
        "Whether a name is that of the person who typed it, the ledger cannot say: access to the home is what the "
        "machine grants.",
    )


def _diff() -> str:
    return _commands(("needlepoint audit diff FIRST SECOND --home HOME",)) + _paragraphs(
        "Every published number that is not the same is split into late or corrected records, the new period, "
        "waivers and new limits, definitions and thresholds, and code. With what rounding and hiding add, the parts "
        "sum to the change, exactly. States in between are built from the kept code and readings. Page and numbers "
        "stay in `audit/diffs/` and go into no bundle, for beside published numbers they would tell what is hidden.",
    )


def _again() -> str:
    return _paragraphs(
        "The same raw files, names of deliveries, profiles, decisions and code give the same release, byte by byte, "
        "under the same id, whatever the machine, the order of files or the number of threads. A release that hides "
        "something because of the one before it needs that one too; its manifest names it (`predecessor`). "
        "Call `run` once for each profile.",
    ) + _commands(
        (
            "mkdir code && python -m zipfile -e HOME/code/VERSION.zip code",
            "mkdir -p feed/LABEL && cp HOME/lake/DELIVERY/raw/* feed/LABEL/",
            (
                "cd code && python -c 'from pipelines.cli import main; main()' run ../feed/* --profile NAME --home "
                "../again"
            ),
            "diff -r HOME/releases/RELEASE/site ../again/releases/RELEASE/site",
        )
    )


def _kept() -> str:
    return _paragraphs(
        "Raw files, typed rows, records, ledger, history of checks and evidence packs are kept until somebody "
        "deletes them; this program never does. Of a refused delivery the record stays and nothing else. Of the "
        "releases the last ones stay (setting NEEDLEPOINT_KEEP_RELEASES), and always the one in force, the newest, "
        "and those that these two follow; the code of each stays as long. What is dropped is an entry of the ledger, "
        "and its pack stays.",
    )


def _limits() -> str:
    items = (
        (
            "A chain shows that no line was changed, moved or taken out. It does not show that lines were cut off "
            "its end together with all that names them: only a head that is kept elsewhere does."
        ),
        (
            "Whoever may write to the whole home can write all of it anew, consistently. A head, a pack or a bundle "
            "that others hold shows that too."
        ),
        "Of the record of a delivery, when it was landed and by whom and its counts are not sealed.",
        (
            "Everything begins with the files as they were sent. What the clinic's own system recorded wrongly, and "
            "nobody can see in the data, stays wrong."
        ),
        "Numbers about patients describe what happened. They cannot show what a treatment did.",
    )
    return f"<ul>{''.join(f'<li>{prose(item)}</li>' for item in items)}</ul>"
