"""The contract agrees with itself: what one part names, another part has."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace

import pytest

from assets.contract import CONTRACT
from assets.contract import definitions as rules
from assets.contract.model import KEY_PATTERN, Better, Bounds, ColumnType, Condition, Measure, Occasion, Table
from assets.contract.tables import AGE_TOP_CODE_YEARS

IDENTIFIER = re.compile(r"[a-z][a-z0-9_]*")
TABLES = pytest.mark.parametrize("table", CONTRACT.tables, ids=lambda table: table.name)
MEASURES = pytest.mark.parametrize("measure", CONTRACT.measures, ids=lambda measure: measure.measure_id)
CONDITIONS = pytest.mark.parametrize("condition", CONTRACT.conditions, ids=lambda condition: condition.condition_id)


def test_ids_are_unique_and_plain() -> None:
    for ids in (
        [table.name for table in CONTRACT.tables],
        [measure.measure_id for measure in CONTRACT.measures],
        [condition.condition_id for condition in CONTRACT.conditions],
        [definition.definition_id for definition in CONTRACT.definitions],
        [rule.rule_id for rule in CONTRACT.responder_rules],
    ):
        assert len(ids) == len(set(ids))
        assert all(IDENTIFIER.fullmatch(identifier) for identifier in ids)
        assert all(re.fullmatch(KEY_PATTERN, identifier) for identifier in ids)


@TABLES
def test_columns_of_a_table(table: Table) -> None:
    assert len(table.names) == len(set(table.names))
    assert set(table.key) <= set(table.names)
    for column in table.columns:
        assert IDENTIFIER.fullmatch(column.name)
        assert column.meaning
        assert table.column(column.name) is column
        assert len(column.allowed) == len(set(column.allowed))
        assert column.type is ColumnType.CODE or not column.allowed
        if column.possible or column.plausible:
            assert column.is_number
            assert column.unit
    with pytest.raises(KeyError):
        table.column("nowhere")


@TABLES
def test_references_exist_and_point_at_keys(table: Table) -> None:
    for reference in table.references:
        parent = CONTRACT.table(reference.parent)
        assert parent.key == (reference.parent_column,)
        child = table.column(reference.column)
        assert child.required
        assert child.type is parent.column(reference.parent_column).type is ColumnType.KEY
        names = [other.name for other in CONTRACT.tables]
        assert names.index(reference.parent) < names.index(table.name), "parents come first"


def all_bounds() -> list[tuple[str, Bounds, Bounds | None]]:
    columns = [
        (f"{table.name}.{column.name}", column.possible, column.plausible)
        for table in CONTRACT.tables
        for column in table.columns
        if column.possible
    ]
    return [*columns, *((m.measure_id, m.possible, m.plausible) for m in CONTRACT.measures)]


@pytest.mark.parametrize(
    ("possible", "plausible"), [entry[1:] for entry in all_bounds()], ids=[e[0] for e in all_bounds()]
)
def test_bounds_are_ordered_nested_and_explained(possible: Bounds, plausible: Bounds | None) -> None:
    assert possible.low < possible.high
    assert possible.why
    if plausible:
        assert possible.low <= plausible.low < plausible.high <= possible.high
        assert plausible.why


def test_no_plausible_bounds_without_possible_ones() -> None:
    assert not [c.name for table in CONTRACT.tables for c in table.columns if c.plausible and not c.possible]


@MEASURES
def test_measure(measure: Measure) -> None:
    assert measure.label
    assert measure.unit
    assert measure.construct in ("pain", "function", "rom", "anchor")
    assert measure.better in Better
    assert measure.step * 10**measure.decimals == 1
    width = measure.possible.high - measure.possible.low
    for threshold in (measure.mcid, measure.mdc):
        if threshold:
            assert threshold.source
            assert 0 < threshold.value < width
    if measure.reference:
        assert measure.possible.low <= measure.reference.value <= measure.possible.high
        assert measure.reference.source
    if measure.construct == "rom":
        assert measure.plausible, "every motion has plausible bounds"
    for bound in (measure.possible.low, measure.possible.high):
        assert round(bound, measure.decimals) == bound, "a bound is a value of the scale"


@CONDITIONS
def test_outcomes_of_a_condition_exist(condition: Condition) -> None:
    pain = CONTRACT.measure(condition.pain_measure)
    assert (pain.construct, pain.better) == ("pain", Better.LOWER)
    assert condition.rom_measures
    for measure_id in condition.rom_measures:
        motion = CONTRACT.measure(measure_id)
        assert (motion.construct, motion.better) == ("rom", Better.HIGHER)
        assert motion.sided or not condition.sided, "one-sided conditions compare with the other side"
    assert condition.icd10cm
    assert condition.sentence_label


def test_there_are_nine_conditions_and_one_default_definition() -> None:
    assert len(CONTRACT.conditions) == 9
    assert [d.definition_id for d in CONTRACT.definitions if d.is_default] == ["recovered_v1"]


def test_definitions_say_what_they_compute() -> None:
    for definition in CONTRACT.definitions:
        assert definition.rom_rule in ("reference_minus_mdc", "share_of_reference", "none")
        assert (definition.rom_share_percent is not None) == (definition.rom_rule == "share_of_reference")
        is_held = definition.occasion is not Occasion.DISCHARGE
        assert (definition.sustained_days > 0) == is_held
        assert (f"held for {definition.sustained_days} days" in definition.sentence) == is_held
        assert ("at the discharge visit" in definition.sentence) == (definition.occasion is Occasion.DISCHARGE)
        assert ("or at discharge" in definition.sentence) == (definition.occasion is Occasion.EITHER)
        assert f"Pain of {definition.pain_at_most}" in definition.sentence
        if definition.rom_share_percent:
            assert f"{definition.rom_share_percent}%" in definition.sentence


def test_definitions_differ_and_one_is_in_force() -> None:
    rules_alone = [replace(d, definition_id="", label="", sentence="", is_default=False) for d in CONTRACT.definitions]
    assert len({(d.pain_at_most, d.rom_rule, d.rom_share_percent, d.occasion) for d in rules_alone}) == len(rules_alone)
    assert [d.is_default for d in CONTRACT.definitions].count(True) == 1


def test_bands_follow_each_other_without_gap() -> None:
    bands = rules.IMPACT_BANDS
    assert bands[0].at_least_percent is None
    assert bands[-1].below_percent is None
    assert all(lower.below_percent == upper.at_least_percent for lower, upper in itertools.pairwise(bands))
    assert [band.at_least_percent for band in bands[1:]] == [0, 10, 30, 50]
    assert len({band.band_id for band in bands}) == len(bands)


def test_age_bands_follow_each_other_up_to_the_top_code() -> None:
    assert all(younger[1] + 1 == older[0] for younger, older in itertools.pairwise(rules.AGE_BANDS))
    assert rules.AGE_BANDS[0][0] == 0
    assert rules.AGE_BANDS[-1][1] == AGE_TOP_CODE_YEARS


def test_region_mcids_are_verified_and_for_the_pain_measure_of_their_condition() -> None:
    assert not CONTRACT.region_mcid
    measure = {condition.condition_id: condition.pain_measure for condition in CONTRACT.conditions}
    assert all(rule.mcid.verified for rule in rules.REGION_MCIDS)
    assert all(measure[rule.condition_id] == rule.measure_id for rule in rules.REGION_MCIDS)
    assert {(rule.condition_id, rule.mcid.value) for rule in rules.REGION_MCIDS} == {
        ("neck_pain", 1.3),
        ("shoulder_impingement", 2.17),
    }


def test_responder_rules() -> None:
    assert CONTRACT.responder_rules[0].versioned_id == "mcid.v1"
    assert rules.DETERIORATION.versioned_id == "deteriorated.v1"
    for rule in CONTRACT.responder_rules:
        assert rule.kind in ("mcid", "points", "percent")
        assert (rule.threshold is None) == (rule.kind == "mcid")
        assert (rule.measure_id is None) != (rule.construct is None)


def test_time_windows_do_not_overlap() -> None:
    edges = [(day - tolerance, day + tolerance) for day, tolerance in rules.PLANNED_WINDOWS]
    assert all(before[1] < after[0] for before, after in itertools.pairwise(edges))
    assert edges[0][0] > rules.LANDMARK_DAY
    assert max(d.pain_at_most for d in CONTRACT.definitions if d.is_default) == rules.BASELINE_MUST_EXCEED_POINTS


def test_lookups_say_what_is_missing() -> None:
    with pytest.raises(KeyError, match="nowhere"):
        CONTRACT.table("nowhere")
    with pytest.raises(KeyError, match="nothing"):
        CONTRACT.measure("nothing")


def test_extension_adds_and_never_redefines() -> None:
    known = CONTRACT.measures[0]
    extra = replace(known, measure_id="extra")
    assert CONTRACT.extended() == CONTRACT
    assert CONTRACT.extended(measures=(known,)) == CONTRACT
    longer = CONTRACT.extended(measures=(extra, extra))
    assert longer.measures == (*CONTRACT.measures, extra)
    assert CONTRACT.measures[-1] is not extra
    with pytest.raises(ValueError, match=f"measure_id '{known.measure_id}' is already defined with another meaning"):
        CONTRACT.extended(measures=(replace(known, unit="stone"),))
    with pytest.raises(ValueError, match="already defined"):
        CONTRACT.extended(measures=(extra, replace(extra, unit="stone")))
