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
from dashboards.scripts import lean_sheet
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


def parts(path: Path) -> list[dict[str, Any]]:
    """Return the parts of selections in a file of a page, or in one that is loaded for a value of a filter."""
    text = path.read_text(encoding="utf-8")
    if text.startswith("window.DASH="):
        found: list[dict[str, Any]] = payload(path).get("parts", [])
        return found
    call = re.fullmatch(r"window\.DASH_CHUNK\(\d+,(.*)\);\n", text, re.DOTALL)
    assert call, path.name
    loaded: list[dict[str, Any]] = json.loads(call[1])
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
    for page in network_site.glob("*.html"):
        text = page.read_text(encoding="utf-8")
        sent = re.findall(r'(?:href|src)="(assets/[^"]*)"', text)
        assert {"assets/style.css", "assets/app.js"} <= set(sent)
        assert page.stat().st_size + sum((network_site / name).stat().st_size for name in sent) <= 60 * KILO, page.name
    for data in network_site.glob("data/*.js"):
        assert data.stat().st_size <= 800 * KILO, data.name
        assert len(gzip.compress(data.read_bytes())) <= 150 * KILO, data.name


def test_style_sheets_lose_only_what_browsers_ignore() -> None:
    sheet = "/* why */\n.a:hover , b > c {\n  color : red; width: calc(1px + 2px);\n}\n@media print { i { top: 0; } }\n"
    assert lean_sheet(sheet) == ".a:hover ,b > c{color :red;width:calc(1px + 2px)}@media print{i{top:0}}\n"


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
        if not path.read_text(encoding="utf-8").startswith("window.DASH="):
            continue
        config = payload(path)["config"]
        assert config["showSendToCloud"] is False
        assert config["plotlyServerURL"] == ""
        assert config["displayModeBar"] is False
        assert config["displaylogo"] is False


def test_hidden_groups_leave_no_number(network_site: Path) -> None:
    tables = payload(network_site / "data" / "recovery.js")["tables"]
    columns = {name: [column[0] for column in table["columns"]] for name, table in tables.items()}
    hidden = 0
    for path in network_site.glob("data/recovery*.js"):
        for state in (state for part in parts(path) for state in part["states"].values()):
            for table, rows in state.get("rows", {}).items():
                hidden += sum(_is_hidden(dict(zip(columns[table], row, strict=True))) for row in rows)
    assert hidden > 100, "the sample must contain hidden groups"


def _is_hidden(row: dict[str, Any]) -> bool:
    sizes = {name: row.get(name) for name in ("Known outcomes", "Closed episodes", "Pairs of scores", "Still in care")}
    for size in sizes.values():
        assert not isinstance(size, int) or size == 0 or size >= 11
    if "hidden" not in sizes.values():
        return False
    # What all clinics together have stands beside a hidden group: it is not about the group.
    assert not any(isinstance(cell, int | float) for name, cell in row.items() if not name.startswith("All clinics"))
    return True


def test_cells_of_the_page_equal_the_published_frame(network_site: Path) -> None:
    """What is in the files is compared with the file of the table, so that nothing between them can change it."""
    made = payload(network_site / "data" / "recovery.js")
    values = {item["id"]: [value[0] for value in item["values"]] for item in made["filters"]}
    frame = pl.read_parquet(network_site / "data" / "recovery_by_condition.parquet")
    found = {
        (row["condition_id"], row["clinic_key"] or "", row["period"], row["care"]): row
        for row in frame.filter(pl.col("definition_id") == "recovered_v1").to_dicts()
    }
    seen = 0
    for place, file in enumerate(made["chunks"]["files"]):
        for part in parts(network_site / (file or "data/recovery.js")):
            for key, state in part["states"].items():
                chosen = {name: values[name][int(at)] for name, at in zip(part["by"], key.split("|"), strict=False)}
                for head, n, rate, *_ in state.get("rows", {}).get("conditions", []):
                    condition = head[0] if isinstance(head, list) else None
                    row = found[condition, values["clinic"][place], chosen["period"], chosen["care"]]
                    if row["suppressed"]:
                        assert n == "hidden"
                    else:
                        assert n == row["n"]
                        assert rate is None or abs(rate - 100 * row["rate"]) <= 0.5
                        seen += 1
    assert seen > 400


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
    made = payload(hostile_site / "data" / "recovery.js")
    ticks = made["base"]["clinics"]["layout"]["yaxis"]["ticktext"]
    assert any("&lt;script&gt;alert(1)" in tick for tick in ticks)
    assert not any("<script" in tick for tick in ticks)
