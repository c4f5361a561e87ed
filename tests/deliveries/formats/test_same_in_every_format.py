"""A real trial file as CSV, Excel and SPSS opens to the same header and the same typed numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest

from assets.deliveries.rules import SCORE_TYPE

if TYPE_CHECKING:
    from pathlib import Path

    from tests.deliveries.formats.conftest import Opener

KEYS = ("id", "age", "sex", "migraine", "acupuncturist", "practice_id", "group")


@pytest.mark.shared
@pytest.mark.parametrize(("ending", "kind"), [("xlsx", "excel"), ("sav", "spss")])
def test_a_real_file_says_the_same(opener: Opener, shared_data: Path, ending: str, kind: str) -> None:
    folder = shared_data / "acupuncture_headache"
    sent = opener.frame(folder / "acupuncture.csv", "acupuncture.csv")
    other = opener.frame(folder / f"acupuncture.{ending}", f"acupuncture.{ending}", format=kind)
    assert other.columns == sent.columns
    assert other.height == sent.height == 401
    assert not sent["structure"].any()
    assert not other["structure"].any()
    for column in sent.columns[:-1]:
        texts, others = (frame[column].replace("", None) for frame in (sent, other))
        if column in KEYS:
            assert texts.equals(others), column
        assert texts.null_count() == texts.cast(SCORE_TYPE).null_count()
        assert texts.cast(SCORE_TYPE).equals(others.cast(SCORE_TYPE)), column


@pytest.mark.shared
def test_the_columns_hold_what_the_trial_reports(opener: Opener, shared_data: Path) -> None:
    frame = opener.frame(shared_data / "acupuncture_headache" / "acupuncture.sav", "acupuncture.sav", format="spss")
    counts = frame.select(pl.col("pk2", "pk5").null_count(), (pl.col("group") == "1").sum().alias("acupuncture"))
    assert counts.row(0) == (75, 100, 205)


@pytest.mark.shared
def test_a_real_zip_archive_is_read_as_sent(opener: Opener, shared_data: Path) -> None:
    path = shared_data / "nhs_proms" / "2017-18" / "Hip Replacements Provider 1718.csv.zip"
    table = opener.table(path, path.name)
    assert len(table.header) == 81
    assert table.rows.select(pl.len()).collect().item() == table.records
