"""Every check is broken as often as the truth file says, and good rows are not touched."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from assets.contract import CONTRACT
from assets.contract.behaviour import BEHAVIOURS
from assets.contract.checks import delivery_checks, release_checks
from assets.contract.model import Severity
from assets.simulation.dirt import instances
from assets.simulation.faults import FILE_KINDS, ONLY_IN_TRIALS, faults, is_of_layout, not_planted
from tests.simulation.row_oracle import between_rows, row_violations

if TYPE_CHECKING:
    from tests.simulation.feeds import Written


OUTCOMES = ("accepted", "quarantined", "superseded", "dependent")


def test_counts_by_check_and_outcome_equal_the_files(dirty: Written) -> None:
    for delivery in dirty.summary.deliveries:
        expected = dirty.truth["deliveries"][delivery.name]
        critical, warnings, set_aside_warnings = Counter(), Counter(), Counter()
        accepted = {}
        set_aside = Counter()
        for table in CONTRACT.tables:
            lines = dirty.lines(delivery, table.name)
            assert len(lines) == expected["tables"][table.name]["ingested"]
            accepted[table.name] = []
            for line in lines:
                row = dict(zip(table.layout, [*line, ""], strict=False))
                broken, noted = row_violations(CONTRACT, table.name, row)
                if len(line) != len(table.layout):
                    broken.append(f"{table.name}.row.structure")
                critical.update(broken)
                (set_aside_warnings if broken else warnings).update(noted)
                set_aside[table.name] += bool(broken)
                if not broken:
                    accepted[table.name].append(row)
        more, also, superseded = between_rows(CONTRACT, accepted)
        assert +(critical + more) == expected["violations"]
        assert +(warnings + also) == expected["warnings"]
        assert +set_aside_warnings == expected["warnings_set_aside"]
        orphaned = expected["violations_of_dependents"].get("visit.episode_key.reference", 0)
        assert expected["tables"]["visit"]["dependent"] == orphaned
        for table in CONTRACT.tables:
            rows = expected["tables"][table.name]
            between = sum(count for check_id, count in more.items() if check_id.startswith(f"{table.name}."))
            assert rows["superseded"] == superseded[table.name]
            assert rows["quarantined"] == set_aside[table.name] + between
            assert rows["ingested"] == sum(rows[name] for name in OUTCOMES)


def test_every_critical_check_of_rows_is_broken_somewhere(dirty: Written) -> None:
    every = [c for table in CONTRACT.tables for c in delivery_checks(CONTRACT, table)] + [*release_checks(CONTRACT)]
    rows = [c for c in every if c.kind not in FILE_KINDS and is_of_layout(CONTRACT, c)]
    critical = {c.check_id for c in rows if c.severity is Severity.CRITICAL}
    planted = Counter()
    for expected in dirty.truth["deliveries"].values():
        planted.update(expected["violations"])
    assert critical - set(ONLY_IN_TRIALS) == set(planted)


def test_only_warnings_over_many_rows_and_arms_are_not_planted(dirty: Written) -> None:
    assert set(not_planted(CONTRACT)) == {
        "measurement.measure_id.same_at_both_ends",
        "delivery.rows.usual_volume",
        *(habit.check_id for habit in BEHAVIOURS if not habit.check_id.startswith("visit.recorded_minute")),
        *ONLY_IN_TRIALS,
    }
    assert dirty.truth["dirty"]["not_planted"] == list(not_planted(CONTRACT))


def test_every_fault_is_planted_at_least_once(dirty: Written) -> None:
    planted = Counter()
    for expected in dirty.truth["deliveries"].values():
        planted.update(expected["faults"])
    assert planted == {name: fault["instances"] for name, fault in dirty.truth["dirty"]["faults"].items()}
    assert set(planted) == {fault.name for fault in faults(CONTRACT, typed=False)}


def test_good_rows_are_those_of_the_clean_network(dirty: Written, clean: Written) -> None:
    for before, after in zip(clean.summary.deliveries, dirty.summary.deliveries, strict=True):
        for table in CONTRACT.tables:
            good = clean.lines(before, table.name)
            assert dirty.lines(after, table.name)[: len(good)] == good
            assert dirty.truth["deliveries"][after.name]["tables"][table.name]["clean"] == len(good)


def test_planted_rows_grow_with_the_network() -> None:
    every = faults(CONTRACT, typed=False)
    large = instances(every, {table.name: 1_000_000 for table in CONTRACT.tables}, 0.001)
    for table in CONTRACT.tables:
        planted = sum(large[fault.name] for fault in every if fault.table == table.name)
        assert 900 <= planted <= 1100
