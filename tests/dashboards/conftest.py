"""Sites built once from sample frames, and the browser that opens them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from assets.contract import CONTRACT
from dashboards.site import SiteMeta, build_site
from tests.dashboards import sample_frames
from tests.dashboards.chromium import Visitor, chromium

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser


@pytest.fixture(scope="session")
def meta() -> SiteMeta:
    return SiteMeta(
        title="Clinic outcomes",
        stamp="2026-10-31",
        code_version="4f1c9a2",
        contract_version="1",
        checks_total=244,
        checks_passed=236,
        warnings=8,
        is_simulated=True,
        minimum_group=11,
    )


@pytest.fixture(scope="session")
def network_site(tmp_path_factory: pytest.TempPathFactory, meta: SiteMeta) -> Path:
    out = tmp_path_factory.mktemp("network")
    build_site(sample_frames.network(), CONTRACT, meta, out)
    return out


@pytest.fixture(scope="session")
def trial_site(tmp_path_factory: pytest.TempPathFactory, meta: SiteMeta) -> Path:
    out = tmp_path_factory.mktemp("trial")
    build_site(sample_frames.trial(), CONTRACT, meta, out)
    return out


@pytest.fixture(scope="session")
def empty_site(tmp_path_factory: pytest.TempPathFactory, meta: SiteMeta) -> Path:
    out = tmp_path_factory.mktemp("empty")
    build_site(sample_frames.empty(), CONTRACT, meta, out)
    return out


@pytest.fixture(scope="session")
def hostile_site(tmp_path_factory: pytest.TempPathFactory, meta: SiteMeta) -> Path:
    out = tmp_path_factory.mktemp("hostile")
    frames, contract = sample_frames.hostile()
    build_site(frames, contract, replace(meta, title=sample_frames.HOSTILE), out)
    return out


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Closed with each module: Playwright keeps an event loop in this thread that Dagster's runs would trip over."""
    yield from chromium()


@pytest.fixture
def visit(browser: Browser) -> Iterator[Visitor]:
    visitor = Visitor(browser)
    yield visitor
    visitor.close()
