"""Reads a landed delivery: raw files in, typed rows with reasons out, nothing lost.

Writes beside the raw files of the delivery:

* ``rows/<table>.<n>.parquet``: every canonical row, accepted or not;
* ``rows/source_row.<n>.parquet``: for files whose rows feed several tables, what became of each source row;
* ``quarantined/<table>.<n>.parquet``: the rows set aside, with the checks they violate;
* ``quarantined/violation.parquet``: one line per row and check.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import polars as pl

from assets.deliveries.emitters import Emitter, emitters_of
from assets.deliveries.landing import source_of
from assets.deliveries.ledger import Delivery, State
from assets.deliveries.problems import InputProblem
from assets.deliveries.rules import STRUCTURE, row_checks
from assets.deliveries.sources import OpenedFile, count_records, open_file
from assets.deliveries.typing_pass import ROW_NUMBER, has_value, typed_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from assets.contract.model import Contract, Table
    from assets.deliveries.ledger import DeliveredFile, Ledger
    from assets.deliveries.profile import Profile

VIOLATION_SCHEMA = pl.Schema(
    {
        "delivery_id": pl.String(),
        "file": pl.String(),
        "table_name": pl.String(),
        ROW_NUMBER: pl.Int64(),
        "check_id": pl.String(),
    }
)


@dataclass(frozen=True, slots=True)
class _FileCounts:
    records: int
    set_aside: int
    rows: dict[str, int]


def read_delivery(delivery: Delivery, ledger: Ledger, profile: Profile, contract: Contract) -> Delivery:
    """Type every row of a delivery and save what became of it.

    A delivery that must be refused as a whole is recorded as rejected, with the reason; that is a result, not an
    exception, so that it never delays another delivery.
    """
    folder = ledger.folder(delivery.delivery_id)
    for name in ("rows", "quarantined"):
        shutil.rmtree(folder / name, ignore_errors=True)
        (folder / name).mkdir(mode=0o700)
    try:
        _complete(delivery, profile)
        read = _read_files(delivery, folder, profile, contract)
    except InputProblem as problem:
        read = replace(
            delivery.rejected_because(problem.code, str(problem)),
            ingested=sum(
                count_records(folder / "raw" / file.name, source_of(file.name, profile)) for file in delivery.files
            ),
            rows={},
            set_aside=0,
        )
        shutil.rmtree(folder / "rows")
        (folder / "rows").mkdir(mode=0o700)
    ledger.save(read)
    return read


def _complete(delivery: Delivery, profile: Profile) -> None:
    present = [source_of(file.name, profile).match for file in delivery.files]
    for source in profile.files:
        if not source.optional and source.match not in present:
            raise InputProblem("INCOMPLETE", delivery.label, f"{source.match} is missing", "Send the whole delivery")


def _read_files(delivery: Delivery, folder: Path, profile: Profile, contract: Contract) -> Delivery:
    files: list[DeliveredFile] = []
    rows: dict[str, int] = {}
    set_aside = 0
    violations: list[pl.DataFrame] = []
    for number, file in enumerate(delivery.files):
        source = source_of(file.name, profile)
        emitters = emitters_of(source, contract)
        opened = open_file(folder / "raw" / file.name, file.name, source, emitters, contract)
        try:
            counts = _write_rows(opened, emitters, delivery.delivery_id, file.name, folder, number, contract)
            violations.extend(_quarantine(folder, number, contract))
        except pl.exceptions.PolarsError:
            raise InputProblem(
                "STRUCTURE", file.name, "the file cannot be parsed", "Check quotes and line ends"
            ) from None
        if counts.records != opened.records:
            raise InputProblem(
                "STRUCTURE",
                file.name,
                f"{opened.records} records were sent but {counts.records} could be read",
                "Check quotes and line ends",
            )
        files.append(replace(file, records=opened.records))
        set_aside += counts.set_aside
        for table, count in counts.rows.items():
            rows[table] = rows.get(table, 0) + count
    pl.concat([pl.DataFrame(schema=VIOLATION_SCHEMA), *violations]).write_parquet(
        folder / "quarantined" / "violation.parquet"
    )
    return replace(
        delivery,
        state=State.TYPED,
        files=tuple(files),
        problem=None,
        problem_code=None,
        ingested=sum(file.records or 0 for file in files),
        set_aside=set_aside,
        rows=rows,
        row_checks={
            table: tuple(check.check_id for check in row_checks(contract, contract.table(table))) for table in rows
        },
    )


def _write_rows(
    opened: OpenedFile,
    emitters: tuple[Emitter, ...],
    delivery_id: str,
    file_name: str,
    folder: Path,
    number: int,
    contract: Contract,
) -> _FileCounts:
    def stamped(rows: pl.LazyFrame) -> pl.LazyFrame:
        return rows.with_columns(delivery_id=pl.lit(delivery_id), file=pl.lit(file_name))

    if len(emitters) == 1 and not emitters[0].when_any:
        table = emitters[0].table
        path = folder / "rows" / f"{table.name}.{number}.parquet"
        rows = typed_rows(opened.rows, contract, table, emitters[0].fields, opened.numeric)
        stamped(rows.with_columns(accepted=pl.col("violations") == 0)).sink_parquet(path)
        counted = pl.scan_parquet(path).select(pl.len(), (~pl.col("accepted")).sum().alias("bad")).collect().row(0)
        return _FileCounts(int(counted[0]), int(counted[1]), {table.name: int(counted[0])})
    return _write_wide(opened, emitters, folder, number, contract, stamped)


def _write_wide(
    opened: OpenedFile,
    emitters: tuple[Emitter, ...],
    folder: Path,
    number: int,
    contract: Contract,
    stamped: Callable[[pl.LazyFrame], pl.LazyFrame],
) -> _FileCounts:
    """One source row makes several canonical rows: they are accepted together or set aside together."""
    parts = [(emitter.table, _emitted(opened, emitter, contract)) for emitter in emitters]
    faults = pl.concat([rows.select(ROW_NUMBER, "violations") for _, rows in parts])
    bad = faults.filter(pl.col("violations") != 0).select(ROW_NUMBER).unique().collect().get_column(ROW_NUMBER)
    accepted = ~pl.col(ROW_NUMBER).is_in(bad.implode())
    source_rows = folder / "rows" / f"source_row.{number}.parquet"
    stamped(opened.rows.select(ROW_NUMBER, accepted.alias("accepted"))).sink_parquet(source_rows)
    counts: dict[str, int] = {}
    parents = {reference.parent for table, _ in parts for reference in table.references}
    for name in dict.fromkeys(table.name for table, _ in parts):
        table = contract.table(name)
        rows = pl.concat([rows for part, rows in parts if part.name == name]).with_columns(accepted.alias("accepted"))
        rows = rows.sort(~pl.col("accepted"), ROW_NUMBER, maintain_order=True)
        if name in parents:
            # a patient stands on every row of theirs; saying so again is not a duplicate, but may be another fault
            first = rows.filter("accepted").unique(subset=list(table.names), keep="first", maintain_order=True)
            rows = pl.concat([first, rows.filter(~pl.col("accepted"))])
        path = folder / "rows" / f"{name}.{number}.parquet"
        stamped(rows).sink_parquet(path)
        counts[name] = int(pl.scan_parquet(path).select(pl.len()).collect().item())
    records = int(pl.scan_parquet(source_rows).select(pl.len()).collect().item())
    return _FileCounts(records, len(bad), counts)


def _emitted(opened: OpenedFile, emitter: Emitter, contract: Contract) -> pl.LazyFrame:
    rows = opened.rows
    if emitter.when_any:
        # a malformed row is kept wherever it may belong: its blanks mean nothing
        found = [has_value(field, opened.numeric) for field in emitter.when_any]
        rows = rows.filter(pl.any_horizontal(pl.col(STRUCTURE), *found))
    return typed_rows(rows, contract, emitter.table, emitter.fields, opened.numeric)


def _quarantine(folder: Path, number: int, contract: Contract) -> Iterator[pl.DataFrame]:
    """Copy the rows set aside and yield one line per row and check."""
    for table in contract.tables:
        path = folder / "rows" / f"{table.name}.{number}.parquet"
        if not path.exists():
            continue
        bad = pl.scan_parquet(path).filter(~pl.col("accepted")).collect(engine="streaming")
        if bad.is_empty():
            continue
        lines = _violation_lines(bad, contract, table)
        reasons = lines.group_by(ROW_NUMBER).agg(pl.col("check_id").alias("checks"))
        bad.join(reasons, on=ROW_NUMBER, how="left", maintain_order="left").write_parquet(
            folder / "quarantined" / path.name
        )
        yield lines


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
