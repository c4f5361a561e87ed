"""A written site as an attacker holds it: tables from the downloads, and whatever the pages and their data say."""

from __future__ import annotations

import io
import json
import re
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ASSETS = "assets"
"""Folder of what every site holds whatever its numbers: styles, engine, chart library."""
_CALL = re.compile(r"window\.\w+\s*[=(]\s*")


def read_table(path: Path) -> pl.DataFrame:
    """A downloaded table, every value as the text that stands in the file; null where there is none."""
    lines = path.read_text(encoding="utf-8-sig").splitlines(keepends=True)
    text = "".join(lines[next((n for n, line in enumerate(lines) if not line.startswith("#")), len(lines)) :])
    return pl.read_csv(io.StringIO(text), infer_schema=False) if text.strip() else pl.DataFrame()


def read_tables(site: Path) -> dict[str, pl.DataFrame]:
    """Every table of the downloads, by name."""
    return {path.stem: read_table(path) for path in sorted((site / "data").glob("*.csv"))}


def payloads(site: Path) -> dict[str, Any]:
    """What every data script of the pages holds, by its path within the site."""
    found = {}
    for path in sorted((site / "data").rglob("*.js")):
        text = path.read_text(encoding="utf-8")
        decoder = json.JSONDecoder()
        values, at = [], 0
        while call := _CALL.search(text, at):
            at = call.end()
            while at < len(text) and text[at] not in ");\n":
                value, at = decoder.raw_decode(text, at)
                values.append(value)
                at += text[at : at + 1] == ","
        found[path.relative_to(site).as_posix()] = values
    return found


@dataclass(frozen=True, slots=True)
class Leaf:
    """One value of a payload and the way to it."""

    file: str
    way: tuple[str | int, ...]
    value: Any


def leaves(site: Path) -> Iterator[Leaf]:
    """Every single value of every payload."""
    for file, value in payloads(site).items():
        yield from _leaves(file, (), value)


def _leaves(file: str, way: tuple[str | int, ...], value: Any) -> Iterator[Leaf]:
    if isinstance(value, dict):
        for name, part in value.items():
            yield from _leaves(file, (*way, name), part)
    elif isinstance(value, list):
        for number, part in enumerate(value):
            yield from _leaves(file, (*way, number), part)
    else:
        yield Leaf(file, way, value)


def page_texts(site: Path) -> dict[str, str]:
    """Words of every page as a reader sees them, one line per element, by its path within the site."""
    return {path.relative_to(site).as_posix(): page_words(path) for path in sorted(site.rglob("*.html"))}


def page_words(path: Path) -> str:
    """Words of one page."""
    words = _Words()
    words.feed(path.read_text(encoding="utf-8"))
    return "\n".join(words.lines)


class _Words(HTMLParser):
    """Text of a page, and the attributes that are read or heard."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._silent += tag in ("script", "style")
        self.lines.extend(value for name, value in attrs if value and name in ("aria-label", "title", "alt"))

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in ("script", "style")

    def handle_data(self, data: str) -> None:
        if not self._silent and data.strip():
            self.lines.append(data.strip())


def own_files(site: Path) -> list[Path]:
    """Every file that depends on the data."""
    return [path for path in sorted(site.rglob("*")) if path.is_file() and ASSETS not in path.relative_to(site).parts]
