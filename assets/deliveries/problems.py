"""What can be wrong with an input, said in one sentence.

Exception texts of DuckDB, Polars and the YAML parser contain values of rows; none of them may reach a log or a
terminal. Readers catch them and raise these instead.
"""

from __future__ import annotations

import re

COLUMN_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}")


class InputProblem(Exception):  # noqa: N818 a problem of the input, not an error of the program
    """Something a person has to put right: a call, a profile or a delivery that cannot be used.

    ``code`` is the reason kept in the ledger. ``where`` names file, row and column as far as they are known,
    never a value; ``remedy`` says what to do.
    """

    def __init__(self, code: str, where: str, what: str, remedy: str) -> None:
        """Build the sentence: where, what, remedy."""
        super().__init__(f"{where}: {what}. {remedy}.")
        self.code = code
        self.where = where
        self.what = what
        self.remedy = remedy

    @property
    def with_code(self) -> str:
        """The sentence behind its code, by which the runbook is entered."""
        return f"{self.code}: {self}"


def said_column(column: str, position: int) -> str:
    """A column for a sentence: by its name if it can be one, for without a header line it would be a value."""
    return f"column {column!r}" if COLUMN_NAME.fullmatch(column) else f"column {position}"
