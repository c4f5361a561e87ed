"""Opens files written in a test."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from assets.deliveries.formats import open_table
from assets.deliveries.limits import LIMITS
from assets.deliveries.problems import InputProblem
from assets.deliveries.profile.fields import FileSource

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl

    from assets.deliveries.formats import TextTable
    from assets.deliveries.limits import Limits


class Opener:
    """Writes a file and opens it; every scratch file lies in ``scratch``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.scratch = folder / "scratch"
        self.scratch.mkdir()

    def path(self, content: bytes | Path) -> Path:
        if not isinstance(content, bytes):
            return content
        path = self.folder / "landed"
        path.write_bytes(content)
        return path

    def table(self, content: bytes | Path, name: str = "t.csv", limits: Limits = LIMITS, **source: Any) -> TextTable:
        return open_table(
            self.path(content), name, FileSource(match="*", **source), self.scratch, "safe_harbor", limits
        )

    def frame(self, content: bytes | Path, name: str = "t.csv", **source: Any) -> pl.DataFrame:
        """The columns of the file, after a look that no record was lost."""
        table = self.table(content, name, **source)
        frame = table.rows.collect()
        assert frame.height == table.records
        assert frame["row_number"].to_list() == list(range(1, table.records + 1))
        return frame.select(*table.header, "structure")

    def problem(
        self, content: bytes | Path, name: str = "t.csv", limits: Limits = LIMITS, **source: Any
    ) -> InputProblem:
        with pytest.raises(InputProblem) as caught:
            self.table(content, name, limits, **source)
        assert caught.value.__suppress_context__ or caught.value.__context__ is None
        return caught.value


@pytest.fixture
def opener(tmp_path: Path) -> Opener:
    return Opener(tmp_path)
