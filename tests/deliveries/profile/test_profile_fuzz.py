"""Any text is a profile or a sentence that says what is wrong with it, in bounded time and memory."""

from __future__ import annotations

import contextlib
import tempfile
import time
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from assets.contract import CONTRACT
from assets.deliveries.emitters import emitters_of
from assets.deliveries.problems import InputProblem
from assets.deliveries.profile import PROFILE_FOLDER, Profile, load_profile, save_profile
from assets.deliveries.profile.text import read_profile_text
from assets.deliveries.profile.words import PARTS

SECONDS = 20
TEST_PROFILES = Path(__file__).resolve().parents[2] / "profiles"
CORPUS = [
    path.read_text(encoding="utf-8") for path in sorted([*PROFILE_FOLDER.glob("*.yaml"), *TEST_PROFILES.glob("*.yaml")])
]
CONTENTS = [
    read_profile_text(path).content for path in sorted([*PROFILE_FOLDER.glob("*.yaml"), *TEST_PROFILES.glob("*.yaml")])
]
KEYS = sorted({key for part in PARTS.values() for key in part.words})
NAMES = sorted(
    {table.name for table in CONTRACT.tables}
    | {column.name for table in CONTRACT.tables for column in table.columns}
    | {measure.measure_id for measure in CONTRACT.measures}
)


def load(text: str | bytes) -> Profile | None:
    """The profile, or None where the answer was a sentence."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "p.yaml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass"))
        begun = time.monotonic()
        try:
            profile = load_profile(path, CONTRACT)
        except InputProblem as problem:
            said = str(problem)
        else:
            said = ""
        assert time.monotonic() - begun < SECONDS
        assert "\n" not in said
        assert len(said) < 5000
        if said:
            return None
        contract = profile.extend(CONTRACT)
        assert all(emitters_of(file, contract) or not file.tables for file in profile.files)
        assert len(profile.digest) == 64
        save_profile(profile, Path(folder))
        assert load_profile(Path(folder) / "profile.yaml", CONTRACT).digest == profile.digest
        return profile


LAUGHS = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 12)
)
MERGES = "a0: &a0 {x: 1}\n" + "".join(f"a{i}: &a{i} {{<<: [{', '.join([f'*a{i - 1}'] * 9)}]}}\n" for i in range(1, 12))


@pytest.mark.parametrize(
    "text",
    [
        LAUGHS,
        MERGES,
        "a: &a [*a]",
        "a: &a {b: *a}",
        "a: " + "[" * 300_000,
        "- " * 300_000,
        "{a: " * 100_000,
        "? " * 300_000,
        "version: " + "9" * 900_000,
        "version: 0x" + "f" * 1_900,
        "version: " + "1:" * 300_000 + "1",
        "version: 1" + "0" * 1_900 + "e5",
        "".join(f"k{i}: 1\n" for i in range(80_000)),
        "a" * 1_000_001,
        "x: !!timestamp abc",
        "x: !!bool maybe",
        'x: !!int ""',
        "x: !!float one",
        "x: !!python/name:os.system",
        "%YAML 9.9\n---\na: 1",
        "? [a, b]\n: c",
        "=: 1",
        "extract_stamp: 2025-01-01T00:00:00+99:00",
        "\ufeffprofile: a",
        "a: \x00",
        b"\xff\xfea",
        b"",
    ],
    ids=lambda text: str(text[:16]),
)
def test_what_would_choke_a_parser_is_refused_at_once(text: str | bytes) -> None:
    assert load(text) is None


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("version: 1", "version: 0x" + "f" * 1_900),
        ("day: 91", "day: 9" + "0" * 1_900),
        ("low: 0", "low: .nan"),
        ("high: 168", "high: .inf"),
        ("high: 168", "high: 1" + "0" * 1_900),
        ("decimals: 6", "decimals: 1.5"),
        ("version: 1", "version: true"),
        ("version: 1", 'description: "\\ud800"\nversion: 1'),
        ("description: Acu", "description: !!binary aGk=\nversions: Acu"),
        ("match:", "~:"),
    ],
)
def test_odd_values_are_accepted_or_answered(old: str, new: str) -> None:
    text = (TEST_PROFILES / "acupuncture_headache.yaml").read_text(encoding="utf-8")
    assert old in text
    load(text.replace(old, new, 1))


@settings(max_examples=80)
@given(text=st.text(max_size=200) | st.from_regex(r"([a-z_]{1,8}: ?[\[{\-\"'&*!|>%@,:#?a-z0-9 \n]{0,12}\n){0,8}"))
def test_any_text(text: str) -> None:
    load(text)


@settings(max_examples=80)
@given(content=st.binary(max_size=200))
def test_any_bytes(content: bytes) -> None:
    load(content)


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from([*NAMES, "row_number", "same_names", "always", "%d/%m/%Y", "%", "icd10cm", "[0", "a.b"])
    | st.dates()
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=8,
)


@settings(max_examples=80)
@given(content=st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=8))
def test_any_mapping_of_known_keys(content: dict[str, object]) -> None:
    load(yaml.safe_dump(content))


@st.composite
def changed_profiles(draw: st.DrawFn) -> str:
    """A profile that works, with some entries exchanged, renamed or left out."""
    content = yaml.safe_load(yaml.safe_dump(draw(st.sampled_from(CONTENTS))))
    for _ in range(draw(st.integers(1, 3))):
        places = [place for place in _places(content) if place[0]]
        container, key = draw(st.sampled_from(places))
        change = draw(st.sampled_from(["value", "name", "remove", "key", "copy"]))
        if change == "remove":
            del container[key]
        elif change == "key" and isinstance(container, dict):
            container[draw(st.sampled_from(KEYS) | st.sampled_from(NAMES))] = container.pop(key)
        elif change == "name":
            container[key] = draw(st.sampled_from(NAMES))
        elif change == "copy":
            other, other_key = draw(st.sampled_from(places))
            with contextlib.suppress(LookupError):
                container[key] = yaml.safe_load(yaml.safe_dump(other[other_key]))
        else:
            container[key] = draw(VALUES)
    return yaml.safe_dump(content)


def _places(content: object) -> list[tuple[object, object]]:
    """Every entry, as the mapping or list it is in and its key or position."""
    pairs = content.items() if isinstance(content, dict) else enumerate(content) if isinstance(content, list) else ()
    found = []
    for key, value in pairs:
        found.append((content, key))
        found.extend(_places(value))
    return found


@settings(max_examples=120)
@given(text=changed_profiles())
def test_any_change_of_a_profile(text: str) -> None:
    load(text)


@settings(max_examples=60)
@given(data=st.data())
def test_any_damage_of_a_profile(data: st.DataObject) -> None:
    text = data.draw(st.sampled_from(CORPUS))
    at = data.draw(st.integers(0, len(text) - 1))
    load(text[:at] + data.draw(st.text(max_size=4)) + text[at + data.draw(st.integers(0, 40)) :])
