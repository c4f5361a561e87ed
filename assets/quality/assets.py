"""Dagster shell of the checks: the gate of each delivery and the gate of the release."""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence

import dagster as dg

from assets.audit import history
from assets.audit.drift import write_drift
from assets.contract import CONTRACT
from assets.contract.checks import Check, delivery_checks, release_checks
from assets.contract.model import Severity
from assets.deliveries.assets import DELIVERIES, ROW_SCHEMA, known_delivery, typed_rows
from assets.deliveries.landing import PROFILE_NAME
from assets.deliveries.ledger import State
from assets.deliveries.profile import load_profile
from assets.deliveries.state import delivery_contract, extended_contract, left_deliveries, settled_deliveries
from assets.home import Home
from assets.quality.catalogue import gate_checks, write_catalogue
from assets.quality.history import (
    delivery_results,
    refused_results,
    release_results,
    result_frame,
    save_results,
    write_history,
)
from assets.quality.hold import holding, lapsed, lifted
from assets.quality.results import CheckResult, Status
from assets.quality.sql_checks import run_sql_checks
from assets.quality.stages import keep_results
from assets.quality.validations import save_validations
from assets.quality.verdict import judged
from assets.steps import WAREHOUSE_POOL, failures_said
from assets.warehouse.assets import ACCEPTED_ROWS, MODEL_KEYS, column_lineage, described, open_building

OWNERS = ["team:quality"]
RELEASE_GATE = dg.AssetKey(["quality", "release_gate"])
CHECK_RESULT = "audit.check_result"
WAIVERS_LAPSED = "waivers_in_force"
DELIVERIES_SETTLED = "deliveries_settled"
DELIVERY_CHECKS = tuple(check for table in CONTRACT.tables for check in delivery_checks(CONTRACT, table))
RELEASE_CHECKS = release_checks(CONTRACT)
GATE_CHECKS = gate_checks(CONTRACT)


NOT_PASSED = (Status.FAIL, Status.WARN, Status.ERROR)


def check_name(check_id: str) -> str:
    """Dagster's name of a check."""
    return check_id.replace(".", "__")


def check_specs(checks: Sequence[Check], asset: dg.AssetKey) -> list[dg.AssetCheckSpec]:
    """One Dagster check per check of the contract; blocking ones stop what comes after them."""
    return [
        dg.AssetCheckSpec(
            check_name(check.check_id),
            asset=asset,
            description=f"{check.sentence} Tolerance {check.tolerance:.0%}.",
            blocking=check.blocks,
        )
        for check in checks
    ]


def family_specs(checks: Sequence[Check], asset: dg.AssetKey) -> list[dg.AssetCheckSpec]:
    """One Dagster check per stage and kind of SQL checks: an event of each of some hundred would cost 6 ms of CPU."""
    return [
        dg.AssetCheckSpec(
            name,
            asset=asset,
            description=f"{len(family)} checks. {family[0].facts.why} {family[0].facts.engineer}",
            blocking=any(check.blocks for check in family),
        )
        for name, family in _families(checks).items()
    ]


def family_results(
    checks: Sequence[Check], results: Sequence[CheckResult], asset: dg.AssetKey, waived: Collection[str]
) -> Iterator[dg.AssetCheckResult]:
    """Say of every family how many of its checks ended how, and which hold the release."""
    held = {result.check_id for result in holding(results, waived)}
    by_id = {result.check_id: result for result in results}
    for name, family in _families(checks).items():
        found = [by_id[check.check_id] for check in family]
        counts = Counter(result.status for result in found)
        not_passed = [result.check_id for result in found if result.status in NOT_PASSED]
        holds = [check_id for check_id in not_passed if check_id in held]
        yield dg.AssetCheckResult(
            passed=not not_passed,
            asset_key=asset,
            check_name=name,
            severity=dg.AssetCheckSeverity.ERROR if holds else dg.AssetCheckSeverity.WARN,
            metadata={
                "checks": len(family),
                **{status.value: counts[status] for status in Status},
                **numbers(
                    sum(result.evaluated or 0 for result in found),
                    sum(result.violated or 0 for result in found),
                    max(result.tolerance for result in found),
                ),
                "not_passed": not_passed,
                "held_by": holds,
            },
        )


def numbers(evaluated: int | None, violated: int | None, tolerance: float) -> dict[str, dg.MetadataValue]:
    """What Dagster plots of every check over time: how many rows it looked at, how many and which share failed.

    A check that could not be evaluated found no numbers: its plot has a gap, not a zero.
    """
    plotted: dict[str, dg.MetadataValue] = {"tolerance": dg.MetadataValue.float(float(tolerance))}
    if evaluated is not None and violated is not None:
        plotted |= {
            "evaluated_rows": dg.MetadataValue.int(evaluated),
            "failing_rows": dg.MetadataValue.int(violated),
            "failing_share": dg.MetadataValue.float(violated / evaluated if evaluated else 0.0),
        }
    return plotted


def _families(checks: Sequence[Check]) -> dict[str, list[Check]]:
    families: dict[str, list[Check]] = {}
    for check in checks:
        families.setdefault(f"{check.stage}__{check.kind}", []).append(check)
    return families


@dg.asset(
    key=ACCEPTED_ROWS,
    deps=[typed_rows],
    partitions_def=DELIVERIES,
    group_name="quality",
    kinds={"greatexpectations", "duckdb"},
    owners=OWNERS,
    pool=WAREHOUSE_POOL,
    code_version=CONTRACT.version,
    check_specs=check_specs(DELIVERY_CHECKS, ACCEPTED_ROWS),
    metadata={
        "dagster/column_schema": ROW_SCHEMA,
        "dagster/column_lineage": column_lineage(
            {column.name: [(typed_rows.key, column.name)] for column in ROW_SCHEMA.columns}
        ),
    },
    description="Rows of the delivery that passed: Great Expectations counts in DuckDB, rows that fail are set aside.",
)
@failures_said
def accepted_rows(
    context: dg.AssetExecutionContext, home: dg.ResourceParam[Home]
) -> Iterator[dg.AssetCheckResult | dg.MaterializeResult[None]]:
    """Run the suites on one delivery; hold it where a critical check fails."""
    record = known_delivery(home, context.partition_key)
    run_id = context.run.run_id
    results: list[CheckResult] = []
    waived: frozenset[str] = frozenset()
    if record.state is State.REJECTED:
        refused = result_frame(refused_results(CONTRACT), CONTRACT, record.delivery_id, run_id)
        history.record(home, refused, run_id, record.delivery_id)
    else:
        folder = home.ledger.folder(record.delivery_id)
        profile = load_profile(folder / PROFILE_NAME, CONTRACT)
        contract = delivery_contract(CONTRACT, home.ledger, profile)
        results = delivery_results(home, record, contract)
        frame = result_frame(results, contract, record.delivery_id, run_id)
        save_results(folder, frame)
        waived = lifted(home, record)
        history.record(home, frame, run_id, record.delivery_id, waived=waived)
        save_validations(folder, results)
        record = judged(record, results, home.ledger, profile, waived)
        home.ledger.save(record)
    yield from _dagster_results(DELIVERY_CHECKS, results, ACCEPTED_ROWS, waived)
    accepted = record.ingested - record.set_aside if record.state is State.ACCEPTED else 0
    yield dg.MaterializeResult(
        metadata={
            "state": record.state.value,
            "dagster/partition_row_count": accepted,
            "source_rows_set_aside": record.set_aside,
            "source_rows_rejected": record.rejected,
            "checks": len(results),
        }
    )


@dg.asset(
    key=RELEASE_GATE,
    deps=MODEL_KEYS,
    group_name="quality",
    kinds={"greatexpectations", "duckdb"},
    owners=OWNERS,
    pool=WAREHOUSE_POOL,
    check_specs=[
        *check_specs(RELEASE_CHECKS, RELEASE_GATE),
        *family_specs(GATE_CHECKS, RELEASE_GATE),
        dg.AssetCheckSpec(
            WAIVERS_LAPSED,
            asset=RELEASE_GATE,
            description="Deliveries that were let in although a blocking check failed have a waiver that is in force.",
            blocking=True,
        ),
        dg.AssetCheckSpec(
            DELIVERIES_SETTLED,
            asset=RELEASE_GATE,
            description="No delivery was left behind: of each that was landed the reading came to its end.",
        ),
    ],
    description="Rules over all accepted rows, and the models themselves; a critical failure keeps the old release.",
)
@failures_said
def release_gate(
    context: dg.AssetExecutionContext, home: dg.ResourceParam[Home]
) -> Iterator[dg.AssetCheckResult | dg.MaterializeResult[None]]:
    """Run the release suite and write the check history into the warehouse being built."""
    deliveries = settled_deliveries(home.ledger)
    contract = extended_contract(CONTRACT, home.ledger, deliveries)
    with open_building(home) as connection:
        write_history(connection, home, deliveries)
        write_catalogue(connection, contract)
        results = release_results(connection, contract)
        write_drift(connection, contract)
        results += run_sql_checks(connection, contract, gate_checks(contract))
        waived = lifted(home)
        keep_results(connection, home, contract, results, context.run.run_id, waived)
        ended = lapsed(connection, home)
        table = described(connection, CHECK_RESULT)
    yield from _dagster_results(RELEASE_CHECKS, results, RELEASE_GATE, waived)
    yield from family_results(GATE_CHECKS, results, RELEASE_GATE, waived)
    yield dg.AssetCheckResult(
        passed=not ended,
        asset_key=RELEASE_GATE,
        check_name=WAIVERS_LAPSED,
        metadata={
            **numbers(len(deliveries), len({label for label, _ in ended}), tolerance=0),
            "held_by": [f"{check_id} of {label}, whose waiver has ended" for label, check_id in ended],
        },
    )
    yield none_left(home)
    yield dg.MaterializeResult(
        metadata={
            **table,
            "checks": len(results),
            "failed": len(holding(results, waived)),
            "warnings": sum(result.status is Status.WARN for result in results),
        }
    )


def none_left(home: Home) -> dg.AssetCheckResult:
    """Say which deliveries were landed and never read to the end."""
    left = [f"{one.label}, landed {one.landed_at}" for one in left_deliveries(home.ledger)]
    landed = len(home.ledger.all())
    return dg.AssetCheckResult(
        passed=not left,
        asset_key=RELEASE_GATE,
        check_name=DELIVERIES_SETTLED,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={**numbers(landed, len(left), tolerance=0), "left": left},
    )


def _dagster_results(
    checks: Sequence[Check], results: Sequence[CheckResult], asset: dg.AssetKey, waived: Collection[str]
) -> Iterator[dg.AssetCheckResult]:
    """Say of every check how it ended; the failure of a waived one is a warning, and a warning blocks nothing."""
    held = {result.check_id for result in holding(results, waived)}
    by_id = {result.check_id: result for result in results}
    for check in checks:
        result = by_id.get(check.check_id)
        is_waived = result is not None and result.holds and check.check_id not in held
        is_critical = check.severity is Severity.CRITICAL and not is_waived
        severity = dg.AssetCheckSeverity.ERROR if is_critical else dg.AssetCheckSeverity.WARN
        if result is None:
            yield dg.AssetCheckResult(
                passed=False,  # nothing was looked at; a warning, so that the refusal delays no other delivery
                asset_key=asset,
                check_name=check_name(check.check_id),
                severity=dg.AssetCheckSeverity.WARN,
                metadata={
                    "status": Status.NOT_APPLICABLE.value,
                    "reason": "the delivery was refused",
                    **numbers(0, 0, check.tolerance),
                },
            )
            continue
        yield dg.AssetCheckResult(
            passed=result.status not in NOT_PASSED,
            asset_key=asset,
            check_name=check_name(check.check_id),
            severity=severity,
            metadata={
                "status": result.status.value,
                **numbers(result.evaluated, result.violated, result.tolerance),
                **({"waived": True} if is_waived else {}),
            },
        )
