"""Whatever a file holds: no row is lost, only InputProblem is raised, and no cell leaves the lake."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

import polars as pl
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assets.deliveries.ledger import State

if TYPE_CHECKING:
    from tests.deliveries.conftest import Reader

QUIET = settings(
    max_examples=50,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
WORDS = [
    "5",
    "nprs_avg24h",
    "none",
    "points",
    "",
    " ",
    "NaN",
    "V1",
    "=1+1",
    "219-09-9999",
    "Mary Canary",
    "1961-04-17",
    "\ufeff",
]
CANARY = "qzx9"
CELLS = st.one_of(
    st.sampled_from(WORDS),
    st.text(max_size=8),
    st.text(max_size=8).map(lambda text: f"{text}{CANARY}"),
    st.from_regex(r"\A-?[0-9]{1,20}(\.[0-9]{0,9})?\Z"),
)
ROWS = st.lists(st.one_of(st.lists(CELLS, min_size=8, max_size=8), st.lists(CELLS, max_size=11)), max_size=8)
TELLING = (CANARY, "219-09-9999", "Canary", "1961-04-17")


@QUIET
@given(rows=ROWS, quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]), end=st.sampled_from(["\n", "\r\n"]))
def test_no_row_is_lost_and_no_cell_is_told(
    reader: Reader, header: str, rows: list[list[str]], quoting: int, end: str
) -> None:
    text = io.StringIO()
    writer = csv.writer(text, quoting=quoting, lineterminator=end)  # type: ignore[arg-type]
    writer.writerow(header.split(","))
    writer.writerows(rows)
    reading = reader.text(text.getvalue().encode("utf-8", "surrogatepass"))
    delivery = reading.delivery
    if delivery.state is State.REJECTED:
        assert delivery.problem
        assert delivery.rejected == delivery.ingested
        assert not list((reading.folder / "rows").iterdir())
    else:
        found = reading.rows("measurement")
        assert delivery.ingested == found.height == len(rows)
        assert found["row_number"].to_list() == list(range(1, len(rows) + 1))
        assert delivery.set_aside == found.filter(~pl.col("accepted")).height
        assert {number for number, _ in reading.faults} == set(found.filter(~pl.col("accepted"))["row_number"])
    assert not [word for word in TELLING if word in reading.record]


@QUIET
@given(content=st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(reader: Reader, header: str, content: bytes) -> None:
    for start in (b"", header.encode() + b"\n"):
        delivery = reader.text(start + content).delivery
        assert delivery.state in (State.TYPED, State.REJECTED)
        assert (delivery.problem is None) == (delivery.state is State.TYPED)


@QUIET
@given(rows=st.lists(st.lists(st.text(alphabet='57",;\n. ', max_size=5), min_size=8, max_size=8), max_size=6))
def test_values_arrive_as_sent(reader: Reader, header: str, rows: list[list[str]]) -> None:
    """Text columns hold exactly what the csv module reads; blank is null."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header.split(","))
    writer.writerows(rows)
    reading = reader.text(text.getvalue())
    assert reading.delivery.state is State.TYPED
    names = header.split(",")
    found = reading.rows("measurement")
    for position, name in enumerate(names):
        if name != "value":
            assert found[name].to_list() == [row[position] or None for row in rows]
