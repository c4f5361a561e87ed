"""Colours, the figure template and the plotly configuration: the one place where looks are decided.

Figures are built in light colours, so that they are valid on paper and in notebooks; the page engine replaces each
light colour by its dark one (``DARK_OF_LIGHT``). Contrast was measured: text at least 4.5 to 1, marks at least 3 to 1.
Colour never carries meaning alone: shape and word repeat it.
"""

from __future__ import annotations

from typing import Any

from plotly import graph_objects as go

LIGHT = {
    "page": "#F4F6F8",
    "card": "#FFFFFF",
    "line": "#D9DFE6",
    "grid": "#E6EAEF",
    "ink": "#1B2430",
    "mute": "#55606E",
    "link": "#00598C",
    "own": "#0072B2",
    "network": "#5B6673",
    "bad": "#C24E00",
    "bad-text": "#B34700",
    "hot": "#FFF6E8",
    "hot-line": "#E0A458",
    "hot-row": "#FFF3E0",
    "pass": "#B9CADB",
    "warn": "#F0C27A",
    "none": "#EEF1F4",
    "own-band": "rgba(0,114,178,0.16)",
}
DARK = {
    "page": "#0F141B",
    "card": "#171E27",
    "line": "#2B3542",
    "grid": "#26303C",
    "ink": "#E8EDF3",
    "mute": "#A9B4C1",
    "link": "#8CCBF2",
    "own": "#56B4E9",
    "network": "#A9B4C1",
    "bad": "#F39C4A",
    "bad-text": "#F3A55C",
    "hot": "#2A2114",
    "hot-line": "#8A6427",
    "hot-row": "#3A2A14",
    "pass": "#35506B",
    "warn": "#8A6427",
    "none": "#222B36",
    "own-band": "rgba(86,180,233,0.2)",
}
DARK_OF_LIGHT = {light: DARK[token] for token, light in LIGHT.items()}

FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif'
CLEAR = "rgba(0,0,0,0)"

# Every entry is a wall: the default configuration of plotly.js 4 shows a button that uploads the chart's data.
CONFIG: dict[str, Any] = {
    "displayModeBar": False,
    "displaylogo": False,
    "showSendToCloud": False,
    "plotlyServerURL": "",
    "responsive": False,
    "doubleClick": False,
    "scrollZoom": False,
    "showTips": False,
}

_AXIS = {
    "fixedrange": True,
    "zeroline": False,
    "showline": False,
    "automargin": True,
    "gridcolor": LIGHT["grid"],
    "tickangle": 0,
    "tickfont": {"size": 12, "color": LIGHT["mute"]},
    "title": {"font": {"size": 12, "color": LIGHT["mute"]}, "standoff": 8},
}

TEMPLATE = go.layout.Template(
    layout={
        "font": {"family": FONT, "size": 13, "color": LIGHT["ink"]},
        "paper_bgcolor": CLEAR,
        "plot_bgcolor": CLEAR,
        "margin": {"l": 8, "r": 16, "t": 8, "b": 40},
        "dragmode": False,
        "showlegend": False,
        "hoverlabel": {
            "bgcolor": LIGHT["card"],
            "bordercolor": LIGHT["mute"],
            "font": {"color": LIGHT["ink"], "size": 13},
            "align": "left",
        },
        "xaxis": _AXIS,
        "yaxis": _AXIS,
    }
)


def stylesheet() -> str:
    """Both palettes as CSS custom properties; paper is always light."""
    return (
        f":root{{color-scheme:light;{_properties(LIGHT)}}}\n"
        f"@media screen{{:root[data-theme=dark]{{color-scheme:dark;{_properties(DARK)}}}}}\n"
        # Without JavaScript nothing sets data-theme: follow the system.
        "@media screen and (prefers-color-scheme:dark){:root:not([data-theme])"
        f"{{color-scheme:dark;{_properties(DARK)}}}}}\n"
    )


def _properties(palette: dict[str, str]) -> str:
    return "".join(f"--{token}:{colour};" for token, colour in palette.items())
