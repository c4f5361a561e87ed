"""A sign-off is about a release as it is: one that was changed is not signed, one that was made again not yet."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from assets.audit.ledger import entries
from assets.audit.seals import MANIFEST, sha256
from assets.audit.sign_off import Verdict, not_signed, sign, signed
from assets.audit.verify import verify
from assets.deliveries.problems import InputProblem
from pipelines.cli import cli
from tests.audit.conftest import release_of

if TYPE_CHECKING:
    from assets.home import Home

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
GOOD: dict[str, Any] = {"decision": Verdict.ACCEPT, "by": "Q. Lead", "note": "all checks looked at", "now": NOW}


def test_a_sign_off_names_the_manifest_and_stays_in_the_ledger(sealed_home: Home) -> None:
    assert signed(sealed_home, "bbbb") is None
    entry = sign(sealed_home, "bbbb", **GOOD)
    assert entry == entries(sealed_home.path)[-1]
    assert (entry.kind, entry.by, entry.body["release"], entry.body["decision"]) == (
        "sign_off",
        "Q. Lead",
        "bbbb",
        "accept",
    )
    assert entry.body["manifest_sha256"] == sha256(sealed_home.releases / "bbbb" / MANIFEST)
    assert verify(sealed_home).broken == ()


def test_the_newest_sign_off_counts(sealed_home: Home) -> None:
    for decision, said in (
        (Verdict.ACCEPT, ""),
        (Verdict.REJECT, "release bbbb was rejected by the one who signed it"),
        (Verdict.ACCEPT, ""),
    ):
        sign(sealed_home, "bbbb", **(GOOD | {"decision": decision}))
        assert not_signed(sealed_home, "bbbb") == said
    assert not_signed(sealed_home, "aaaa").startswith("release aaaa has not been signed")


def test_a_release_made_again_with_other_bytes_has_not_been_signed(sealed_home: Home) -> None:
    sign(sealed_home, "bbbb", **GOOD)
    release_of(sealed_home, "bbbb")  # without the delivery of before
    assert signed(sealed_home, "bbbb") is None


@pytest.mark.parametrize("name", ["manifest.json", "site/index.html", "warehouse.duckdb", "seal.json"])
def test_what_was_changed_is_not_signed(sealed_home: Home, name: str) -> None:
    path = sealed_home.releases / "bbbb" / name
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(InputProblem, match=rf"releases/bbbb/{name}: .*what was changed is not signed"):
        sign(sealed_home, "bbbb", **GOOD)
    assert not any(entry.kind == "sign_off" for entry in entries(sealed_home.path))


@pytest.mark.parametrize(
    ("release", "changes", "said"),
    [
        pytest.param("cccc", {}, "no release of this name", id="no such release"),
        pytest.param("../releases/gone", {}, "no release of this name", id="elsewhere"),
        pytest.param(".building", {}, "no release of this name", id="being built"),
        pytest.param("bbbb", {"by": " "}, "by cannot be used", id="nobody"),
        pytest.param("bbbb", {"note": "fine"}, "note cannot be used", id="a short note"),
    ],
)
def test_what_cannot_be_signed(sealed_home: Home, release: str, changes: dict[str, Any], said: str) -> None:
    with pytest.raises(InputProblem, match=said) as caught:
        sign(sealed_home, release, **(GOOD | changes))
    assert caught.value.code == "SIGN_OFF"


def test_the_command_says_the_head_to_keep(sealed_home: Home) -> None:
    call = ["audit", "sign", "bbbb", "--home", str(sealed_home.path), "--by", "Q. Lead", "--note", "looked at it all"]
    said = CliRunner().invoke(cli, [*call, "--decision", "reject"])
    assert said.output == f"Signed as entry 7. Head of the ledger: {entries(sealed_home.path)[-1].hash}\n"
    assert CliRunner().invoke(cli, [*call, "--decision", "maybe"]).exit_code == 2
