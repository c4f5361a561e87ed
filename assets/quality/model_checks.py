"""Checks of the SQL models: one row for each thing, no row without its key, and none lost on the way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assets.contract.checks import Check, Kind, Stage, new_check
from assets.contract.model import Severity
from assets.quality.model_oracles import ORACLES
from assets.warehouse.models import load_models

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assets.contract.model import Contract
    from assets.warehouse.models import Model

NULL_MEANS_ALL = frozenset(
    {"condition_id", "clinic_key", "event_day", "recorder_key", "therapist_key", "side", "planned_day", "region"}
)
"""Columns of a grain that are null where a row is about all of them, or about nobody or no day in particular."""
KEYED = frozenset({"intermediate", "marts"})
"""Schemas whose rows have keys; those of ``staging`` are what was sent, those of ``audit`` may be about whole files."""


def model_checks(contract: Contract) -> tuple[Check, ...]:
    """Every check of the models."""
    made = [check for model in load_models() for check in _of_model(contract, model)]
    return (*made, *(oracle.check(contract) for oracle in ORACLES))


def _of_model(contract: Contract, model: Model) -> Iterator[Check]:
    grain = ", ".join(model.grain)
    # a group by over the grain makes it unique; a view is computed anew, so only those with one key are
    if not model.grain_is_grouped and (model.materialisation == "table" or len(model.grain) == 1):
        yield _check(
            contract,
            model,
            Kind.GRAIN,
            f"{model.relation} has one row for each {model.grain[0].removesuffix('_key').replace('_', ' ')}"
            if len(model.grain) == 1
            else f"{model.relation} has no row twice",
            f"{grain} identify one row of {model.relation}.",
            f"select {grain}\nfrom {model.relation}\ngroup by {grain}\nhaving count(*) > 1",
        )
    filled = [column for column in model.grain if column not in NULL_MEANS_ALL]
    if model.schema in KEYED and model.materialisation == "table" and filled:
        empty = " or ".join(f"{column} is null" for column in filled)
        yield _check(
            contract,
            model,
            Kind.FILLED,
            f"Every row of {model.relation} has its key",
            f"{', '.join(filled)} of {model.relation} {'is' if len(filled) == 1 else 'are'} filled in.",
            f"select {grain}\nfrom {model.relation}\nwhere {empty}",
        )


def _check(contract: Contract, model: Model, kind: Kind, title: str, sentence: str, violated_sql: str) -> Check:
    return new_check(
        contract,
        f"{model.relation}.{kind}",
        Stage.MODEL,
        kind,
        model.relation,
        model.grain[0] if len(model.grain) == 1 else None,
        title,
        sentence,
        Severity.CRITICAL,
        kind.upper(),
        violated_sql=violated_sql,
        evaluated_sql=f"select count(*) from {model.relation}",
        absent="the model has no row",
    )
