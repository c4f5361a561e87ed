"""Networks that are not like the demonstration: every page opens, fits, and says something true."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl
import pytest

from assets.contract import CONTRACT
from assets.contract.wording import causal_claims
from assets.outcomes.published import LAYOUTS
from dashboards.site import build_site
from tests.dashboards import clinic_frames, sample_frames

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from assets.outcomes.frames import Layout
    from dashboards.site import SiteMeta
    from tests.dashboards.chromium import Visitor

Frames = dict[str, pl.DataFrame]
OF_NEEDLING = (
    *("adverse_event_rate", "adverse_event_chart", "adverse_event_gap", "twitch_outcome"),
    *("care_comparison", "care_balance", "care_mix"),
)
NO_NUMBERS = {"n", "recovered", "rate", "rate_low", "rate_high", "completeness"}


def one_clinic(frames: Frames) -> Frames:
    return _only(frames, "clinic_key", ("Eastfield",))


def one_condition(frames: Frames) -> Frames:
    return _only(frames, "condition_id", ("low_back_pain",))


def no_motion(frames: Frames) -> Frames:
    """Recovery asks for motion: nobody's is known."""
    rates = frames["recovery_by_condition"]
    unknown = {"rate_if_missing_none": 0.0, "rate_if_missing_all": 1.0, "completeness": 0.0, "n": 0, "recovered": 0}
    emptied = [
        pl.lit(unknown.get(name), dtype).alias(name)
        for name, dtype in rates.schema.items()
        if name in unknown or name in NO_NUMBERS
    ]
    cleared = ("rom_change", "recovery_curve", "recovery_time", "subgroup_outcome")
    return {
        **frames,
        "recovery_by_condition": rates.with_columns(emptied),
        **{name: frames[name].clear() for name in cleared},
        **clinic_frames.nobody_known(sample_frames.CLINICS),
    }


def no_needling(frames: Frames) -> Frames:
    """Nobody is needled: care is one kind, and nothing is compared."""
    kept = {
        name: frame.filter(pl.col("care") != "dry_needling") if "care" in frame.columns else frame
        for name, frame in frames.items()
    }
    return {**kept, **{name: frames[name].clear() for name in OF_NEEDLING}}


def all_suppressed(frames: Frames) -> Frames:
    """Every group is too small: of each row only its keys are left."""
    return {name: _hidden(frame, LAYOUTS[name]) if name in LAYOUTS else frame for name, frame in frames.items()}


def _hidden(frame: pl.DataFrame, layout: Layout) -> pl.DataFrame:
    numbers = (pl.lit(None, dtype).alias(name) for name, dtype in frame.schema.items() if name in layout.numbers)
    return frame.with_columns(*numbers, suppressed=pl.lit(value=True))


def three_patients(frames: Frames) -> Frames:
    few = _only(_only(frames, "clinic_key", ("Hillcrest", "Parkside")), "condition_id", ("neck_pain", "sciatica"))
    never = ("outcome_over_time", "outcome_signal", "recovery_curve", "case_mix_model", "case_mix_calibration")
    return {**all_suppressed(few), **{name: few[name].clear() for name in never}}


def two_hundred_clinics(frames: Frames) -> Frames:
    """Every clinic of the sample many times, under other names."""
    names = [f"Clinic {place:03d}" for place in range(1, 201)]
    of = pl.DataFrame({"new": names, "clinic_key": [clinic for clinic, _ in _pairs(names)]})
    made = {}
    for name, frame in frames.items():
        if "clinic_key" not in frame.columns:
            made[name] = frame
            continue
        many = frame.join(of, on="clinic_key", how="inner").with_columns(clinic_key="new").select(frame.columns)
        made[name] = pl.concat([frame.filter(pl.col("clinic_key").is_null()), many])
    return {**made, "clinic": pl.DataFrame({"clinic_key": names, "label": names})}


def _pairs(names: list[str]) -> list[tuple[str, str]]:
    return [(sample_frames.CLINICS[place % len(sample_frames.CLINICS)], name) for place, name in enumerate(names)]


def _only(frames: Frames, column: str, values: tuple[str, ...]) -> Frames:
    return {
        name: frame.filter(pl.col(column).is_null() | pl.col(column).is_in(values))
        if column in frame.columns
        else frame
        for name, frame in frames.items()
    }


MOST_CLINICS = "two_hundred_clinics"
CASES: Mapping[str, tuple[Callable[[Frames], Frames], dict[str, tuple[str, ...]]]] = {
    "one_clinic": (
        one_clinic,
        {
            "index": ("across 1 clinic:", "There is one clinic, and none to compare it with."),
            "clinics": ("Eastfield is not compared (all conditions together): no other clinic to compare with",),
        },
    ),
    "one_condition": (
        one_condition,
        {
            "index": ("Look first at ", "Low back pain"),
            "clinics": ("none of 1 conditions", "Too few patients a month for a chart: low back pain."),
            "recovery": ("Low back pain",),
        },
    ),
    "no_motion": (
        no_motion,
        {
            "index": (
                "Recovery is not known for any episode across 12 clinics.",
                "no known outcome",
                "No clinic can be",
            ),
            "clinics": ("Eastfield is not compared (all conditions together): no known outcome.",),
            "recovery": ("Recovery is not known for any episode",),
        },
    ),
    "no_needling": (
        no_needling,
        {
            "index": ("ended in recovery",),
            "recovery": ("Any care",),
            "safety": ("No needling sessions on record",),
        },
    ),
    "all_suppressed": (
        all_suppressed,
        {
            "index": (
                "Too few episodes to show across 12 clinics: fewer than 11 episodes, or beside such a group.",
                "No clinic can be compared",
            ),
            "clinics": (
                "Eastfield is not compared (all conditions together): fewer than 11 episodes, or beside such a group.",
            ),
            "recovery": ("Too few episodes to show", "Small groups are hidden so that no one can be recognised."),
            "safety": ("Too few patients to compare",),
        },
    ),
    "three_patients": (
        three_patients,
        {
            "index": ("Too few episodes to show across 2 clinics", "No clinic can be compared with the others."),
            "clinics": ("Hillcrest is not compared",),
            "recovery": ("Too few episodes to show across 2 clinics",),
        },
    ),
    MOST_CLINICS: (
        two_hundred_clinics,
        {
            "index": ("across 200 clinics", "and 5 more (below the expected range)"),
            "clinics": ("A chart with a row for each of 200 clinics would be too long to read",),
            "recovery": ("across 200 clinics",),
        },
    ),
}
"""Network -> how it is made of the sample, and what each page must say."""
EVERY_PAGE = "three_patients"
"""The network of which every page is opened; of the others, those that it concerns."""
QUICK = (EVERY_PAGE, "one_clinic", "all_suppressed")
"""Networks of the quick run."""


@pytest.fixture(scope="module")
def sites(meta: SiteMeta, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Builds the site of a case, once."""
    network, built = sample_frames.network(), {}

    def site(case: str) -> Path:
        if case not in built:
            make, words = CASES[case]
            pages = meta.pages if case == EVERY_PAGE else tuple(words)
            built[case] = tmp_path_factory.mktemp(case)
            build_site(make(network), CONTRACT, replace(meta, pages=pages), built[case])
        return built[case]

    return site


@pytest.mark.browser
@pytest.mark.parametrize("case", [pytest.param(one, marks=[] if one in QUICK else [pytest.mark.long]) for one in CASES])
def test_pages_open_fit_and_say_something_true(case: str, sites: Callable[[str], Path], visit: Visitor) -> None:
    folder, words = sites(case), CASES[case][1]
    for name in sorted(path.stem for path in folder.glob("*.html")):
        made = visit(folder / f"{name}.html")
        page = made.page
        assert page.locator("h1").count() == 1
        for width in (1440, 390):
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, (name, width)
        shown = re.sub(r"\s+", " ", page.locator("main").inner_text())
        for said in words.get(name, ()):
            assert said in shown, (name, shown[:600])
        assert not re.search(r"\b(nan|NaN|undefined)\b", shown), name
        if name in words:
            assert causal_claims(shown) == []
        made.assert_clean()
        visit.close()


@pytest.mark.parametrize("name", ["index", "recovery", "clinics"])
def test_no_number_of_a_hidden_network_is_left(name: str, sites: Callable[[str], Path]) -> None:
    """Neither in a page nor in a file that it loads."""
    folder = sites("all_suppressed")
    for path in (folder / f"{name}.html", *sorted((folder / "data").glob(f"{name}*.js"))):
        said = re.sub(r"<details.*?</details>", "", path.read_text(encoding="utf-8"))
        assert set(re.findall(r"\b\d+ to \d+%|\babout \d|\bn \d", said)) <= {"0 to 100%"}, path.name


@pytest.mark.browser
@pytest.mark.long
def test_many_clinics_are_loaded_one_at_a_time(sites: Callable[[str], Path], visit: Visitor) -> None:
    folder = sites(MOST_CLINICS)
    sizes = [path.stat().st_size for path in (folder / "data").glob("clinics-*.js")]
    assert len(sizes) == 199
    assert max(sizes) < 100_000
    page = visit(folder / "clinics.html", anchor="#clinic=Clinic+151").page
    assert page.locator("[data-slot='lead.strong']").inner_text().startswith("Clinic 151 is ")
    assert page.evaluate("[...document.scripts].filter((script) => script.src.includes('clinics-')).length") == 1
