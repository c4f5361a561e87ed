"""From published frames to a folder that opens from disk: pages, data, styles, engine, the chart library.

Two builds of the same frames are equal byte by byte. Nothing is read but the frames, the contract, ``SiteMeta`` and
the files of this package and of plotly.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import replace
from importlib import resources
from typing import TYPE_CHECKING

import polars as pl
from plotly.offline import get_plotlyjs, get_plotlyjs_version

from dashboards.markup import script_json
from dashboards.pages import (
    audit_guide,
    clinics,
    definitions,
    evidence,
    failures,
    guide,
    numbers,
    overview,
    quality,
    recovery,
    runbook,
    runs,
    safety,
    scores,
    sources,
)
from dashboards.pages.catalogue import catalogue_files
from dashboards.pages.frame import GUIDES, START, SiteMeta, contents, document
from dashboards.passports import passports, withheld_reasons
from dashboards.published import Published
from dashboards.scripts import lean, lean_sheet
from dashboards.status import STATUS_FILE, status_script
from dashboards.theme import stylesheet

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from assets.contract.model import Contract
    from dashboards.pages.frame import Page

__all__ = ["SiteMeta", "build_site"]

PAGE_MODULES = {
    "index": overview,
    "recovery": recovery,
    "clinics": clinics,
    "scores": scores,
    "safety": safety,
    "quality": quality,
    "runs": runs,
    "definitions": definitions,
    "evidence": evidence,
    "numbers": numbers,
    "sources": sources,
    "guide": guide,
    "runbook": runbook,
    "failures": failures,
    "audit-guide": audit_guide,
}

WITHOUT_NUMBERS = ("quality", "runs", "definitions", "evidence", "numbers", "sources", *GUIDES)
"""Pages that show no number about patients, though they may look at one to see what there is."""

_FORMULA = r"^[=+\-@\t\r]"
_NUMBER = r"^[+-]?\d+(\.\d+)?$"


def build_site(frames: Mapping[str, pl.DataFrame], contract: Contract, meta: SiteMeta, out: Path) -> list[Path]:
    """Write the site and return the files written, sorted.

    Args:
        frames: Published frames by name, after disclosure control; missing and empty ones are allowed.
        contract: The contract with what profiles added to it.
        meta: What the pages say about the run.
        out: Folder of the site; created if absent, files in it are replaced.

    Raises:
        OSError: the folder cannot be written.
        RuntimeError: the installed chart library is not the version that the pages name.

    """
    written = []
    for name, content in _files(frames, contract, meta):
        path = out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        written.append(path)
    return sorted(written)


class _Noted(Mapping[str, pl.DataFrame]):
    """Frames that note which of them a page has looked at."""

    def __init__(self, frames: Mapping[str, pl.DataFrame]) -> None:
        self.frames, self.seen = frames, set[str]()

    def __getitem__(self, name: str) -> pl.DataFrame:
        self.seen.add(name)
        return self.frames[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.frames)

    def __len__(self) -> int:
        return len(self.frames)


def _page(name: str, frames: Mapping[str, pl.DataFrame], contract: Contract, meta: SiteMeta) -> tuple[Page, SiteMeta]:
    """Build a page; where numbers that it shows are withheld, once more, with the reasons."""
    noted = _Noted(frames)
    page = PAGE_MODULES[name].build(Published(noted, contract), meta)
    reasons = withheld_reasons(frames, noted.seen)
    if reasons and name not in WITHOUT_NUMBERS:
        meta = replace(meta, withheld=reasons)
        page = PAGE_MODULES[name].build(Published(frames, contract), meta)
    return page, meta


def _files(frames: Mapping[str, pl.DataFrame], contract: Contract, meta: SiteMeta) -> Iterator[tuple[str, bytes]]:
    built = [_page(name, frames, contract, meta) for name in PAGE_MODULES if meta.has(name)]
    if not meta.has(START):
        built.append((contents(meta), meta))
    made = [page for page, _ in built]
    for page, said in built:
        yield f"{page.name}.html", document(page, said).encode()
        if page.payload:
            yield f"data/{page.name}.js", f"window.DASH={script_json(page.payload)};\n".encode()
        yield from _chunks(page)
    yield from catalogue_files(meta)
    told = passports(Published(frames, contract), meta)
    yield "data/passports.js", f"window.DASH_PASSPORTS={script_json(told)};\n".encode()
    for name, frame in sorted(frames.items()):
        yield f"data/{name}.csv", _csv(frame)
        yield f"data/{name}.parquet", _parquet(frame)
    yield STATUS_FILE, status_script("")
    static = resources.files("dashboards").joinpath("static")
    common = stylesheet() + static.joinpath("style.css").read_text(encoding="utf-8")
    yield "assets/style.css", lean_sheet(common).encode()
    for sheet in sorted({name for page in made for name in page.styles}):
        yield f"assets/{sheet}.css", lean_sheet(static.joinpath(f"{sheet}.css").read_text(encoding="utf-8")).encode()
    for script in ("theme.js", "app.js"):
        yield f"assets/{script}", lean(static.joinpath(script).read_text(encoding="utf-8")).encode()
    yield f"assets/plotly-{get_plotlyjs_version()}.min.js", _plotly()


def _chunks(page: Page) -> Iterator[tuple[str, bytes]]:
    """Files that the engine loads for one value of a filter; the payload says which value each is for."""
    for name, parts in page.chunks.items():
        file = f"data/{name}.js"
        places = [place for place, named in enumerate((page.payload or {})["chunks"]["files"]) if named == file]
        if not places:
            message = f"{file} is not in the list of files that page {page.name} names"
            raise ValueError(message)
        at = places[0] if len(places) == 1 else places
        yield file, f"window.DASH_CHUNK({script_json(at)},{script_json(parts)});\n".encode()


def _plotly() -> bytes:
    text: str = get_plotlyjs()
    if f"plotly.js v{get_plotlyjs_version()}" not in text[:200]:
        message = "the installed plotly package carries another plotly.js than it says"
        raise RuntimeError(message)
    return text.encode()


def _csv(frame: pl.DataFrame) -> bytes:
    """Return plain CSV in which no text can be taken for a formula by a spreadsheet."""
    strings = [name for name, dtype in frame.schema.items() if dtype == pl.String]
    guarded = (
        pl.when(pl.col(name).str.contains(_FORMULA) & ~pl.col(name).str.contains(_NUMBER))
        .then(pl.concat_str(pl.lit("'"), pl.col(name)))
        .otherwise(pl.col(name))
        .alias(name)
        for name in strings
    )
    return frame.with_columns(guarded).write_csv().encode()


def _parquet(frame: pl.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.write_parquet(buffer)
    return buffer.getvalue()
