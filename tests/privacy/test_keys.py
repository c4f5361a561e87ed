"""Keyed pseudonyms: the published vector, their form, and what a key file has to be."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.contract.model import KEY_PATTERN
from assets.deliveries.problems import InputProblem
from assets.privacy.keys import LETTERS, Keys, canonical, hmac_sha256, new_key_file, read_key_file

if TYPE_CHECKING:
    from pathlib import Path

SECRET = b"0123456789abcdef0123456789abcdef"
KEYS = Keys(SECRET)


def test_rfc_4231_case_2() -> None:
    digest = hmac_sha256(b"Jefe", b"what do ya want for nothing?")
    assert digest.hex() == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"


@given(st.sampled_from([*LETTERS, "observation"]), st.text(max_size=50))
def test_keys_are_stable_and_have_the_form_of_the_contract(domain: str, identifier: str) -> None:
    key = KEYS.key(domain, identifier)
    assert re.fullmatch(KEY_PATTERN, key)
    assert len(key) == 27
    assert key == Keys(SECRET).key(domain, identifier)
    assert key != Keys(SECRET[::-1]).key(domain, identifier)


@given(st.lists(st.text(max_size=20), unique=True, max_size=50))
def test_different_identifiers_have_different_keys(identifiers: list[str]) -> None:
    assert len({KEYS.key("patient", one) for one in identifiers}) == len(identifiers)


@given(st.text(max_size=20))
def test_domains_do_not_share_keys(identifier: str) -> None:
    assert len({KEYS.key(domain, identifier)[1:] for domain in LETTERS}) == len(LETTERS)


def test_domain_and_identifier_cannot_run_into_each_other() -> None:
    assert KEYS.key("a", "bc")[1:] != KEYS.key("ab", "c")[1:]


@given(st.text(max_size=20))
def test_canonical_forms_are_equal(text: str) -> None:
    assert canonical(canonical(text)) == canonical(text)
    assert canonical(f" {text}\t") == canonical(text)
    assert canonical(unicodedata.normalize("NFD", text)) == canonical(unicodedata.normalize("NFC", text))


@pytest.mark.parametrize(("one", "other"), [("mrn-1 ", "MRN-1"), ("m\u00fcller", "MU\u0308LLER")])
def test_case_blanks_and_accents_do_not_matter(one: str, other: str) -> None:
    assert canonical(one) == canonical(other)


def test_leading_zeros_matter() -> None:
    assert KEYS.key("patient", canonical("00123")) != KEYS.key("patient", canonical("0123"))


def test_a_short_secret_is_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Keys(SECRET[:31])


def test_a_new_key_file_is_private_different_and_never_overwritten(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    for path in (one, other):
        new_key_file(path)
        assert path.stat().st_mode & 0o777 == 0o600
    assert one.read_bytes() != other.read_bytes()
    assert read_key_file(one, ()).key("patient", "1") != read_key_file(other, ()).key("patient", "1")
    with pytest.raises(InputProblem, match="exists already"):
        new_key_file(one)
    with pytest.raises(InputProblem, match="cannot be written"):
        new_key_file(tmp_path / "no folder" / "key")


def test_what_a_key_file_may_not_be(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "key"
    with pytest.raises(InputProblem, match="cannot be read"):
        read_key_file(path, ())
    path.parent.mkdir()
    with pytest.raises(InputProblem, match="no plain file"):
        read_key_file(path.parent, ())
    path.write_bytes(SECRET[:31] + b"\n")
    path.chmod(0o600)
    with pytest.raises(InputProblem, match="fewer than 32 bytes"):
        read_key_file(path, ())
    path.write_bytes(SECRET + b"\n")
    assert read_key_file(path, (tmp_path / "feed",)).key("patient", "1") == KEYS.key("patient", "1")
    for folder in (tmp_path, path.parent):
        with pytest.raises(InputProblem, match="among the files"):
            read_key_file(path, (folder,))
    for mode in (0o640, 0o604, 0o620):
        path.chmod(mode)
        with pytest.raises(InputProblem, match="others can read it"):
            read_key_file(path, ())
    path.chmod(0o600)
    (tmp_path / "link").symlink_to(path)
    with pytest.raises(InputProblem, match="no plain file"):
        read_key_file(tmp_path / "link", ())
