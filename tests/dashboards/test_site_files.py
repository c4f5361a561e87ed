"""The folder as a whole: repeatable, light, free of leaks, safe with hostile names."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from plotly.offline import get_plotlyjs

from assets.contract import CONTRACT
from dashboards.site import build_site
from tests.dashboards import sample_frames

if TYPE_CHECKING:
    from dashboards.site import SiteMeta

ROOT = Path(__file__).resolve().parents[2]
KILO = 1000
BUILD = """
import sys
from pathlib import Path
from assets.contract import CONTRACT
from dashboards.site import SiteMeta, build_site
from tests.dashboards import sample_frames
meta = SiteMeta("Clinic outcomes", "2026-10-31", "4f1c9a2", "1", 244, 236, 8, True, 11)
build_site(sample_frames.network(), CONTRACT, meta, Path(sys.argv[1]))
"""


def payload(path: Path) -> dict[str, Any]:
    text = path.read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text.removeprefix("window.DASH=").removesuffix(";\n"))
    return loaded


def digests(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_two_builds_are_equal_byte_by_byte(network_site: Path, tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONHASHSEED": "99", "TZ": "Pacific/Auckland", "POLARS_MAX_THREADS": "1"}
    subprocess.run([sys.executable, "-c", BUILD, str(tmp_path)], check=True, cwd=ROOT, env=environment)  # noqa: S603
    assert digests(tmp_path) == digests(network_site)


def test_returns_every_file_it_wrote(meta: SiteMeta, tmp_path: Path) -> None:
    written = build_site(sample_frames.empty(), CONTRACT, meta, tmp_path)
    assert written == sorted(path for path in tmp_path.rglob("*") if path.is_file())


def test_no_frames_at_all_still_give_a_site(meta: SiteMeta, tmp_path: Path) -> None:
    build_site({}, CONTRACT, replace(meta, stamp="", checks_total=0), tmp_path)
    text = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert "No data has been published yet" in text
    assert "Date of the data not stated" in text


def test_the_chart_library_is_the_one_of_the_package(network_site: Path) -> None:
    (library,) = (network_site / "assets").glob("plotly-*.min.js")
    assert library.read_text(encoding="utf-8") == get_plotlyjs()


def test_weights(network_site: Path) -> None:
    shared = sum((network_site / "assets" / name).stat().st_size for name in ("style.css", "theme.js", "app.js"))
    for page in network_site.glob("*.html"):
        assert shared + page.stat().st_size <= 60 * KILO, page.name
        data = network_site / "data" / f"{page.stem}.js"
        if data.exists():
            assert data.stat().st_size <= 800 * KILO
            assert len(gzip.compress(data.read_bytes())) <= 150 * KILO


def test_engine_stays_small() -> None:
    engine = (ROOT / "dashboards" / "static" / "app.js").read_text(encoding="utf-8")
    assert len(engine.splitlines()) <= 400
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|fetch\(|XMLHttp", engine)


@pytest.mark.parametrize("site", ["network_site", "trial_site", "empty_site"])
def test_nothing_points_outside_and_nothing_is_packed(site: str, request: pytest.FixtureRequest) -> None:
    folder: Path = request.getfixturevalue(site)
    for path in folder.rglob("*"):
        if path.suffix not in (".html", ".js", ".css") or path.name.startswith("plotly-"):
            continue
        text = path.read_text(encoding="utf-8")
        assert "bdata" not in text, f"{path.name} carries packed numbers"
        assert "cdn." not in text
        assert not re.search(r"(src|href|url)\s*[=(]\s*[\"']?(https?:)?//", text)
        assert "sourceMappingURL" not in text
    for path in (folder / "data").glob("*.js"):
        config = payload(path)["config"]
        assert config["showSendToCloud"] is False
        assert config["plotlyServerURL"] == ""
        assert config["displayModeBar"] is False
        assert config["displaylogo"] is False


def test_hidden_groups_leave_no_number(network_site: Path) -> None:
    made = payload(network_site / "data" / "index.js")
    columns = {name: [column[0] for column in table["columns"]] for name, table in made["tables"].items()}
    hidden = 0
    for state in made["states"].values():
        for table, rows in state["rows"].items():
            for row in rows:
                named = dict(zip(columns[table], row, strict=True))
                for name in ("Known outcomes", "Closed episodes", "Still in care"):
                    size = named.get(name)
                    hidden += size == "<11"
                    assert not isinstance(size, int) or size == 0 or size >= 11
                    if size == "<11":
                        assert not any(isinstance(cell, int | float) for cell in row[1:-1])
    assert hidden, "the sample must contain hidden groups"


def test_cells_of_the_page_equal_the_published_frame(network_site: Path) -> None:
    made = payload(network_site / "data" / "index.js")
    frame = pl.read_parquet(network_site / "data" / "recovery_by_condition.parquet")
    clinics = [value[0] for value in made["filters"][0]["values"]]
    care = [value[0] for value in made["filters"][1]["values"]]
    labels = {item.label: item.condition_id for item in CONTRACT.conditions}
    found = {
        (row["condition_id"], row["clinic_key"] or "", row["care"]): row
        for row in frame.filter(pl.col("definition_id") == "recovered_v1").to_dicts()
    }
    seen = 0
    for key, state in made["states"].items():
        clinic, kind = (int(place) for place in key.split("|"))
        for label, n, recovered, rate, *_ in state["rows"]["conditions"]:
            row = found[labels.get(label), clinics[clinic], care[kind]]
            if row["suppressed"]:
                assert n == "<11"
            else:
                assert (n, recovered) == (row["n"], row["recovered"])
                assert rate is None or abs(rate - 100 * row["rate"]) <= 0.5
                seen += 1
    assert seen > 100


def test_csv_is_plain_and_free_of_formulas(meta: SiteMeta, tmp_path: Path) -> None:
    frame = pl.DataFrame({"clinic_key": ["=cmd()", "-5", "ok", "@x", "\tx", None], "label": list("abcdef")})
    build_site({"clinic": frame}, CONTRACT, meta, tmp_path)
    text = (tmp_path / "data" / "clinic.csv").read_text(encoding="utf-8")
    assert text.splitlines()[0] == "clinic_key,label"
    read = pl.read_csv(tmp_path / "data" / "clinic.csv", infer_schema=False)
    assert read["clinic_key"].to_list() == ["'=cmd()", "-5", "ok", "'@x", "'\tx", None]
    assert pl.read_parquet(tmp_path / "data" / "clinic.parquet").equals(frame)


def test_hostile_names_stay_text(hostile_site: Path) -> None:
    seen = 0
    for path in (*hostile_site.glob("*.html"), *(hostile_site / "data").glob("*.js")):
        text = path.read_text(encoding="utf-8")
        assert "<script>alert" not in text
        assert "\u202e" not in text
        seen += "alert(1)" in text
    assert seen >= 6
    made = payload(hostile_site / "data" / "index.js")
    ticks = made["base"]["clinics"]["layout"]["yaxis"]["ticktext"]
    assert any("&lt;script&gt;alert(1)" in tick for tick in ticks)
    assert not any("<script" in tick for tick in ticks)
