"""Reads a landed delivery: raw files in, typed rows with reasons out, nothing lost.

Writes beside the raw files of the delivery:

* ``rows/<table>.<n>.parquet``: every canonical row, accepted or not;
* ``rows/source_row.<n>.parquet``: for files whose rows feed several tables, what became of each source row;
* ``rows/withdrawal.<n>.parquet``: rows that take back what was sent under their key;
* ``quarantined/<table>.<n>.parquet``: the rows set aside, with the checks they violate;
* ``quarantined/violation.parquet``: one line per row and check;
* ``unmapped.parquet``: codes that the profile does not translate, with their counts.
"""

from __future__ import annotations

import datetime as dt
import shutil
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import polars as pl
import pyarrow.parquet as pq

from assets.deliveries.emitters import Emitter, emitters_of
from assets.deliveries.formats import ROW_NUMBER, STRUCTURE, count_records
from assets.deliveries.landing import READINGS, source_of
from assets.deliveries.ledger import Delivery, State
from assets.deliveries.problems import InputProblem
from assets.deliveries.rules import row_checks
from assets.deliveries.sources import DeliveryTables, OpenedFile, open_file
from assets.deliveries.typing_pass import Notation, has_value, typed_rows
from assets.deliveries.unmapped import UNMAPPED_SCHEMA, out_of_scope_codes, unknown_codes
from assets.deliveries.withdrawals import withdrawal_rows, without_withdrawn

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from assets.contract.model import Contract, Table
    from assets.deliveries.ledger import DeliveredFile, Ledger
    from assets.deliveries.profile import Profile
    from assets.deliveries.profile.fields import FileSource

VIOLATION_SCHEMA = pl.Schema(
    {
        "delivery_id": pl.String(),
        "file": pl.String(),
        "table_name": pl.String(),
        ROW_NUMBER: pl.Int64(),
        "check_id": pl.String(),
    }
)
WITHDRAWAL = "withdrawal"
NO_EXTRACT_DAY = 10**6
IDENTIFYING = "PHI_SUSPECTED"
BUCKET_ROWS = 1_000_000
SCRATCH = "scratch"


@dataclass(frozen=True, slots=True)
class _FileCounts:
    records: int
    set_aside: int
    rows: dict[str, int]


@dataclass(frozen=True, slots=True)
class _FileRead:
    """One file while it is read."""

    delivery_id: str
    name: str
    number: int
    folder: Path
    opened: OpenedFile
    emitters: tuple[Emitter, ...]
    notation: Notation
    contract: Contract

    def path(self, table: str) -> Path:
        return self.folder / "rows" / f"{table}.{self.number}.parquet"

    def stamped(self, rows: pl.LazyFrame) -> pl.LazyFrame:
        return rows.with_columns(delivery_id=pl.lit(self.delivery_id), file=pl.lit(self.name))


def read_delivery(delivery: Delivery, ledger: Ledger, profile: Profile, contract: Contract) -> Delivery:
    """Type every row of a delivery and save what became of it.

    A delivery that must be refused as a whole is recorded as rejected, with the reason; that is a result, not an
    exception, so that it never delays another delivery. Nothing of what it holds is kept: it may be what it was refused
    for, and it has to be sent again anyway.
    """
    folder = ledger.folder(delivery.delivery_id)
    _empty(folder, "rows", "quarantined", SCRATCH)
    raw = {file.name: (folder / "raw" / file.name, source_of(file.name, profile)) for file in delivery.files}
    tables = DeliveryTables(raw, profile, folder, folder / SCRATCH)
    try:
        _complete(delivery, profile)
        read = _read_files(delivery, folder, tables, profile, contract)
    except InputProblem as problem:
        read = replace(
            delivery.rejected_because(problem.code, str(problem)),
            ingested=sum(
                count_records(path, name, source, folder / SCRATCH, profile.privacy_mode)
                for name, (path, source) in raw.items()
            ),
            out_of_scope=0,
            rows={},
            set_aside=0,
        )
        _empty(folder, "rows", "quarantined", "raw", READINGS)
    finally:
        shutil.rmtree(folder / SCRATCH)
    ledger.save(read)
    return read


def _empty(folder: Path, *names: str) -> None:
    for name in names:
        shutil.rmtree(folder / name, ignore_errors=True)
        (folder / name).mkdir(mode=0o700)


def _complete(delivery: Delivery, profile: Profile) -> None:
    present = [source_of(file.name, profile).match for file in delivery.files]
    for source in profile.files:
        if not source.optional and source.match not in present:
            raise InputProblem("INCOMPLETE", delivery.label, f"{source.match} is missing", "Send the whole delivery")


def _read_files(
    delivery: Delivery, folder: Path, tables: DeliveryTables, profile: Profile, contract: Contract
) -> Delivery:
    files: list[DeliveredFile] = []
    rows: dict[str, int] = {}
    set_aside = out_of_scope = 0
    violations = [pl.DataFrame(schema=VIOLATION_SCHEMA)]
    unmapped = [pl.DataFrame(schema=UNMAPPED_SCHEMA)]
    for one, file, source in _opened(delivery, folder, tables, profile, contract):
        opened = one.opened
        try:
            skipped = _count(opened.out_of_scope)
            counts = _write_rows(one)
            violations.extend(_quarantine(one, unmapped))
            unmapped.append(out_of_scope_codes(opened.out_of_scope, file.name, source))
        except pl.exceptions.PolarsError:
            raise InputProblem(
                "STRUCTURE", file.name, "the file cannot be parsed", "Check quotes and line ends"
            ) from None
        if counts.records + skipped != opened.records:
            raise InputProblem(
                "STRUCTURE",
                file.name,
                f"{opened.records} records were sent but {counts.records + skipped} could be read",
                "Check quotes and line ends",
            )
        files.append(replace(file, records=opened.records))
        set_aside += counts.set_aside
        out_of_scope += skipped
        for table, count in counts.rows.items():
            rows[table] = rows.get(table, 0) + count
    pl.concat(violations).write_parquet(folder / "quarantined" / "violation.parquet")
    pl.concat(unmapped).sort("file", "column", "code").write_parquet(folder / "unmapped.parquet")
    return replace(
        delivery,
        state=State.TYPED,
        files=tuple(files),
        problem=None,
        problem_code=None,
        ingested=sum(file.records or 0 for file in files) - out_of_scope,
        out_of_scope=out_of_scope,
        set_aside=set_aside,
        rows=rows,
        row_checks={
            table: tuple(check.check_id for check in row_checks(contract, contract.table(table))) for table in rows
        },
    )


def _opened(
    delivery: Delivery, folder: Path, tables: DeliveryTables, profile: Profile, contract: Contract
) -> list[tuple[_FileRead, DeliveredFile, FileSource]]:
    """Open every file and pass it through the gate before a row of any is written.

    Raises:
        InputProblem: identifiers, of all files in one sentence; else the first problem.

    """
    found: list[tuple[_FileRead, DeliveredFile, FileSource]] = []
    problems: list[InputProblem] = []
    for number, file in enumerate(delivery.files):
        source = source_of(file.name, profile)
        emitters = emitters_of(source, contract)
        try:
            opened = open_file(file.name, source, tables, emitters, profile)
        except InputProblem as problem:
            problems.append(problem)
            continue
        emitters = tuple(emitter.present(opened.present) for emitter in emitters)
        if profile.privacy_mode == "limited_data_set":
            emitters = tuple(emitter.extracted_on(_extract_day(delivery)) for emitter in emitters)
        notation = Notation(opened.numeric, source.decimal, profile.privacy_mode)
        one = _FileRead(delivery.delivery_id, file.name, number, folder, opened, emitters, notation, contract)
        found.append((one, file, source))
    identifying = {
        str(problem): problem for problem in problems if problem.code == IDENTIFYING
    }  # joins open files twice
    if identifying:
        first, *others = identifying.values()
        what = "; ".join((first.what, *(f"{other.where}: {other.what}" for other in others)))
        raise InputProblem(IDENTIFYING, first.where, what, first.remedy)
    if problems:
        raise problems[0]
    return found


def _extract_day(delivery: Delivery) -> int:
    """Days since 1970-01-01; without an extract stamp no date lies in the future."""
    if not delivery.extract_stamp:
        return NO_EXTRACT_DAY
    return dt.date.fromisoformat(delivery.extract_stamp[:10]).toordinal() - dt.date(1970, 1, 1).toordinal()


def _count(rows: pl.LazyFrame | None) -> int:
    return 0 if rows is None else int(rows.select(pl.len()).collect(engine="streaming").item())


def _write_rows(one: _FileRead) -> _FileCounts:
    if not one.emitters:
        return _write_unread(one)
    if len(one.emitters) == 1 and not one.emitters[0].when_any and one.emitters[0].withdrawn is None:
        table = one.emitters[0].table
        path = one.path(table.name)
        rows = typed_rows(one.opened.rows, one.contract, one.emitters[0], one.notation)
        one.stamped(rows.with_columns(accepted=pl.col("violations") == 0)).sink_parquet(path)
        counted = pl.scan_parquet(path).select(pl.len(), (~pl.col("accepted")).sum().alias("bad")).collect().row(0)
        return _FileCounts(int(counted[0]), int(counted[1]), {table.name: int(counted[0])})
    return _write_wide(one)


def _write_unread(one: _FileRead) -> _FileCounts:
    """A file that only serves joins: its rows say nothing of their own, but each has its line in the account."""
    path = one.path("source_row")
    one.stamped(one.opened.rows.select(ROW_NUMBER, (~pl.col(STRUCTURE)).alias("accepted"))).sink_parquet(path)
    records, accepted = pl.scan_parquet(path).select(pl.len(), pl.col("accepted").sum()).collect().row(0)
    return _FileCounts(int(records), int(records) - int(accepted), {})


def _write_wide(one: _FileRead) -> _FileCounts:
    """One source row makes several canonical rows: they are accepted together or set aside together."""
    source = one.folder / SCRATCH / f"source.{one.number}.parquet"
    one.opened.rows.sink_parquet(source)  # each emitter reads the rows: parse and join them once
    one = replace(one, opened=replace(one.opened, rows=pl.scan_parquet(source)))
    parts = [(emitter.table, _emitted(one, emitter)) for emitter in one.emitters]
    taken_back = [
        withdrawal_rows(one.opened.rows, emitter, one.opened.numeric) for emitter in one.emitters if emitter.withdrawn
    ]
    faults = pl.concat([rows.select(ROW_NUMBER, "violations") for rows in (*(rows for _, rows in parts), *taken_back)])
    bad = (
        faults.filter(pl.col("violations") != 0)
        .select(ROW_NUMBER)
        .unique()
        .collect(engine="streaming")
        .get_column(ROW_NUMBER)
    )
    accepted = ~pl.col(ROW_NUMBER).is_in(bad.implode())
    source_rows = one.path("source_row")
    one.stamped(one.opened.rows.select(ROW_NUMBER, accepted.alias("accepted"))).sink_parquet(source_rows)
    counts: dict[str, int] = {}
    parents = {reference.parent for table, _ in parts for reference in table.references}
    for name in dict.fromkeys(table.name for table, _ in parts):
        table = one.contract.table(name)
        rows = pl.concat([rows for part, rows in parts if part.name == name]).with_columns(accepted.alias("accepted"))
        rows = one.stamped(rows)
        if name in parents:
            _write_once(rows, table, one)
        else:
            rows.sink_parquet(one.path(name))
        counts[name] = _count(pl.scan_parquet(one.path(name)))
    if taken_back:
        withdrawals = pl.concat(taken_back).with_columns(accepted.alias("accepted")).sort(ROW_NUMBER, "table_name")
        one.stamped(withdrawals).sink_parquet(one.path(WITHDRAWAL))
    return _FileCounts(_count(pl.scan_parquet(source_rows)), len(bad), counts)


def _write_once(rows: pl.LazyFrame, table: Table, one: _FileRead) -> None:
    """Write each different accepted row once, with the number of the first source row that says it.

    A patient stands on every row of theirs: saying so again is no duplicate. Rows set aside are all written, for each
    may have another fault. Rows that are alike fall into one bucket, so that memory is bounded by the bucket.
    """
    repeated = one.folder / SCRATCH / f"{table.name}.{one.number}.parquet"
    rows.sink_parquet(repeated)
    scanned = pl.scan_parquet(repeated)
    names = scanned.collect_schema().names()
    others = [name for name in names if name not in (*table.names, ROW_NUMBER)]
    buckets = 1 + _count(scanned) // BUCKET_ROWS
    bucket = pl.concat_str([pl.col(name).fill_null("") for name in table.key]).hash() % buckets
    first = (pl.col(ROW_NUMBER).min(), *(pl.col(name).first() for name in others))
    schema = scanned.head(0).collect().to_arrow().schema
    with pq.ParquetWriter(one.path(table.name), schema, compression="zstd") as writer:
        for number in range(buckets):
            part = scanned.filter(pl.col("accepted") & (bucket == number)).group_by(table.names).agg(*first)
            part = part.select(names).sort(ROW_NUMBER)
            writer.write_table(part.collect(engine="streaming").to_arrow().cast(schema))
        for bad in scanned.filter(~pl.col("accepted")).collect_batches():
            writer.write_table(bad.to_arrow().cast(schema))
    repeated.unlink()


def _emitted(one: _FileRead, emitter: Emitter) -> pl.LazyFrame:
    rows = one.opened.rows
    for other in one.emitters:
        if other is emitter or other.table.name in _ancestors(emitter.table, one.contract):
            rows = without_withdrawn(rows, other)  # what hangs on a visit goes with it
    if emitter.when_any:
        # a malformed row is kept wherever it may belong: its blanks mean nothing
        found = [has_value(field, one.notation.numeric) for field in emitter.when_any]
        rows = rows.filter(pl.any_horizontal(pl.col(STRUCTURE), *found))
    return typed_rows(rows, one.contract, emitter, one.notation)


def _ancestors(table: Table, contract: Contract) -> set[str]:
    parents = {reference.parent for reference in table.references}
    return parents.union(*(_ancestors(contract.table(parent), contract) for parent in parents))


def _quarantine(one: _FileRead, unmapped: list[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    """Copy the rows set aside, yield one line per row and check, and count the codes that nobody translated."""
    for table in one.contract.tables:
        path = one.path(table.name)
        if not path.exists():
            continue
        bad = pl.scan_parquet(path).filter(~pl.col("accepted")).collect(engine="streaming")
        if bad.is_empty():
            continue
        lines = _violation_lines(bad, one.contract, table)
        reasons = lines.group_by(ROW_NUMBER).agg(pl.col("check_id").alias("checks"))
        bad.join(reasons, on=ROW_NUMBER, how="left", maintain_order="left").write_parquet(
            one.folder / "quarantined" / path.name
        )
        unmapped.append(unknown_codes(bad, one.name, one.contract, table))
        yield lines
    if one.path(WITHDRAWAL).exists():
        nameless = pl.read_parquet(one.path(WITHDRAWAL)).filter(pl.col("violations") != 0)
        yield nameless.select(
            "delivery_id",
            "file",
            "table_name",
            ROW_NUMBER,
            pl.concat_str("table_name", pl.lit(".row.structure")).alias("check_id"),
        )


def _violation_lines(bad: pl.DataFrame, contract: Contract, table: Table) -> pl.DataFrame:
    lines = []
    for bit, check in enumerate(row_checks(contract, table)):
        check_id = pl.lit(check.check_id)
        if check.check_id == "measurement.value.possible":
            check_id = pl.concat_str(pl.lit(f"{check.check_id}."), pl.col("measure_id"))
        lines.append(
            bad.filter(pl.col("violations") // (1 << bit) % 2 == 1).select(
                "delivery_id", "file", pl.lit(table.name).alias("table_name"), ROW_NUMBER, check_id.alias("check_id")
            )
        )
    return pl.concat(lines).unique(maintain_order=True)
