"""Networks that several tests read: made once per session."""

from __future__ import annotations

import pytest

from assets.contract import CONTRACT
from assets.simulation.block import Block, draw_block
from assets.simulation.clinics import Network, build_network
from tests.simulation.feeds import Written, write


@pytest.fixture(scope="session")
def dirty(tmp_path_factory: pytest.TempPathFactory) -> Written:
    return write(tmp_path_factory.mktemp("dirty") / "feed", 120)


@pytest.fixture(scope="session")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Written:
    return write(tmp_path_factory.mktemp("clean") / "feed", 120, clean=True)


@pytest.fixture(scope="session")
def network() -> Network:
    return build_network(CONTRACT, 20260701, 4)


@pytest.fixture(scope="session")
def block(network: Network) -> Block:
    return draw_block(network, 0, 0, 20_000)
