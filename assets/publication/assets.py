"""Dagster shell of publication: the site, then the switch."""

import dagster as dg

from assets.home import Home
from assets.outcomes.assets import published_key
from assets.outcomes.published import PUBLISHED_TABLES
from assets.publication.publish import write_site
from assets.publication.release import current_release
from assets.publication.switch import release_built

SITE = dg.AssetKey(["publication", "site"])


@dg.asset(
    key=SITE,
    deps=[published_key(name) for name in PUBLISHED_TABLES],
    group_name="publication",
    kinds={"plotly"},
    owners=["team:data-engineering"],
    description="The pages, self-contained: they open from disk and send nothing.",
)
def site(home: dg.ResourceParam[Home]) -> dg.MaterializeResult[None]:
    """Write the pages of the release being built."""
    files = write_site(home)
    return dg.MaterializeResult(metadata={"files": len(files), "bytes": sum(path.stat().st_size for path in files)})


@dg.asset(
    key_prefix="publication",
    deps=[SITE],
    group_name="publication",
    kinds={"file"},
    owners=["team:data-engineering"],
    description="Warehouse, published tables and site under one name, switched in by one pointer.",
)
def release(home: dg.ResourceParam[Home]) -> dg.MaterializeResult[None]:
    """Write the manifest and switch the pointer."""
    before = current_release(home)
    identity = release_built(home)
    return dg.MaterializeResult(metadata={"release": identity, "changed": before != identity})
