"""What lies in the files of a release being built, as tables that checks can read.

``audit.written_table``: for each published table and file, whether the file says what the table says, to the last
digit. ``audit.written_key``: files in which a key of a patient, of their care or of a therapist stands; the key itself
is not kept. ``audit.written_file``: the files of the site, and whether they were written on purpose.
``audit.written_number``: the shares that the first page prints, by what they are about.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    import duckdb

TEXTS = frozenset({".html", ".js", ".css", ".csv", ".json", ".svg", ".txt"})
LIBRARY = re.compile(r"^assets/plotly-[\d.]+\.min\.js$")
"""The one file that is not ours; no number and no key gets into it."""
SEARCHED = "length({0}) >= 9 or (length({0}) >= 3 and regexp_matches({0}, '[0-9]') and regexp_matches({0}, '[A-Za-z]'))"
"""Keys that can be told from words and counts: with letters and digits, or of nine characters and more."""
_TOKEN = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_.:-]*[A-Za-z0-9])?")
_PARTS = re.compile(r"[_.:-]")
LONG, SHORT = 9, 3
KEYS = {
    "patient": ("patient_key", "staging.patient"),
    "episode": ("episode_key", "intermediate.episode"),
    "visit": ("visit_key", "intermediate.visit"),
    "therapist": ("therapist_key", "intermediate.episode"),
}
"""Kinds of keys that no page may show: column and model."""
SHARE = re.compile(
    r'<a href="recovery\.html#(condition|clinic)=([^"&]+)">[^<]*</a>(?:(?!</tr>).)*?<strong>(\d+)%</strong>', re.DOTALL
)
"""A row of the first page: what it is about, and its share."""


def write_written(
    connection: duckdb.DuckDBPyConnection, release: Path, site: str, expected: Iterable[Path], tables: Iterable[str]
) -> None:
    """Put what the files say into the warehouse being built.

    Args:
        connection: To that warehouse.
        release: Folder of the release, with the tables and the site.
        site: Name of the site's folder.
        expected: The files that were written on purpose.
        tables: Names of the published tables.

    """
    frames = {name: _sorted(connection.sql(f"from published.{name}").pl()) for name in tables}
    written = pl.DataFrame(
        list(_tables(release, site, frames)),
        schema={"table_name": pl.String, "file": pl.String, "is_same": pl.Boolean},
        orient="row",
    )
    places = {path.relative_to(release / site).as_posix() for path in expected}
    found = {path.relative_to(release / site).as_posix() for path in (release / site).rglob("*") if path.is_file()}
    files = pl.DataFrame(
        [(name, name in places, name in found) for name in sorted(places | found)],
        schema={"file": pl.String, "is_expected": pl.Boolean, "is_there": pl.Boolean},
        orient="row",
    )
    texts = {name: _text(release / site / name) for name in sorted(found) if _is_text(name)}
    _keep(connection, "written_table", written)
    _keep(connection, "written_file", files)
    _keep(connection, "written_number", _numbers(texts.get("index.html", "")))
    _find_keys(connection, texts)


def _tables(release: Path, site: str, frames: Mapping[str, pl.DataFrame]) -> Iterator[tuple[str, str, bool]]:
    for name, frame in frames.items():
        for place in (f"tables/{name}.parquet", f"{site}/data/{name}.parquet", f"{site}/data/{name}.csv"):
            yield name, place, _is_same(release / place, frame)


def _sorted(frame: pl.DataFrame) -> pl.DataFrame:
    """The rows in an order of their own: DuckDB reads a table of more than a row group in any."""
    return frame.sort(frame.columns)


def _is_same(path: Path, frame: pl.DataFrame) -> bool:
    """Whether a file has the rows of a sorted table; a CSV has no other word for an empty text than for none."""
    if not path.is_file():
        return False
    try:
        if path.suffix == ".parquet":
            read = pl.read_parquet(path)
            return read.columns == frame.columns and _sorted(read).equals(frame)
        read = pl.read_csv(path, schema=frame.schema)
    except (pl.exceptions.PolarsError, OSError):
        return False
    texts = [name for name, dtype in frame.schema.items() if dtype == pl.String]
    # a spreadsheet would take a text for a formula: the writer puts an apostrophe before it
    plain = read.with_columns(pl.col(name).str.replace(r"^'([=+\-@\t\r])", "${1}") for name in texts)
    filled, said = (rows.with_columns(pl.col(*texts).fill_null("")) for rows in (plain, frame))
    return _sorted(filled).equals(_sorted(said))


def _numbers(text: str) -> pl.DataFrame:
    return pl.DataFrame(
        [(kind, code, int(share)) for kind, code, share in SHARE.findall(text)],
        schema={"about": pl.String, "code": pl.String, "percent": pl.Int64},
        orient="row",
    )


def _find_keys(connection: duckdb.DuckDBPyConnection, texts: Mapping[str, str]) -> None:
    tokens = pl.DataFrame(
        [(name, token) for name, text in texts.items() for token in _tokens(text)],
        schema={"file": pl.String, "token": pl.String},
        orient="row",
    )
    connection.register("written_token", tokens)
    found = "\nunion all\n".join(
        f"select distinct '{kind}' as kind, file from written_token\n"
        f"semi join (select {column} from {model} where {SEARCHED.format(column)}) on token = {column}"
        for kind, (column, model) in KEYS.items()
    )
    connection.execute(f"create or replace table audit.written_key as {found}")
    connection.unregister("written_token")


def _tokens(text: str) -> set[str]:
    """Words of a text that could be keys, whole and in the parts between dots, colons and dashes."""
    whole = set(_TOKEN.findall(text))
    parts = {part for token in whole if _PARTS.search(token) for part in _PARTS.split(token)}
    return {token for token in whole | parts if len(token) >= LONG or (len(token) >= SHORT and not token.isalpha())}


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")


def _is_text(name: str) -> bool:
    return Path(name).suffix in TEXTS and not LIBRARY.match(name)


def _keep(connection: duckdb.DuckDBPyConnection, name: str, frame: pl.DataFrame) -> None:
    connection.register("written_frame", frame)
    connection.execute(f"create or replace table audit.{name} as select * from written_frame")
    connection.unregister("written_frame")
