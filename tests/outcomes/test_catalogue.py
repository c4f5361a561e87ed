"""Every number about patients is defined in words, and nothing is defined that nobody publishes."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re

import pytest

from assets.contract import CONTRACT
from assets.outcomes import tables
from assets.outcomes.frames import INTEGER, STRING, Count, Layout, columns
from assets.outcomes.published import LAYOUTS as PROTECTED
from assets.outcomes.published import PUBLISHED_TABLES, STATISTICS

MODULES = [
    importlib.import_module(f"{tables.__name__}.{found.name}") for found in pkgutil.iter_modules(tables.__path__)
]
LAYOUTS = [
    pytest.param(layout, module, id=f"{module.__name__.rsplit('.', 1)[-1]}.{name}")
    for module in MODULES
    for name, layout in vars(module).items()
    if isinstance(layout, Layout)
]
IDS = {item.statistic_id for item in CONTRACT.statistics}
WORDS = ("label", "sentence", "numerator", "denominator", "exclusions", "window", "method", "source")


def named(source: str) -> set[str]:
    """Ids of the catalogue that a module writes out."""
    return {identifier for identifier in IDS if f'"{identifier}"' in source}


def test_ids_and_versions_are_unique_and_plain() -> None:
    assert len(IDS) == len(CONTRACT.statistics)
    assert len({item.versioned_id for item in CONTRACT.statistics}) == len(CONTRACT.statistics)
    for item in CONTRACT.statistics:
        assert re.fullmatch(r"[a-z][a-z0-9_]*", item.statistic_id)
        assert item.version >= 1
        assert all(getattr(item, words).strip() for words in WORDS), item.statistic_id
        assert item.sentence.endswith(".")


@pytest.mark.parametrize(("layout", "module"), LAYOUTS)
def test_every_layout_about_patients_names_a_statistic(layout: Layout, module: object) -> None:
    if layout.groups:
        assert layout.statistic in IDS or (
            "statistic_id" in layout.keys and named(inspect.getsource(module))  # type: ignore[arg-type]
        )


def test_every_statistic_is_published() -> None:
    used = {layout.statistic for module in MODULES for layout in vars(module).values() if isinstance(layout, Layout)}
    for module in MODULES:
        source = inspect.getsource(module)
        if '"statistic_id"' in source:
            used |= named(source)
    assert IDS - used == set()


def test_every_table_module_with_a_topic_is_registered() -> None:
    topics = {id(vars(module)["TOPIC"]) for module in MODULES if "TOPIC" in vars(module)}
    assert topics == {id(topic) for topic in STATISTICS}


def test_every_layout_about_patients_goes_through_disclosure_control() -> None:
    about_patients = {
        id(layout)
        for module in MODULES
        for layout in vars(module).values()
        if isinstance(layout, Layout) and layout.groups
    }
    assert about_patients == {id(layout) for layout in PROTECTED.values()}
    assert set(PROTECTED) <= set(PUBLISHED_TABLES)


def test_a_layout_about_patients_without_a_statistic_is_refused() -> None:
    with pytest.raises(ValueError, match="names no statistic: clinic_key"):
        Layout(columns(STRING, "clinic_key"), {}, groups=("n",))


def test_a_number_of_which_nobody_says_whom_it_counts_is_refused() -> None:
    key, numbers = columns(STRING, "clinic_key"), columns(INTEGER, "n")
    with pytest.raises(ValueError, match="names n: neither a count nor a plain number"):
        Layout(key, numbers)
    with pytest.raises(ValueError, match="names n: a count and a plain number"):
        Layout(key, numbers, counts={"n": Count("closed")}, plain=("n",))
    with pytest.raises(ValueError, match="names n: a size that counts nobody"):
        Layout(key, numbers, groups=("n",), statistic="completion", plain=("n",))
    with pytest.raises(ValueError, match="names rate: no share or mean"):
        Layout(key, numbers, plain=("n",), ratios={"rate": ("n", "n")})
    assert Layout(key, numbers, counts={"n": Count("closed")}).counts["n"].universe == "closed"
