"""Published frames about definitions: bands of change, rules as lists, and what depends on the recovery definition."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from assets.contract.definitions import DETERIORATION, IMPACT_BANDS
from assets.outcomes.frames import ALL_PERIODS, ANY_CARE, BOOLEAN, FLOAT, INTEGER, STRING, Count, Layout, Sum, columns
from assets.outcomes.methods.proportions import share, wilson
from assets.outcomes.tables.clinics import clinic_cells, clinic_funnel
from assets.outcomes.topic import Topic
from assets.outcomes.universes import DETERIORATED, eligible_by, known_by
from assets.privacy.disclosure.profiles import MINIMUM_GROUP

if TYPE_CHECKING:
    from assets.contract.model import Contract
    from assets.outcomes.topic import Frames

GROUP = columns(STRING, "condition_id", "clinic_key", "care")
BAND = Layout(
    {**GROUP, **columns(STRING, "band_id")},
    {**columns(INTEGER, "n", "episodes"), **columns(FLOAT, "share", "share_low", "share_high")},
    groups=("n",),
    statistic="response_band",
    counts={"n": Count("banded", at={"band_id": None}), "episodes": Count(DETERIORATED.universe)},
    ratios={"share": ("episodes", "n")},
    sums=(Sum("n", over="band_id", part="episodes", where={"band_id": tuple(band.band_id for band in IMPACT_BANDS)}),),
)
BANDS = Layout(
    columns(STRING, "band_id"), {**columns(INTEGER, "position"), **columns(STRING, "label")}, plain=("position",)
)
RULES = Layout(
    columns(STRING, "rule_id"),
    {**columns(INTEGER, "version"), **columns(STRING, "label", "kind"), **columns(FLOAT, "threshold")}
    | columns(STRING, "source"),
    plain=("version",),
)
SUBJECT = columns(STRING, "condition_id", "clinic_key")
SENSITIVITY = Layout(
    {**SUBJECT, **columns(STRING, "definition_id")},
    {
        **columns(INTEGER, "n", "recovered", "eligible"),
        **columns(FLOAT, "rate", "rate_low", "rate_high", "network_rate", "completeness"),
        **columns(STRING, "conclusion"),
        **columns(INTEGER, "conclusions"),
        **columns(BOOLEAN, "depends_on_definition"),
    },
    groups=("n", "eligible"),
    statistic="definition_sensitivity",
    counts={
        "n": known_by("definition_id"),
        "recovered": Count("recovered_{}", by=("definition_id",)),
        "eligible": eligible_by("definition_id"),
    },
    plain=("conclusions",),
    ratios={"rate": ("recovered", "n"), "completeness": ("n", "eligible")},
)

MOST_RECOVER, MOST_DO_NOT, CANNOT_TELL = "most_recover", "most_do_not", "cannot_tell"
"""Conclusions about a condition. Those about a clinic are the zones of its funnel, or why it is not compared."""
HALF = 0.5
WORSE_RULE = "worse"
"""Kind of the deterioration rule in the list of rules."""


def response_band(cube: pl.DataFrame) -> pl.DataFrame:
    """Episodes of each group by IMMPACT band; ``deteriorated`` is a row of its own and a part of the band worse."""
    bands = [band.band_id for band in IMPACT_BANDS]
    keys = list(GROUP)
    worse = cube.group_by(keys).agg(episodes=pl.col("deteriorated").sum(), n=pl.col("episodes").sum())
    counted = cube.select(*keys, "band_id", "episodes")
    every = worse.select(*keys, "n").join(pl.DataFrame({"band_id": bands}), how="cross")
    full = every.join(counted, on=[*keys, "band_id"], how="left", nulls_equal=True).with_columns(
        pl.col("episodes").fill_null(0)
    )
    part = worse.with_columns(band_id=pl.lit(DETERIORATION.rule_id, pl.String))
    frame = pl.concat([full, part], how="diagonal")
    rate, low, high = wilson(frame["episodes"], frame["n"])
    return BAND.arrange(frame.with_columns(share=pl.Series(rate), share_low=pl.Series(low), share_high=pl.Series(high)))


def impact_band() -> pl.DataFrame:
    """The bands in words, in order."""
    rows = [(band.band_id, position, band.label) for position, band in enumerate(IMPACT_BANDS, start=1)]
    return BANDS.arrange(pl.DataFrame(rows, schema={**BANDS.keys, **BANDS.numbers}, orient="row"))


def responder_rule(contract: Contract) -> pl.DataFrame:
    """Responder rules and the deterioration rule with their versions."""
    rows = [
        *((r.rule_id, r.version, r.label, r.kind, r.threshold, r.source) for r in contract.responder_rules),
        (
            DETERIORATION.rule_id,
            DETERIORATION.version,
            DETERIORATION.label,
            WORSE_RULE,
            DETERIORATION.points,
            DETERIORATION.source,
        ),
    ]
    return RULES.arrange(pl.DataFrame(rows, schema={**RULES.keys, **RULES.numbers}, orient="row"))


def definition_sensitivity(recovery_cube: pl.DataFrame, pain_cube: pl.DataFrame, contract: Contract) -> pl.DataFrame:
    """What is concluded of each condition, clinic, and clinic within a condition under each recovery definition.

    ``conclusions`` counts the distinct ones among the definitions that can be judged (at least 11 episodes; of clinics
    also enough known outcomes), ``depends_on_definition`` says whether there is more than one. A clinic's rate is not
    adjusted for its patients, and conditions are never compared with one another.
    """
    found = pl.concat(
        [_of_conditions(recovery_cube), _of_clinics(recovery_cube, pain_cube, contract)], how="diagonal_relaxed"
    )
    rate, low, high = wilson(found["recovered"], found["n"])
    judged = pl.when(pl.col("is_judged")).then(pl.col("conclusion"))
    return SENSITIVITY.arrange(
        found.with_columns(
            rate=pl.Series(rate),
            rate_low=pl.Series(low),
            rate_high=pl.Series(high),
            completeness=pl.Series(share(found["n"], found["eligible"])),
            conclusions=judged.drop_nulls().n_unique().over(list(SUBJECT)),
        ).with_columns(depends_on_definition=pl.col("conclusions") > 1)
    )


def _of_conditions(recovery_cube: pl.DataFrame) -> pl.DataFrame:
    """Whether most of the patients of a condition recover."""
    rows = _whole(recovery_cube).filter(pl.col("condition_id").is_not_null() & pl.col("clinic_key").is_null())
    _, low, high = wilson(rows["recovered"], rows["n"])
    return rows.with_columns(rate_low=pl.Series(low), rate_high=pl.Series(high)).with_columns(
        conclusion=pl.when(pl.col("rate_low") > HALF)
        .then(pl.lit(MOST_RECOVER))
        .when(pl.col("rate_high") < HALF)
        .then(pl.lit(MOST_DO_NOT))
        .otherwise(pl.lit(CANNOT_TELL)),
        is_judged=pl.min_horizontal("n", "eligible") >= MINIMUM_GROUP,
    )


def _of_clinics(recovery_cube: pl.DataFrame, pain_cube: pl.DataFrame, contract: Contract) -> pl.DataFrame:
    """Zone of each clinic's funnel, as published there."""
    cells = clinic_cells(recovery_cube, pain_cube, contract)
    keys = ["condition_id", "outcome_id", "clinic_key"]
    zones = clinic_funnel(cells).select(*keys, "zone")
    named = cells.join(zones, on=keys, how="left", nulls_equal=True).rename({"outcome_id": "definition_id"})
    rows = _whole(recovery_cube).filter(pl.col("clinic_key").is_not_null())
    return rows.join(
        named.select(
            *SENSITIVITY.keys,
            network_rate=pl.col("network"),
            conclusion=pl.coalesce("not_compared", "zone"),
            is_judged=pl.col("not_compared").is_null(),
        ),
        on=list(SENSITIVITY.keys),
        how="left",
        nulls_equal=True,
    )


def _whole(recovery_cube: pl.DataFrame) -> pl.DataFrame:
    """All care and periods together."""
    whole = recovery_cube.filter((pl.col("care") == ANY_CARE) & (pl.col("period") == ALL_PERIODS))
    return whole.select(*SENSITIVITY.keys, "recovered", "eligible", n="known")


def _build(marts: Frames, contract: Contract) -> dict[str, pl.DataFrame]:
    return {
        "definition_sensitivity": definition_sensitivity(
            marts["marts.recovery_cube"], marts["marts.pain_cube"], contract
        ),
        "impact_band": impact_band(),
        "responder_rule": responder_rule(contract),
        "response_band": response_band(marts["marts.response_band_cube"]),
    }


TOPIC = Topic(
    reads=("marts.recovery_cube", "marts.pain_cube", "marts.response_band_cube"),
    tables={
        "definition_sensitivity": "What is concluded under each recovery definition, and whether it differs",
        "impact_band": "Bands of change in pain (IMMPACT) in words",
        "responder_rule": "Responder rules and the deterioration rule with their versions",
        "response_band": "Episodes by band of change in pain",
    },
    build=_build,
    layouts={
        "definition_sensitivity": SENSITIVITY,
        "response_band": BAND,
    },
)
