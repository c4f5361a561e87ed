"""Dagster shell of publication: the site, then the switch."""

from collections.abc import Iterator

import dagster as dg

from assets.audit.delta import write_delta
from assets.contract import CONTRACT
from assets.deliveries.state import extended_contract, settled_deliveries
from assets.home import Home
from assets.outcomes.assets import published_key
from assets.outcomes.published import PUBLISHED_TABLES
from assets.publication.publish import write_site
from assets.publication.release import SITE as SITE_FOLDER
from assets.publication.release import current_release
from assets.publication.switch import release_built
from assets.quality.assets import family_results, family_specs
from assets.quality.published_checks import published_checks
from assets.quality.stages import judge_stage
from assets.quality.written_files import write_written
from assets.steps import WAREHOUSE_POOL, failures_said
from assets.warehouse.assets import open_building

PUBLISHED_CHECKS = published_checks(CONTRACT)
SITE = dg.AssetKey(["publication", "site"])


@dg.asset(
    key=SITE,
    deps=[published_key(name) for name in PUBLISHED_TABLES],
    group_name="publication",
    kinds={"plotly", "greatexpectations"},
    owners=["team:data-engineering"],
    pool=WAREHOUSE_POOL,
    check_specs=family_specs(PUBLISHED_CHECKS, SITE),
    description="The pages, self-contained: they open from disk and send nothing. What is wrong in them is not shown.",
)
@failures_said
def site(
    context: dg.AssetExecutionContext, home: dg.ResourceParam[Home]
) -> Iterator[dg.AssetCheckResult | dg.MaterializeResult[None]]:
    """Write the pages of the release being built, and look at them and at their tables before anybody else does."""
    contract = extended_contract(CONTRACT, home.ledger, settled_deliveries(home.ledger))
    files = write_site(home)
    with open_building(home) as connection:
        write_written(connection, home.building, SITE_FOLDER, files, PUBLISHED_TABLES)
        results = judge_stage(connection, home, contract, published_checks(contract), context.run.run_id)
        write_delta(connection, home)
    # nothing lifts these: what went wrong with a file is mended, not waived
    yield from family_results(PUBLISHED_CHECKS, results, SITE, waived=())
    yield dg.MaterializeResult(
        metadata={"files": len(files), "bytes": sum(path.stat().st_size for path in files), "checks": len(results)}
    )


@dg.asset(
    key_prefix="publication",
    deps=[SITE],
    group_name="publication",
    kinds={"file"},
    owners=["team:data-engineering"],
    pool=WAREHOUSE_POOL,
    description="Warehouse, published tables and site under one name, switched in by one pointer.",
)
@failures_said
def release(home: dg.ResourceParam[Home]) -> dg.MaterializeResult[None]:
    """Write the manifest and switch the pointer."""
    before = current_release(home)
    identity = release_built(home)
    sizes = [path.stat().st_size for path in (home.releases / identity).rglob("*") if path.is_file()]
    return dg.MaterializeResult(
        metadata={"release": identity, "changed": before != identity, "files": len(sizes), "bytes": sum(sizes)}
    )
