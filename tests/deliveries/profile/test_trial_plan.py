"""The plan of a trial and what describes its patients, as a profile declares them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from assets.contract import CONTRACT
from assets.contract.definitions import TRIAL_COVARIATES
from assets.contract.model import TrialPlan
from assets.deliveries.problems import InputProblem
from assets.deliveries.profile import load_profile
from assets.deliveries.profile.loading import save_profile

if TYPE_CHECKING:
    from pathlib import Path

    from assets.deliveries.profile.loading import Profile

TRIAL = """\
profile: a_trial
version: 1
description: A trial with two arms
privacy_mode: safe_harbor
measures:
  - id: years_ill
    label: Years ill
    kind: context
    unit: years
    low: 0
    high: 90
    why: a life
    decimals: 0
    source: the protocol
trial:
  reference_arm: usual
  covariates: [age_years, years_ill, odi]
files:
  - match: "rows.csv"
    tables:
      - table: patient
        fields: {patient_key: id, sex: {constant: unknown}}
      - table: episode
        fields:
          episode_key: id
          patient_key: id
          clinic_key: {constant: site}
          condition_id: {constant: neck_pain}
          discharge_reason: {constant: unknown}
          arm: group
    visits:
      - name: baseline
        day: 0
        visit_type: eval
        scores:
          - {measure: years_ill, column: years}
          - {measure: odi, column: odi}
"""


def loaded(folder: Path, text: str) -> Profile:
    path = folder / "a_trial.yaml"
    path.write_text(text, encoding="utf-8")
    return load_profile(path, CONTRACT)


def test_the_contract_carries_the_plan(tmp_path: Path) -> None:
    profile = loaded(tmp_path, TRIAL)
    extended = profile.extend(CONTRACT)
    assert extended.trials == (TrialPlan("a_trial", "usual", ("age_years", "years_ill", "odi")),)
    assert profile.extend(extended) == extended
    assert extended.measure("years_ill").construct == "context"
    save_profile(profile, tmp_path)
    assert load_profile(tmp_path / "profile.yaml", CONTRACT).extend(CONTRACT) == extended
    assert (
        loaded(tmp_path, TRIAL[: TRIAL.index("trial:")] + TRIAL[TRIAL.index("files:") :]).extend(CONTRACT).trials == ()
    )


def test_two_plans_for_one_trial_contradict_each_other(tmp_path: Path) -> None:
    first = loaded(tmp_path, TRIAL).extend(CONTRACT)
    other = loaded(tmp_path, TRIAL.replace("reference_arm: usual", "reference_arm: sham"))
    with pytest.raises(ValueError, match="trial_id 'a_trial' is already defined"):
        other.extend(first)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("[age_years, ", "[age_year, ", "covariate 'age_year' is not known. Perhaps 'age_years' is meant"),
        ("[age_years, ", "[discharge_day, ", "covariate 'discharge_day' is not known"),
        ("[age_years, ", "[odi, ", "the covariate 'odi' is listed twice"),
        ("years_ill, odi]", "years_il, odi]", "covariate 'years_il' is not known. Perhaps 'years_ill' is meant"),
        ("reference_arm: usual", "reference_arm: usual care", "reference_arm"),
        ("reference_arm: usual", "reference: usual", "Perhaps 'reference_arm' is meant"),
        ("kind: context", "kind: contxt", "Perhaps 'context' is meant"),
        ("kind: context", "kind: function", "years_ill does not say which direction is better"),
    ],
)
def test_mistakes_are_answered_with_their_line(tmp_path: Path, old: str, new: str, words: str) -> None:
    with pytest.raises(InputProblem) as caught:
        loaded(tmp_path, TRIAL.replace(old, new))
    assert words in str(caught.value)
    assert caught.value.code == "PROFILE"


def test_covariates_are_columns_that_are_known_when_arms_are_assigned() -> None:
    columns = {*CONTRACT.table("patient").names, *CONTRACT.table("episode").names}
    assert set(TRIAL_COVARIATES) <= columns
    assert not {"arm", "discharge_day", "discharge_reason", "therapist_key"} & set(TRIAL_COVARIATES)
