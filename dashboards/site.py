"""From published frames to a folder that opens from disk: pages, data, styles, engine, the chart library.

Two builds of the same frames are equal byte by byte. Nothing is read but the frames, the contract, ``SiteMeta`` and
the files of this package and of plotly.
"""

from __future__ import annotations

import io
from importlib import resources
from typing import TYPE_CHECKING

import polars as pl
from plotly.offline import get_plotlyjs, get_plotlyjs_version

from dashboards.markup import script_json
from dashboards.pages import (
    clinics,
    definitions,
    evidence,
    numbers,
    overview,
    quality,
    recovery,
    runs,
    safety,
    scores,
    sources,
)
from dashboards.pages.frame import SiteMeta, document
from dashboards.published import Published
from dashboards.theme import stylesheet

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from assets.contract.model import Contract

__all__ = ["SiteMeta", "build_site"]

PAGE_MODULES = (
    overview,
    recovery,
    clinics,
    scores,
    safety,
    quality,
    runs,
    definitions,
    evidence,
    numbers,
    sources,
)

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
    published = Published(frames, contract)
    written = []
    for name, content in _files(published, meta):
        path = out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        written.append(path)
    return sorted(written)


def _files(published: Published, meta: SiteMeta) -> Iterator[tuple[str, bytes]]:
    made = [module.build(published, meta) for module in PAGE_MODULES]
    for page in made:
        yield f"{page.name}.html", document(page, meta).encode()
        if page.payload:
            yield f"data/{page.name}.js", f"window.DASH={script_json(page.payload)};\n".encode()
    for name, frame in sorted(published.frames.items()):
        yield f"data/{name}.csv", _csv(frame)
        yield f"data/{name}.parquet", _parquet(frame)
    static = resources.files("dashboards").joinpath("static")
    yield "assets/style.css", (stylesheet() + static.joinpath("style.css").read_text(encoding="utf-8")).encode()
    for sheet in sorted({name for page in made for name in page.styles}):
        yield f"assets/{sheet}.css", static.joinpath(f"{sheet}.css").read_bytes()
    for script in ("theme.js", "app.js"):
        yield f"assets/{script}", static.joinpath(script).read_bytes()
    yield f"assets/plotly-{get_plotlyjs_version()}.min.js", _plotly()


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
