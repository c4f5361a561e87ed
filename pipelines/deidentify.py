"""``needlepoint deidentify``: on the clinic's own machine, from files as they are to files that may be sent.

Everything is made in a private folder beside the output and moved there at the end, so that nothing half done can be
sent. The output passes the same identifier gate as a delivery does, or there is none.
"""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from assets.contract import CONTRACT
from assets.deliveries.emitters import emitters_of
from assets.deliveries.formats import STRUCTURE, open_table
from assets.deliveries.formats.unpack import unpacked
from assets.deliveries.gate import agreed_on, gate_names, gate_values
from assets.deliveries.landing import find_deliveries
from assets.deliveries.problems import COLUMN_NAME, InputProblem, said_column
from assets.deliveries.profile import load_profile, save_profile
from assets.deliveries.sources import DeliveryTables, rows_in_scope
from assets.privacy.deidentify import CleanColumns, as_text, clean_same_names, clean_source, first_days
from assets.privacy.deidentify_fhir import CleanResources, note_course, parse_resource, write_resource
from assets.privacy.deidentify_report import CleanedFile, Report
from assets.privacy.fhir import identifying_elements
from assets.privacy.keys import canonical, read_key_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from assets.contract.model import Contract
    from assets.deliveries.emitters import Emitter
    from assets.deliveries.formats import TextTable
    from assets.deliveries.landing import Sent
    from assets.deliveries.profile import Profile
    from assets.deliveries.profile.fields import FileSource
    from assets.privacy.deidentify_fhir import Course
    from assets.privacy.keys import Keys

PACKED = (".gz", ".zip")
TABLES = (".csv", ".tsv", ".txt", ".parquet", ".xlsx", ".sav", ".dta")
PROFILE_NAME = "profile.yaml"
NO_DAYS = pl.DataFrame(schema={"episode": pl.String, "first": pl.Int32})


def deidentify(feeds: Sequence[Path], profile: Profile, key_file: Path, out: Path) -> Report:
    """De-identify feeds.

    Args:
        feeds: files and folders, as for a run.
        profile: describes the files as they are.
        key_file: the secret of the clinic, see ``assets.privacy.keys``.
        out: a folder that does not exist yet; gets one folder per delivery, and the profile that reads them.

    Raises:
        InputProblem: the call cannot be carried out, or the output would not pass the identifier gate.

    """
    if out.exists():
        raise InputProblem("OUTPUT", "the output folder", "it exists already", "Name one that does not exist")
    if any(out.resolve().is_relative_to(feed.resolve()) for feed in feeds):
        raise InputProblem("OUTPUT", "the output folder", "it lies inside a feed", "Name one elsewhere")
    keys = read_key_file(key_file, (*(feed for feed in feeds if feed.is_dir()), out))
    found = find_deliveries(feeds, profile)
    if found.problems:
        raise found.problems[0]
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
    except OSError:
        raise InputProblem("OUTPUT", "the output folder", "it cannot be made", "Name one of your own") from None
    try:
        (work / "scratch").mkdir()
        (work / "out").mkdir()
        files = _Work(found.sent, profile, keys, work).run()
        (work / "out").replace(out)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return Report(out.name, files)


def plain_name(name: str, source: FileSource) -> str:
    """What a file, or the pattern of its name, is called in the output: without packing, tables as CSV."""
    for ending in PACKED:
        name = name.removesuffix(ending)
    if source.format == "fhir":
        return name
    ending = next((ending for ending in TABLES if name.lower().endswith(ending)), "")
    stem = name[: len(name) - len(ending)]
    return name if not ending and name.endswith("*") else f"{stem}.csv"


class _Work:
    """One call: two passes over all files."""

    def __init__(self, sent: tuple[Sent, ...], profile: Profile, keys: Keys, work: Path) -> None:
        self._sent = sent
        self._profile = profile
        self._contract: Contract = profile.extend(CONTRACT)
        self._keys = keys
        self._out = work / "out"
        self._scratch = work / "scratch"
        self._sources: dict[str, FileSource] = {}
        self._courses: dict[str, Course] = {}

    def run(self) -> tuple[CleanedFile, ...]:
        opened = [(sent, self._tables(sent)) for sent in self._sent]
        first = self._first_days(opened)
        for _, path, _source in self._resources():
            for line in self._lines(path):
                resource = parse_resource(line)
                if resource is not None:
                    note_course(resource, self._courses)
        done = [self._clean_table(sent, path, source, tables, first) for sent, path, source, tables in _of(opened)]
        done += [self._clean_resources(sent, path, source) for sent, path, source in self._resources()]
        self._save_profile()
        self._gate()
        return tuple(file for file in done if file is not None)

    def _tables(self, sent: Sent) -> DeliveryTables:
        raw = {path.name: (path, source) for source, path in sent.files if source.format != "fhir"}
        return DeliveryTables(raw, self._profile, self._scratch, self._scratch)

    def _resources(self) -> Iterator[tuple[Sent, Path, FileSource]]:
        for sent in self._sent:
            yield from ((sent, path, source) for source, path in sent.files if source.format == "fhir")

    def _lines(self, path: Path) -> Iterator[bytes]:
        plain = unpacked(path, path.name, self._scratch)
        with plain.open("rb") as file:
            yield from (line for line in file if line.strip())
        if plain != path:
            plain.unlink()

    def _folder(self, sent: Sent) -> Path:
        """Of a delivery of several files; others lie side by side."""
        folder = self._out / sent.label if len(self._profile.files) > 1 else self._out
        folder.mkdir(exist_ok=True)
        return folder

    def _emitters(self, source: FileSource, table: TextTable) -> tuple[Emitter, ...]:
        present = frozenset(table.header) | {new for join in source.joins for new in join.take.values()}
        emitters = tuple(emitter.present(present) for emitter in emitters_of(source, self._contract))
        missing = sorted({column for emitter in emitters for column in emitter.used_columns} - present)
        if missing:
            raise InputProblem(
                "SCHEMA_MISSING", source.match, f"column {missing[0]!r} is missing", "Send it or change the profile"
            )
        return emitters

    def _first_days(self, opened: list[tuple[Sent, DeliveryTables]]) -> pl.DataFrame:
        parts = [NO_DAYS]
        for _, path, source, tables in _of(opened):
            table = tables.open(path.name)
            days = first_days(_good(table, source, tables), self._emitters(source, table))
            if days is not None:
                parts.append(_collected(days, path.name))
        return pl.concat(parts).group_by("episode").agg(pl.col("first").min())

    def _clean_table(
        self, sent: Sent, path: Path, source: FileSource, tables: DeliveryTables, first: pl.DataFrame
    ) -> CleanedFile | None:
        if not (source.tables or source.scores or source.visits):
            return None  # other files took from it what they needed
        table = tables.open(path.name)
        emitters = self._emitters(source, table)
        used = {column for emitter in emitters for column in emitter.used_columns}
        are_dates = self._profile.privacy_mode == "limited_data_set"
        columns = CleanColumns(used, emitters, first, self._keys, are_dates=are_dates)
        name = plain_name(path.name, source)
        self._sources[source.match] = clean_source(source, plain_name(source.match, source), self._contract, columns)
        for emitter, described in zip(emitters, source.tables, strict=False):
            if described.fields == "same_names":
                clean_same_names(emitter, columns)
        target = self._folder(sent) / name
        if target.exists():
            raise InputProblem("FILENAME", path.name, f"two files would be called {name}", "Rename one of them")
        good = _good(table, source, tables).select(
            expression.fill_null("").alias(column) for column, expression in columns.expressions.items()
        )
        try:
            good.sink_csv(target)
        except pl.exceptions.PolarsError:
            raise InputProblem(
                "STRUCTURE", path.name, "the file cannot be parsed", "Check quotes and line ends"
            ) from None
        written = int(_collected(pl.scan_csv(target, infer_schema=False).select(pl.len()), name).item())
        malformed = int(_collected(table.rows.select(pl.col(STRUCTURE).sum()), path.name).item())
        left_out = {
            "not as many fields as the header has": malformed,
            "out of the scope that the profile declares": table.records - written - malformed,
        }
        kept = used | {column for join in source.joins for column in join.on} | {one.column for one in source.only}
        filled = _filled(table, [column for column in table.header if column not in kept], path.name)
        position = {column: number for number, column in enumerate(table.header, start=1)}
        dropped = {said_column(column, position[column]): rows for column, rows in filled.items()}
        return CleanedFile(path.name, str(target.relative_to(self._out)), table.records, written, left_out, dropped)

    def _clean_resources(self, sent: Sent, path: Path, source: FileSource) -> CleanedFile:
        name = plain_name(path.name, source)
        self._sources[source.match] = source.model_copy(update={"match": plain_name(source.match, source)})
        cleaner = CleanResources(self._courses, self._keys)
        target = self._folder(sent) / name
        counts: Counter[str] = Counter()
        dropped: Counter[str] = Counter()
        with target.open("w", encoding="utf-8", newline="\n") as file:
            for line in self._lines(path):
                counts["records"] += 1
                resource = parse_resource(line)
                if resource is None:
                    counts["no resource"] += 1
                    continue
                cleaned = cleaner.clean(resource)
                if cleaned is None:
                    counts["other type"] += 1
                    continue
                elements = identifying_elements(cleaned, "safe_harbor")
                if elements:
                    raise InputProblem(
                        "PHI_SUSPECTED", path.name, f"{', '.join(elements)} would still identify", "Nothing was written"
                    )
                dropped.update(resource.keys() - (cleaned.keys() - {"extension"}))  # of which only ours are left
                file.write(write_resource(cleaned) + "\n")
        left_out = {"not a resource": counts["no resource"], "of a type that is not needed": counts["other type"]}
        written = counts["records"] - sum(left_out.values())
        where = str(target.relative_to(self._out))
        said = {f"element {name!r}": rows for name, rows in sorted(dropped.items()) if COLUMN_NAME.fullmatch(name)}
        return CleanedFile(path.name, where, counts["records"], written, left_out, said)

    def _save_profile(self) -> None:
        clinics = tuple(self._keys.key("clinic", canonical(clinic)) for clinic in self._profile.clinics)
        clean = self._profile.model_copy(
            update={
                "privacy_mode": "safe_harbor",
                "files": tuple(self._sources.values()),
                "references": (),
                "clinics": clinics,
            }
        )
        save_profile(clean, self._out)

    def _gate(self) -> None:
        """What a delivery of the output would be asked."""
        profile = load_profile(self._out / PROFILE_NAME, CONTRACT)
        contract = profile.extend(CONTRACT)
        for sent in find_deliveries([self._out], profile).sent:
            for source, path in sent.files:
                if source.format == "fhir":
                    continue  # each resource was looked at before it was written
                table = open_table(path, path.name, source, self._scratch, profile.privacy_mode)
                agreed = agreed_on(source, emitters_of(source, contract), profile)
                try:
                    gate_names(table, path.name, agreed)
                    gate_values(table, path.name, agreed)
                except InputProblem as problem:
                    remedy = "Nothing was written: clean the column at its source, or take it out of the profile"
                    raise InputProblem(problem.code, problem.where, problem.what, remedy) from None


def _of(
    opened: list[tuple[Sent, DeliveryTables]],
) -> Iterator[tuple[Sent, Path, FileSource, DeliveryTables]]:
    for sent, tables in opened:
        yield from ((sent, path, source, tables) for source, path in sent.files if source.format != "fhir")


def _good(table: TextTable, source: FileSource, tables: DeliveryTables) -> pl.LazyFrame:
    rows, _ = rows_in_scope(table, source, tables)
    return rows.filter(~pl.col(STRUCTURE)).with_columns(map(as_text, sorted(table.numeric)))


def _filled(table: TextTable, columns: list[str], name: str) -> dict[str, int]:
    if not columns:
        return {}
    filled = [(pl.col(column).cast(pl.String).str.strip_chars() != "").sum().alias(column) for column in columns]
    return dict(_collected(table.rows.select(filled), name).row(0, named=True))


def _collected(rows: pl.LazyFrame, name: str) -> pl.DataFrame:
    try:
        return rows.collect(engine="streaming")
    except pl.exceptions.PolarsError:
        raise InputProblem("STRUCTURE", name, "the file cannot be parsed", "Check quotes and line ends") from None
