"""Words that claim a cause, and where they may stand: observational comparisons never use them.

Allowed are "was associated with", "patients who received", "after adjustment for" and "cannot show that needling
caused". The tests look for the others in everything that reaches a reader: the contract, the catalogue of statistics,
generated documents, the README and its neighbours, and every page of the site.
Source: domain reference 4.7.
"""

from __future__ import annotations

import re
from types import MappingProxyType

FORBIDDEN = MappingProxyType(
    {
        "works": r"work(?:s|ed)",
        "effective": r"(?:in)?effective(?:ly|ness)?",
        "improves": r"improv(?:e|es|ed|ing|ement|ements)",
        "reduces": r"reduc(?:e|es|ed|ing|tion|tions)",
        "causes": r"caus(?:e|es|ed|ing)",
        "due to": r"due\s+to",
        "thanks to": r"thanks\s+to",
        "better treatment": r"better\s+treatments?",
        "saves": r"sav(?:e|es|ed|ing|ings)",
        "accelerates": r"accelerat(?:e|es|ed|ing|ion)",
    }
)
"""The words of the domain reference -> their forms."""

ALLOWED = MappingProxyType(
    {
        "cannot show that needling caused": "says that no cause is claimed",
        "effective sample size": "term of survey statistics for weighted data (Kish 1965)",
        "effective size": "the same in short",
        "cause-specific": "term of survival analysis for a hazard or test that censors competing events",
        "improving:": "opens the sentence of a control chart whose signal is favourable (Making Data Count): a course "
        "over time, no claim about why",
        "no cause": "says that no cause is claimed",
        "save it": "tells somebody in which form to store a file",
        "save and send it": "the same",
    }
)
"""Exact phrases in which such a word may stand -> why."""

_WORD = re.compile(
    r"\b(?:" + "|".join(f"(?:{forms})" for forms in FORBIDDEN.values()) + r")\b",
    re.IGNORECASE,
)
_ALLOWED = re.compile("|".join(re.escape(phrase).replace(r"\ ", r"\s+") for phrase in ALLOWED), re.IGNORECASE)


_ADDRESS = re.compile(r"https?://\S+")
"""An address of a source may spell its title."""


def causal_claims(text: str) -> list[str]:
    """Forbidden words in a text, as they are written there, in order.

    Those in allowed phrases and in web addresses do not count.
    """
    return [found.group() for found in _WORD.finditer(_ALLOWED.sub(" ", _ADDRESS.sub(" ", text)))]
