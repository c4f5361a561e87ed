"""The evidence pack: bytes that anybody can check, a schema that holds, and no key of a row."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import duckdb
import jsonschema
import polars as pl
import pytest

from assets.audit.ledger import append, entries
from assets.contract import CONTRACT
from assets.deliveries.ledger import DeliveredFile, Delivery, State
from assets.home import Home
from assets.publication.evidence import FAILING_KEYS, RESTRICTED, keep_pack
from assets.publication.evidence_pack import CHECKS_SCHEMA, Facts, checks_document, pack_files, sha256
from assets.publication.run_log import RunState, read_runs
from assets.quality.catalogue import all_checks
from dashboards.pages.evidence import PACKS, pack_name

if TYPE_CHECKING:
    from pathlib import Path

    from tests.pipelines.conftest import Installation

PACK = "2026-10-31_abc123"
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
THRESHOLD = {"value": 0.5, "reason": "Half of them", "owner": "team:quality", "since": "2026-11-23"}
DRIFT = {
    "check_id": "drift.volume",
    "clinic_key": "c1",
    "delivery_id": "d1",
    "score": 9.5,
    "threshold": 3.0,
    "is_flagged": True,
    "direction": "more",
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
        thresholds=[{"check_id": "visit.key.unique", **THRESHOLD}, {"check_id": "visit.schema", **THRESHOLD}],
        drift=[DRIFT, {**DRIFT, "delivery_id": "d2", "is_flagged": False, "score": 0.1}],
        validations={"release": b'{"results":[1]}\n', "delivery-d1": b"{}\n"},
        catalogue={check.check_id: check for check in all_checks(CONTRACT)},
    )


def written(facts: Facts, folder: Path) -> Path:
    for name, content in pack_files(facts).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def files_of(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def sums_hold(folder: Path) -> bool:
    tool = shutil.which("sha256sum")
    if tool is None:
        pytest.skip("no sha256sum on this machine")
    return subprocess.run([tool, "--quiet", "--strict", "-c", "SHA256SUMS"], cwd=folder, check=False).returncode == 0  # noqa: S603


def test_sums_hold_until_a_byte_changes(facts: Facts, tmp_path: Path) -> None:
    folder = written(facts, tmp_path / "pack")
    assert sums_hold(folder)
    listed = {line.split()[1] for line in (folder / "SHA256SUMS").read_text().splitlines()}
    assert listed == files_of(folder).keys() - {"SHA256SUMS"}
    assert {"gx/release.json", "gx/delivery-d1.json"} <= listed
    for name, before, after in (("checks.json", b"200", b"201"), ("gx/release.json", b"1", b"2")):
        content = (folder / name).read_bytes()
        (folder / name).write_bytes(content.replace(before, after))
        assert not sums_hold(folder)
        (folder / name).write_bytes(content)


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
    assert (check["category"], check["owner"], check["changed"]) == ("plausibility", "data quality", None)
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
    assert page.count("Half of them") == 1, "thresholds that say the same stand once"
    assert "2 comparisons" in page
    assert page.count("drift.volume") == 1, "only what is beyond its limit is listed"
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


@pytest.fixture
def built(facts: Facts, tmp_path: Path) -> Home:
    """A home whose site in force has a pack."""
    home = Home(tmp_path, "1GB")
    home.create()
    packs = home.releases / "abc123" / "site" / PACKS
    packs.mkdir(parents=True)
    home.current.symlink_to("releases/abc123")
    duckdb.connect(str(home.current / "warehouse.duckdb")).close()
    written(facts, packs / PACK)
    return home


def test_a_kept_pack_is_never_overwritten(facts: Facts, built: Home) -> None:
    keep_pack(built)
    keep_pack(built)
    kept = built.path / PACKS
    assert [path.name for path in kept.iterdir()] == [PACK]
    first = files_of(kept / PACK)
    shutil.rmtree(built.site / PACKS / PACK)
    written(replace(facts, hidden={"primary": 13}), built.site / PACKS / PACK)
    keep_pack(built)
    assert sorted(path.name for path in kept.iterdir()) == [PACK, f"{PACK}-2"]
    assert files_of(kept / PACK) == first
    sealed = [entry.body for entry in entries(built.path) if entry.kind == "pack"]
    assert sealed == [
        {"pack": name, "sums_sha256": sha256((kept / name / "SHA256SUMS").read_bytes())} for name in (PACK, f"{PACK}-2")
    ]


def test_a_kept_pack_says_where_the_ledger_stood(built: Home) -> None:
    append(built.path, "release", {"release": "before0"})
    append(built.path, "waiver", {"check_id": "a.b", "until": "2026-12-24", "because": HOSTILE}, by="Quality team")
    head = append(built.path, "release", {"release": "abc123"})
    with duckdb.connect(str(built.warehouse)) as connection:
        connection.execute("create schema audit")
        connection.execute(
            "create table audit.check_delta as select * from (values ('a.b', 'c1', 'new', 7, 0), "
            "('c.d', null, 'stable', 0, 0)) as t (check_id, clinic_key, delta, violated, violated_before)"
        )
    keep_pack(built)
    folder = built.path / PACKS / PACK
    assert sums_hold(folder)
    said = json.loads((folder / "trail.json").read_text())
    assert said["ledger_head"] == {"number": 3, "hash": head.hash, "at": head.at}
    assert (said["release"], said["release_before"]) == ("abc123", "before0")
    assert [one["body"]["until"] for one in said["decisions"]] == ["2026-12-24"]
    assert [(row["check_id"], row["delta"]) for row in said["delta"]] == [("a.b", "new"), ("c.d", "stable")]
    page = (folder / "trail.html").read_text()
    for words in (head.hash, "Quality team", "2026-12-24", "&lt;script&gt;", "check id a.b"):
        assert words in page
    assert "c.d" not in page, "what is stable is not listed"
    assert not (built.site / PACKS / PACK / "trail.json").exists(), "the release says nothing of its past"


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
    kept = network.home.path / PACKS / folder.name
    assert sums_hold(kept)
    assert files_of(kept).keys() - files_of(folder).keys() == {"trail.json", "trail.html"}
    documents = {path.stem: json.loads(path.read_text()) for path in (folder / "gx").iterdir()}
    ids = {one["delivery_id"] for one in manifest["deliveries"] if one["state"] == "accepted"}
    assert {f"delivery-{one}" for one in ids} | {"release"} <= documents.keys()
    checks = {check["check_id"]: check for check in json.loads((folder / "checks.json").read_text())["checks"]}
    for one in documents["release"]["results"]:
        check = checks[one["expectation_config"]["meta"]["check_id"]]
        if one["result"]:
            assert one["result"]["unexpected_count"] == check["violated"]


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
    text = "".join(content.decode() for content in files_of(pack).values())
    words = set(re.findall(r"[A-Za-z0-9_.:-]+", text))
    assert not {key for key in keys if len(key) > 5} & words
    assert not list(network.home.site.rglob(f"*{FAILING_KEYS}*"))
    log = read_runs(network.home.path).records
    assert log[0].state in (RunState.RELEASED, RunState.WARNED)
    assert not {key for key in keys if len(key) > 5} & set(re.findall(r"[A-Za-z0-9_.:-]+", str(log)))
