"""The audit trail on the quality page of the bundle for engineers and quality teams.

What is new against the release before, what drifts, what people decided, who signed, and where the ledger stands.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from dashboards.markup import clean
from dashboards.pages.parts import Card, Column, Table
from dashboards.pages.quality_rows import WRITTEN
from dashboards.words import DASH, listing, plural, rounded, spoken, stamp_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dashboards.pages.parts import Cell
    from dashboards.published import Published, Row

DELTAS = {
    "new": "▲ New",
    "existing": "● Existing",
    "resolved": "▼ Resolved",
    "stable": "○ Stable",
}
"""As in Ares: whether a check finds something, and whether it did in the release before."""
TOLD = ("new", "existing", "resolved")
STATES = {"in force": "● In force", "expired": "○ Expired", "replaced": "○ Replaced by a later one"}
VERDICTS = {"accept": "✓ Accepted", "reject": "✕ Rejected"}

DELTA_TABLE = Table(
    "delta",
    "Checks that find something now or did in the release before",
    (
        Column("Check", "drill:check"),
        Column("Clinic"),
        Column("Against the release before"),
        Column("Rows violating", "int"),
        Column("Before", "int"),
    ),
    written=WRITTEN,
)
DRIFT_TABLE = Table(
    "drift",
    "Comparisons of a delivery with the past of its clinic, the largest first",
    (
        Column("Check", "drill:check"),
        Column("Clinic"),
        Column("Delivery"),
        Column("Most unusual"),
        Column("Result"),
        Column("Score", "dec2"),
        Column("Limit", "dec2"),
    ),
    written=WRITTEN,
)
DECISION_TABLE = Table(
    "decisions",
    "Decisions of people, the newest first",
    (
        Column("Decision", "two"),
        Column("About"),
        Column("State"),
        Column("Until"),
        Column("By"),
        Column("Because"),
    ),
    written=WRITTEN,
)
SIGN_TABLE = Table(
    "signed",
    "Sign-offs, the newest first",
    (Column("Release", "two"), Column("Decision"), Column("By"), Column("When (UTC)"), Column("Note")),
    written=WRITTEN,
)
LEDGER_TABLE = Table("ledger", "Where the ledger stands", (Column("What"), Column("Value")))


def is_there(published: Published) -> bool:
    """Whether the site has an audit trail: it is in one bundle only."""
    return "ledger_head" in published.frames


def cards(published: Published) -> list[Card]:
    """Return the cards."""
    delta, drift = published.rows("check_delta"), published.rows("check_drift")
    decisions, signed = published.rows("decision"), published.rows("sign_off")
    return [
        Card(
            "delta",
            "What is new since the release before?",
            12,
            "New: the check finds rows now and found none in the release before. Existing: in both. Resolved: only "
            "before. Stable: in neither; these are counted and not listed. Rows that violate a check are counted, "
            "whatever their number: this is not about how many more there are.",
            DELTA_TABLE,
            say=_delta_words(delta),
        ),
        Card(
            "drift",
            "Does a clinic send something else than it used to?",
            12,
            "Each delivery is compared with earlier ones of the same clinic: rows per table, distributions of scores "
            "and codes, empty fields, codes that are new or gone. The limit holds for all comparisons of a night "
            "together, so that less than one night in a month has a false alarm. A signal is a reason to look, not a "
            "fault.",
            DRIFT_TABLE,
            say=_drift_words(drift),
        ),
        Card(
            "decisions",
            "What did people decide?",
            12,
            "Waivers say that a check may go on failing for a time, thresholds how much a check may find, rebases from "
            "when a chart is drawn anew. Each is an entry of the ledger and is never changed; an expired waiver holds "
            "again.",
            DECISION_TABLE,
            say=_decision_words(decisions),
        ),
        Card(
            "signed",
            "Who signed which release?",
            7,
            "A sign-off names the manifest of a release and so every published number. needlepoint audit sign adds "
            "one. The newest of a release counts.",
            SIGN_TABLE,
            say=_sign_words(signed),
        ),
        Card(
            "ledger",
            "Where does the ledger stand?",
            5,
            "Every entry holds the hash of the one before, so that none can be changed or taken out unseen. Keep the "
            "hash of the head elsewhere too: with it needlepoint audit verify --head finds whether the end was cut "
            "off.",
            LEDGER_TABLE,
            say="needlepoint audit verify recomputes the whole chain and every hash in it.",
        ),
    ]


def rows(published: Published, titles: Mapping[str, str]) -> dict[str, list[list[Cell]]]:
    """Rows of the tables; ``titles`` are what the checks of the page are called."""
    delta = [row for row in published.rows("check_delta") if row["delta"] in TOLD]
    delta.sort(key=lambda row: (TOLD.index(row["delta"]), row["check_id"], row["clinic_key"] or ""))
    drift = [row for row in published.rows("check_drift") if row["score"] is not None]
    drift.sort(key=lambda row: (not row["is_flagged"], -row["score"], row["check_id"], row["delivery_id"] or ""))
    ledger: list[list[Cell]] = []
    for row in published.rows("ledger_head"):
        ledger += [
            ["Entries", row["number"]],
            ["Hash of the head", row["hash"]],
            ["Written", f"{stamp_text(row['at'])} UTC"],
        ]
    return {
        "delta": [
            [
                _check(row["check_id"], titles),
                _clinic(row),
                DELTAS[row["delta"]],
                row["violated"],
                row["violated_before"],
            ]
            for row in delta
        ],
        "drift": [
            [
                _check(row["check_id"], titles),
                _clinic(row),
                clean(row["delivery_id"] or DASH),
                clean(f"{row['feature']} {row['item']}".replace("_", " ").strip()),
                f"▲ {spoken(row['direction'] or 'unusual')}" if row["is_flagged"] else "● usual",
                rounded(row["score"], 2),
                rounded(row["threshold"], 2),
            ]
            for row in drift
        ],
        "decisions": [
            [
                [spoken(row["kind"]), f"{stamp_text(row['at'])}, entry {row['number']:,}"],
                clean(row["about"]),
                STATES[row["state"]],
                stamp_text(row["until"] or "") or "until changed",
                clean(row["by"] or DASH),
                clean(row["because"] or DASH),
            ]
            for row in reversed(published.rows("decision"))
        ],
        "signed": [
            [
                [clean(row["release"]), "in force" if row["is_in_force"] else "not in force"],
                VERDICTS.get(row["decision"], spoken(row["decision"])),
                clean(row["by"] or DASH),
                stamp_text(row["at"]),
                clean(row["because"] or DASH),
            ]
            for row in reversed(published.rows("sign_off"))
        ],
        "ledger": ledger or [["Entries", 0]],
    }


def signed_words(published: Published) -> str:
    """Whether the release in force is signed, in a sentence."""
    mine = [row for row in published.rows("sign_off") if row["is_in_force"]]
    if not mine:
        return "Nobody has signed this release."
    last = mine[-1]
    verb = {"accept": "accepted", "reject": "rejected"}.get(last["decision"], "looked at")
    return f"{clean(last['by'] or 'Somebody')} {verb} this release on {stamp_text(last['at'])} UTC."


def delta_words(found: Sequence[Row]) -> str:
    """How one check stands against the release before, clinic by clinic."""
    told = [
        f"{DELTAS[kind]}: {listing([_clinic(row) for row in found if row['delta'] == kind])}"
        for kind in TOLD
        if any(row["delta"] == kind for row in found)
    ]
    return "; ".join(told) or "Nothing now, nothing before."


def decided_words(found: Sequence[Row]) -> str:
    """Decisions about one check that are in force."""
    said = [
        f"{spoken(row['kind'])} by {clean(row['by'] or DASH)}"
        + (f" until {stamp_text(row['until'])}" if row["until"] else "")
        for row in found
        if row["state"] == "in force"
    ]
    return "; ".join(said) or "None in force."


def _check(check_id: str, titles: Mapping[str, str]) -> Cell:
    return [check_id, titles[check_id]] if check_id in titles else clean(check_id)


def _clinic(row: Row) -> str:
    return clean(row["clinic_key"] or "all together")


def _delta_words(delta: Sequence[Row]) -> str:
    if not delta:
        return "There is no release before to compare with."
    counts = Counter(row["delta"] for row in delta)
    told = ", ".join(f"{counts[kind]:,} {kind}" for kind in TOLD)
    return f"Findings of checks at clinics: {told}; {counts['stable']:,} stable."


def _drift_words(drift: Sequence[Row]) -> str:
    compared = [row for row in drift if row["score"] is not None]
    if not compared:
        return "No clinic has enough earlier deliveries to be compared with its own past."
    flagged = [row for row in compared if row["is_flagged"]]
    of = plural(len(compared), "comparison")
    if not flagged:
        return f"None of {of} is beyond its limit."
    clinics = listing(sorted({_clinic(row) for row in flagged}))
    return f"{len(flagged):,} of {of} {'is' if len(flagged) == 1 else 'are'} beyond the limit: {clinics}."


def _decision_words(decisions: Sequence[Row]) -> str:
    if not decisions:
        return "No decision has been taken in this installation."
    counts = Counter(row["state"] for row in decisions)
    return f"{counts['in force']:,} in force, {counts['expired']:,} expired, {counts['replaced']:,} replaced."


def _sign_words(signed: Sequence[Row]) -> str:
    accepted = sum(row["decision"] == "accept" for row in signed)
    return f"{plural(len(signed), 'sign-off')}, {accepted:,} of them accepted." if signed else "Nobody has signed yet."
