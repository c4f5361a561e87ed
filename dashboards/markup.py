"""Escaping. Everything that comes from data passes through here before it reaches HTML, a script or plotly."""

from __future__ import annotations

import html
import json
import re

PLOT_LETTERS = 48
"""The longest name in a chart."""

_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")
_FOR_SCRIPT = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"})


def clean(text: str) -> str:
    """Return a label in which control and direction characters, which could disguise a name, are visible."""
    return _UNSAFE.sub("\ufffd", text)


def esc(value: object) -> str:
    """Text for HTML content and quoted attributes."""
    return html.escape(str(value), quote=True)


def attributes(**pairs: object) -> str:
    """Write HTML attributes; a trailing underscore is dropped, underscores become hyphens, None is left out."""
    return "".join(
        f' {name.rstrip("_").replace("_", "-")}="{esc(value)}"' for name, value in pairs.items() if value is not None
    )


def plot_text(text: str) -> str:
    """Text for a plotly label: plotly renders some tags and decodes entities, so both are disarmed.

    A name that would push the marks aside is cut; the table below the chart has all of it.
    """
    text = text if len(text) <= PLOT_LETTERS else f"{text[: PLOT_LETTERS - 1].rstrip()}\N{HORIZONTAL ELLIPSIS}"
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def script_json(value: object) -> str:
    """JSON that is safe inside a script file or element, equal for equal values."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.translate(_FOR_SCRIPT)


def is_formula(text: str) -> bool:
    """Whether a spreadsheet would take this cell for a formula."""
    return text.startswith(_FORMULA) and not _NUMBER.fullmatch(text)
