"""Where every number comes from: one passport per published table, for the panel that the page engine opens."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from dashboards.markup import clean
from dashboards.words import STATUS, count, plural, stamp_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    import polars as pl

    from dashboards.pages.frame import SiteMeta
    from dashboards.published import Published, Row

NEEDS_ATTENTION = ("error", "fail", "warn")
"""Checks that did not pass, in the order in which they are named."""
MOST_CHECKS = 10
"""More than this are counted, and listed on the page of the data."""
MOST_DELIVERIES = 12
"""More than this are only counted: the page of the data lists them all."""
PARTS = ("numerator", "denominator", "exclusions", "window", "method", "source")


def passports(published: Published, meta: SiteMeta) -> dict[str, Any]:
    """Return the passport of each published table by its name: title, rows of label and text, checks not passed."""
    rows = published.rows("number_source")
    sources: dict[str, dict[str, list[str]]] = {}
    for row in rows:
        sources.setdefault(row["table_name"], {}).setdefault(row["kind"], []).append(row["source"])
    checks = published.rows("check_summary")
    waived = published.rows("waiver_in_force")
    common = [*_deliveries(published), *_versions(meta)]
    return {
        name: _passport(published, found, checks, waived, withheld_reasons(published.frames, {name}), common)
        for name, found in sources.items()
        if name in published.frames
    }


def withheld_reasons(frames: Mapping[str, pl.DataFrame], tables: Iterable[str]) -> tuple[str, ...]:
    """Return why numbers of these tables are withheld, in words, each reason once."""
    frame, wanted = frames.get("withheld"), set(tables)
    rows = [] if frame is None else frame.to_dicts()
    return tuple(dict.fromkeys(clean(row["reason"]) for row in rows if row["table_name"] in wanted))


def _passport(
    published: Published,
    sources: Mapping[str, list[str]],
    checks: list[Row],
    waived: list[Row],
    withheld: tuple[str, ...],
    common: list[list[str]],
) -> dict[str, Any]:
    data = set(sources.get("data", ()))
    on_the_way = [row for row in checks if row["table_name"] in data]
    known = {row["check_id"]: clean(row["title"]) for row in on_the_way}
    rows = [
        *([["Withheld", "; ".join(withheld)]] if withheld else []),
        *(line for statistic in sources.get("statistic", ()) for line in _definition(published, statistic)),
        *_listed("Computed from", sources.get("relation", ())),
        *_listed("SQL files on the way", sources.get("sql", ())),
        *([["Checks on the way", _counted(on_the_way)]] if on_the_way else []),
        *([["Waivers in force", text]] if (text := _waivers(waived, known)) else []),
        *common,
    ]
    found = sorted(
        (row for row in on_the_way if row["status"] in NEEDS_ATTENTION),
        key=lambda row: (NEEDS_ATTENTION.index(row["status"]), row["check_id"]),
    )
    named = [[row["check_id"], known[row["check_id"]], row["status"]] for row in found[:MOST_CHECKS]]
    return {"title": clean(sources["about"][0]), "rows": rows, "checks": named}


def _definition(published: Published, statistic: str) -> Iterator[list[str]]:
    row = next((row for row in published.rows("statistic") if row["statistic_id"] == statistic), None)
    if row is None:
        return
    yield ["Definition", clean(f"{row['label']} ({statistic}): {row['sentence']}")]
    yield from ([part.capitalize(), clean(row[part])] for part in PARTS if row[part])


def _listed(label: str, names: Iterable[str]) -> list[list[str]]:
    text = ", ".join(names)
    return [[label, text]] if text else []


def _counted(checks: list[Row]) -> str:
    found = Counter(row["status"] for row in checks)
    words = (f"{found[status]:,} {label.split(' ', 1)[1].lower()}" for status, label in STATUS.items() if found[status])
    return f"{plural(len(checks), 'check')}: {'; '.join(words)}"


def _waivers(waived: list[Row], known: Mapping[str, str]) -> str:
    return "; ".join(
        f"{known[row['check_id']]}: "
        f"{'holds nothing back' if row['lifts'] == 'hold' else plural(row['rows'], 'row')} "
        f"until {stamp_text(row['until'])}"
        for row in waived
        if row["check_id"] in known
    )


def _deliveries(published: Published) -> list[list[str]]:
    accepted = sorted(
        (row["extract_stamp"] or "", row["delivery_id"])
        for row in published.rows("conservation")
        if row["state"] == "accepted"
    )
    if len(accepted) > MOST_DELIVERIES:
        return [["Deliveries", f"{count(len(accepted))}, by their hashes in data/conservation.csv"]]
    named = (f"{name} ({stamp_text(stamp)})" if stamp else name for stamp, name in accepted)
    return _listed("Deliveries (hash of their files)", named)


def _versions(meta: SiteMeta) -> list[list[str]]:
    named = (("Release", meta.release), ("Code version", meta.code_version), ("Contract", meta.contract_version))
    return [[label, clean(text)] for label, text in named if text]
