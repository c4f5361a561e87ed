"""Scripts and style sheets as they are sent: the same without comments and indentation, which only authors need."""

from __future__ import annotations

import re

_GOES_ON = ("{", "(", "[", ",", ";", "}")
"""Ends of lines after which no line break is needed: a statement that is no block ends with a semicolon of its own."""
_COMMENT = re.compile(r"^\s*(?:/\*(?:(?!\*/).)*\*/|//[^\n]*)\n", re.DOTALL | re.MULTILINE)


def lean(script: str) -> str:
    """Return a script without comments that stand on lines of their own, and without indentation.

    Texts over several lines, in which spaces would count, and
    comments behind code are not used.
    """
    lines = (line.strip() for line in _COMMENT.sub("", script).splitlines() if line.strip())
    return "".join(line if line.endswith(_GOES_ON) else f"{line}\n" for line in lines)


def lean_sheet(sheet: str) -> str:
    """Return a style sheet without comments, and without spaces where they mean nothing."""
    bare = re.sub(r"\s+", " ", re.sub(r"/\*.*?\*/", "", sheet, flags=re.DOTALL))
    # Spaces before a colon in a selector mean something: they stay. No text of a sheet has a comma in it.
    return re.sub(r" ?([{};]) ?|(?<=[:,]) ", r"\1", bare).replace(";}", "}").strip() + "\n"
