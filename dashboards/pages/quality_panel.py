"""What one check says, found and means: the panel that opens when a check is chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assets.contract.check_kinds import KINDS, Kind, Stage
from assets.contract.checks import delivery_checks, release_checks
from assets.contract.model import Severity
from dashboards.markup import clean, esc
from dashboards.pages.parts import State, slot, when
from dashboards.words import STATUS, count, listing, plural, spoken

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from assets.contract.checks import Check
    from assets.contract.model import Contract
    from dashboards.published import Row

PANEL = "panel"
"""Hidden while no check is chosen."""
FIELDS = (
    ("rule", "Rule"),
    ("passes", "Passes when"),
    ("why", "Why it matters"),
    ("fails", "If it fails"),
    ("table", "Data set"),
    ("engine", "Run by"),
    ("latest", "Result"),
    ("history", "Over the deliveries"),
)
OF_THE_TRAIL = (
    ("runs", "Last runs"),
    ("delta", "Against the release before"),
    ("decided", "Decisions"),
)
"""Fields that only the bundle with the audit trail fills."""
NAMED = 4
"""Deliveries on which a check did not pass are named up to this number."""
SMALLEST_SHARE = 0.0001
ENGINE = "Great Expectations, in DuckDB"


def checks_of(contract: Contract) -> dict[str, Check]:
    """Every check of the contract by its id."""
    by_table = [check for table in contract.tables for check in delivery_checks(contract, table)]
    return {check.check_id: check for check in (*by_table, *release_checks(contract))}


def panel_html(state: State, links: str, *, has_trail: bool) -> str:
    """Return the panel; its words are slots. ``links`` is HTML that stands at its foot."""
    named = (*FIELDS, *OF_THE_TRAIL) if has_trail else FIELDS
    fields = "".join(f"<div><dt>{label}</dt>{slot(f'check.{name}', state, 'dd')}</div>" for name, label in named)
    # a site without pages of checks has nothing to lead to
    has_page = "check.page" in state.text
    page = '<a data-href="check.page" hidden>Query, threshold and owner of this check</a>' if has_page else ""
    close = '<button type="button" data-drill="check" data-value="">Close</button>'
    return (
        f'<section class="check js-only" aria-label="Chosen check"{when(PANEL, state)}>'
        f"{slot('check.title', state, 'h2')}<dl>{fields}</dl>{_strip(state) if has_trail else ''}"
        f'<p class="links">{page}{links}{close}</p></section>'
    )


def _strip(state: State) -> str:
    """The last runs as marks, for the eye; the words above say the same."""
    return f'<p class="strip" aria-hidden="true" data-slot="check.strip">{esc(state.text.get("check.strip", ""))}</p>'


def panel_state(row: Row, check: Check | None, results: Sequence[tuple[str, str]]) -> State:
    """Return the words about a check.

    Args:
        row: Its row of check_summary.
        check: The check of the contract; None for one that it does not list.
        results: Name of each delivery and how the check ended there, in the order of time.

    """
    words = {
        "title": clean(row["title"]),
        "rule": clean(row["sentence"]),
        "passes": _passes(row, check),
        "why": KINDS[Kind(row["kind"])].why,
        "fails": _fails(row, check),
        "table": spoken(row["table_name"]),
        "engine": ENGINE,
        "latest": _latest(row),
        "history": _history(row, results),
    }
    return State(text={f"check.{name}": text for name, text in words.items()})


def _passes(row: Row, check: Check | None) -> str:
    if check is not None and check.kind in (Kind.SCHEMA, Kind.TYPE):
        return "always as agreed"
    return f"at most {row['tolerance']:.0%} of the rows break it" if row["tolerance"] else "no row breaks it"


def _fails(row: Row, check: Check | None) -> str:
    aside = "Rows that break it are set aside with their reason and count again once they are corrected."
    blocks = check.blocks if check else row["severity"] == Severity.CRITICAL.value
    sets_aside = check is not None and check.sets_aside
    if not blocks:
        return aside if sets_aside else "A warning: no row is set aside and the release is not stopped."
    if row["stage"] == Stage.DELIVERY.value:
        return "The delivery is held: none of its rows is counted."
    if sets_aside:
        return f"{aside} If more break it than allowed, nothing is released: the numbers before it stay."
    return "Nothing is released: the numbers before it stay."


def _latest(row: Row) -> str:
    status = STATUS.get(row["status"], spoken(row["status"]))
    if not row["evaluated"]:
        return status
    if not row["violated"]:
        return f"{status}: none of {plural(row['evaluated'], 'row')} breaks it"
    share = row["violated"] / row["evaluated"]
    rest = "under 0.01%" if share < SMALLEST_SHARE else f"{share:.2%}"
    verb = "breaks" if row["violated"] == 1 else "break"
    return f"{status}: {count(row['violated'])} of {plural(row['evaluated'], 'row')} ({rest}) {verb} it"


def _history(row: Row, results: Sequence[tuple[str, str]]) -> str:
    if row["stage"] == Stage.RELEASE.value:
        return "Evaluated once, on the accepted rows of all deliveries together."
    ran = [(name, status) for name, status in results if status != "not_applicable"]
    if not ran:
        return "There was nothing to check."
    bad = [(name, status) for name, status in ran if status not in ("pass", "pass_with_violations")]
    passed = f"Passed on {len(ran) - len(bad):,} of {plural(len(ran), 'delivery', 'deliveries')}"
    if not bad:
        return f"{passed}."
    named = [f"{name} ({STATUS[status]})" for name, status in bad[-NAMED:]]
    more = len(bad) - len(named)
    return f"{passed}. Not on {listing([*named, f'{more:,} before']) if more else listing(named)}."


def hidden_panel(states: Iterable[State]) -> State:
    """Return the state of no check: the panel is hidden, and its places are empty."""
    return State(hide=[PANEL], text={name: "" for state in states for name in state.text})
