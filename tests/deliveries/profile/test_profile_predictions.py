"""A profile may say that a measure is the source's own prediction of another one's later score."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from assets.contract import CONTRACT
from assets.deliveries.problems import InputProblem
from assets.deliveries.profile import load_profile

if TYPE_CHECKING:
    from pathlib import Path

PROFILE = """\
profile: p
version: 1
description: a registry with predictions
privacy_mode: safe_harbor
measures:
  - {id: hip, label: Hip, kind: function, unit: points, better: higher, low: 0, high: 48, why: items, decimals: 0,
     source: Dawson 1996}
  - {id: forecast, label: Forecast, kind: function, unit: points, better: higher, low: 0, high: 60, why: a model,
     decimals: 6, predicts: hip, gain_of_all: {none: 22.6798}, source: the registry}
  - {id: spare, label: Spare, kind: function, unit: points, better: higher, low: 0, high: 48, why: items, decimals: 0,
     source: the registry}
files:
  - match: "a.csv"
    tables:
      - {table: patient, fields: same_names}
"""


def load(folder: Path, text: str) -> object:
    path = folder / "p.yaml"
    path.write_text(text, encoding="utf-8")
    return load_profile(path, CONTRACT)


def test_a_prediction_becomes_part_of_the_contract(tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    path.write_text(PROFILE, encoding="utf-8")
    contract = load_profile(path, CONTRACT).extend(CONTRACT)
    assert contract.measure("forecast").predicts == "hip"
    assert contract.measure("forecast").gain_of_all == (("none", Decimal("22.6798")),)
    assert contract.measure("hip").predicts is None


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("predicts: hip", "predicts: hipp", "measure 'hipp' is not known. Perhaps 'hip' is meant"),
        ("predicts: hip", "predicts: forecast", "forecast is a prediction itself"),
        ("predicts: hip, gain", "gain", "forecast has a gain_of_all but predicts nothing"),
        (
            "decimals: 0,\n     source: the registry",
            "decimals: 0, predicts: hip, source: x",
            "two measures predict hip",
        ),
        ("{none: 22.6798}", "{non: 22.6798}", "Perhaps 'none' is meant"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, old: str, new: str, words: str) -> None:
    assert old in PROFILE
    with pytest.raises(InputProblem) as caught:
        load(tmp_path, PROFILE.replace(old, new))
    assert words in str(caught.value)
