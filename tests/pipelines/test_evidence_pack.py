"""The evidence pack: bytes that anybody can check, a schema that holds, and no key of a row."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import jsonschema
import polars as pl
import pytest

from assets.deliveries.ledger import DeliveredFile, Delivery, State
from assets.home import Home
from assets.publication.evidence import FAILING_KEYS, RESTRICTED, keep_pack
from assets.publication.evidence_pack import CHECKS_SCHEMA, Facts, checks_document, pack_files
from assets.publication.run_log import RunState, read_runs
from dashboards.pages.evidence import PACKS, pack_name

if TYPE_CHECKING:
    from pathlib import Path

    from tests.pipelines.conftest import Installation

HOSTILE = "<script>alert(1)</script>\u202e=cmd|x"
CHECK: dict[str, Any] = {
    "check_id": "visit.key.unique",
    "title": "One row for each visit",
    "sentence": "visit_key identifies one row.",
    "table_name": "visit",
    "kind": "unique",
    "stage": "release",
    "severity": "critical",
    "tolerance": 0.5,
    "status": "pass_with_violations",
    "evaluated": 200,
    "violated": 3,
    "deliveries": 0,
}
RESULT = {"check_id": "visit.key.unique", "delivery_id": None, "status": "pass_with_violations", "sql_hash": "a" * 16}


@pytest.fixture
def facts() -> Facts:
    sent = Delivery(
        "d1",
        HOSTILE,
        (DeliveredFile("visit.csv", "f" * 64, 100, 90),),
        "2026-10-31T02:00:00Z",
        "canonical",
        1,
        "0" * 64,
        "2",
        state=State.ACCEPTED,
    )
    return Facts(
        release="abc123",
        stamp="2026-10-31T02:00:00Z",
        code_version="code",
        contract_version="2",
        definition="recovered_v1.v2",
        packages={"python": "3.11"},
        deliveries=(sent,),
        checks=[CHECK],
        results=[RESULT],
        conservation=[
            {
                **dict.fromkeys(("delivery_id", "label"), "d1"),
                **dict.fromkeys(("superseded", "rejected", "out_of_scope"), 0),
                "ingested": 90,
                "accepted": 88,
                "quarantined": 2,
            }
        ],
        waivers=[{"check_id": "visit.key.unique", "until": "2026-12-01", "rows": 2}],
        profile="internal",
        minimum_group=11,
        hidden={"primary": 12},
        files={"index.html": "e" * 64},
    )


def written(facts: Facts, folder: Path) -> Path:
    folder.mkdir()
    for name, content in pack_files(facts).items():
        (folder / name).write_bytes(content)
    return folder


def sums_hold(folder: Path) -> bool:
    tool = shutil.which("sha256sum")
    if tool is None:
        pytest.skip("no sha256sum on this machine")
    return subprocess.run([tool, "--quiet", "--strict", "-c", "SHA256SUMS"], cwd=folder, check=False).returncode == 0  # noqa: S603


def test_sums_hold_until_a_byte_changes(facts: Facts, tmp_path: Path) -> None:
    folder = written(facts, tmp_path / "pack")
    assert sums_hold(folder)
    assert {line.split()[1] for line in (folder / "SHA256SUMS").read_text().splitlines()} == {
        path.name for path in folder.iterdir() if path.name != "SHA256SUMS"
    }
    (folder / "checks.json").write_bytes((folder / "checks.json").read_bytes().replace(b"200", b"201"))
    assert not sums_hold(folder)


def test_the_same_facts_give_the_same_bytes(facts: Facts) -> None:
    turned = replace(facts, hidden=dict(reversed({**facts.hidden, "z": 1}.items())))
    assert pack_files(facts) == pack_files(replace(facts))
    assert pack_files(turned) == pack_files(replace(turned, hidden=dict(sorted(turned.hidden.items()))))


def test_checks_obey_the_schema_beside_them(facts: Facts) -> None:
    files = pack_files(facts)
    schema = json.loads(files["checks.schema.json"])
    jsonschema.Draft202012Validator.check_schema(schema)
    found = json.loads(files["checks.json"])
    jsonschema.validate(found, schema)
    (check,) = found["checks"]
    assert (check["observed"], check["threshold"], check["sql_hashes"]) == (0.015, 0.5, ["a" * 16])
    for fault in ({"status": "splendid"}, {"evaluated": -1}, {"mood": "good"}, {"threshold": None}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({**found, "checks": [{**check, **fault}]}, schema)


def test_a_check_without_rows_has_nothing_observed(facts: Facts) -> None:
    silent = replace(facts, checks=[{**CHECK, "evaluated": 0, "violated": 0, "status": "not_applicable"}], results=[])
    document = checks_document(silent)
    jsonschema.validate(document, CHECKS_SCHEMA)
    assert document["checks"][0]["observed"] is None
    assert b"Not applicable" in pack_files(silent)["index.html"]


def test_the_page_stands_alone(facts: Facts) -> None:
    page = pack_files(facts)["index.html"].decode()
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "\u202e" not in page
    assert not re.search(r"(src|href)=\"(?!data:,)", page)
    assert "Content-Security-Policy" in page
    for words in ("Sign-off", "Reviewed by", "f" * 64, "e" * 64, "abc123", "exact", "2026-12-01", "primary"):
        assert words in page
    wrong = replace(facts, conservation=[{**facts.conservation[0], "accepted": 87}])
    assert "DOES NOT ADD UP" in pack_files(wrong)["index.html"].decode()
    assert "DOES NOT ADD UP" not in page


def test_a_file_of_a_few_records_does_not_say_how_few(facts: Facts) -> None:
    few = replace(facts.deliveries[0].files[0], records=7, size_bytes=71)
    files = pack_files(replace(facts, deliveries=[replace(facts.deliveries[0], files=(few,))]))
    assert "&lt;11" in files["index.html"].decode()
    (sent,) = json.loads(files["manifest.json"])["deliveries"]
    assert sent["files"] == [{"name": "visit.csv", "sha256": "f" * 64, "records": None}]
    (kept,) = json.loads(pack_files(facts)["manifest.json"])["deliveries"]
    assert kept["files"][0]["records"] == 90


def test_the_name_says_day_and_release() -> None:
    assert pack_name("2026-10-31T02:00:00Z", "abc") == "2026-10-31_abc"
    assert pack_name("", "abc") == "undated_abc"


def test_a_kept_pack_is_never_overwritten(facts: Facts, tmp_path: Path) -> None:
    home = Home(tmp_path, "1GB")
    packs = home.site / PACKS
    packs.mkdir(parents=True)
    written(facts, packs / "2026-10-31_abc123")
    keep_pack(home)
    keep_pack(home)
    kept = home.path / PACKS
    assert [path.name for path in kept.iterdir()] == ["2026-10-31_abc123"]
    first = (kept / "2026-10-31_abc123" / "manifest.json").read_bytes()
    shutil.rmtree(packs / "2026-10-31_abc123")
    written(replace(facts, hidden={"primary": 13}), packs / "2026-10-31_abc123")
    keep_pack(home)
    assert sorted(path.name for path in kept.iterdir()) == ["2026-10-31_abc123", "2026-10-31_abc123-2"]
    assert (kept / "2026-10-31_abc123" / "manifest.json").read_bytes() == first


def test_the_pack_of_a_release(network: Installation) -> None:
    (folder,) = (network.home.site / PACKS).iterdir()
    assert sums_hold(folder)
    jsonschema.validate(json.loads((folder / "checks.json").read_text()), CHECKS_SCHEMA)
    manifest = json.loads((folder / "manifest.json").read_text())
    release = json.loads((network.home.current / "manifest.json").read_text())
    assert manifest["release"] == release["release"]
    in_release = {name.removeprefix("site/"): digest for name, digest in release["files"].items()}
    assert manifest["files"].items() <= in_release.items()
    assert {name for name in in_release.keys() - manifest["files"].keys() if not name.startswith(f"{PACKS}/")} == set()
    link = f"{PACKS}/{folder.name}/index.html"
    assert link in (network.home.site / "evidence.html").read_text()
    assert (network.home.path / PACKS / folder.name / "SHA256SUMS").exists()


def test_keys_of_failing_rows_are_beside_the_site_only(network: Installation) -> None:
    folder = network.home.current / RESTRICTED / FAILING_KEYS
    found = {path.stem: pl.read_csv(path, infer_schema=False) for path in folder.glob("*.csv")}
    counted = dict(network.query("select check_id, count(*) from audit.quarantine group by all").rows())
    assert {name: frame.height for name, frame in found.items() if name in counted} == counted
    keys = {
        key
        for frame in found.values()
        for name in ("visit_key", "episode_key", "patient_key")
        for key in frame[name].drop_nulls()
    }
    assert keys
    assert all(re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}", key) for key in keys)
    (pack,) = (network.home.site / PACKS).iterdir()
    text = "".join(path.read_text() for path in pack.iterdir())
    words = set(re.findall(r"[A-Za-z0-9_.:-]+", text))
    assert not {key for key in keys if len(key) > 5} & words
    assert not list(network.home.site.rglob(f"*{FAILING_KEYS}*"))
    log = read_runs(network.home.path).records
    assert log[0].state in (RunState.RELEASED, RunState.WARNED)
    assert not {key for key in keys if len(key) > 5} & set(re.findall(r"[A-Za-z0-9_.:-]+", str(log)))
