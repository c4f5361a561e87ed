"""Drafts a profile by looking at the data: proposed mapping, guessed settings, and the questions left open.

A draft is a proposal: here, and nowhere else, things are guessed, and each guess carries a question beside its line.
Where only a person knows, a placeholder such as ``WHICH_CONDITION`` stands, which ``load_profile`` refuses with the
number of the line.

No value of a row is ever written into a draft, with one exception: codes have to be translated, so the codes of a
column that is mapped to a coded field are listed, if it has at most 20 values, and of those only the ones in at least
five rows and in the form of a code (no blanks, at most 24 characters). Columns that seem to identify people are never
mapped and none of their values is shown.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from assets.contract import CONTRACT
from assets.deliveries.profile.drafting.opening import STAMP, feed_files, is_fhir, match_of, samples
from assets.deliveries.profile.drafting.proposing import file_drafts
from assets.deliveries.profile.drafting.writing import file_lines
from assets.deliveries.profile.loading import PROFILE_FOLDER, load_profile

if TYPE_CHECKING:
    from collections.abc import Sequence

OMOP_TABLES = frozenset(
    {"visit_occurrence", "condition_occurrence", "measurement", "observation", "procedure_occurrence"}
)
SCHEMA_LINE = "# yaml-language-server: $schema=profile.schema.json\n"


def draft(feeds: Sequence[Path]) -> str:
    """The draft of a profile for a feed, as YAML text with questions.

    Raises:
        InputProblem: there is no file of a known kind, or one of them cannot be opened.

    """
    paths = feed_files(feeds)
    shipped = _shipped([match_of(path.name) for path in paths], fhir=is_fhir(paths))
    if shipped:
        return shipped
    looked_at = list(samples(paths))
    files = file_drafts(looked_at, CONTRACT)
    real_dates = any(file.has_dates for file in files)
    mode = "limited_data_set" if real_dates else "safe_harbor"
    asks = "  # QUESTION: there are real dates; is there a data use agreement, or can you send day numbers?"
    lines = [
        SCHEMA_LINE.rstrip("\n"),
        f"# Drafted by needlepoint profile from the first rows of {len(files)} file{'s' if len(files) > 1 else ''}.",
        "# Answer each QUESTION and delete it; then run needlepoint check with this profile.",
        f"profile: {_slug(feeds[0])}",
        "version: 1",
        "description: Draft",
        f"privacy_mode: {mode}{asks if real_dates else ''}",
    ]
    if not any(STAMP.search(part) for path in paths for part in (path.name, path.parent.name)):
        lines.append(
            '# extract_stamp: "2025-01-31T00:00:00Z"  # QUESTION: of when is the extract? The name does not say'
        )
    lines.append("files:")
    for file in files:
        lines.extend(file_lines(file))
    return "\n".join(lines) + "\n"


def _shipped(matches: Sequence[str], *, fhir: bool) -> str | None:
    """The shipped profile of a standard layout, where the feed is in one."""
    stems = {match.partition(".")[0].lower() for match in matches}
    if fhir:
        name, what = "fhir_r4", "a FHIR R4 bulk export"
    elif "person" in stems and stems & OMOP_TABLES:
        name, what = "omop_cdm54", "a folder of the OMOP common data model"
    else:
        return None
    path = PROFILE_FOLDER / f"{name}.yaml"
    lists = [Path(reference.file).name for reference in load_profile(path, CONTRACT).references]
    beside = "".join(f"# QUESTION: have you put a copy of the shipped {name} beside this profile?\n" for name in lists)
    return (
        f"{SCHEMA_LINE}# The feed looks like {what}: this is the profile that is shipped for it.\n"
        "# QUESTION: are these the codes of your measures and conditions? Run needlepoint check with this profile.\n"
        "# QUESTION: is the feed de-identified? If it is not, it is refused; run needlepoint deidentify first.\n"
        f"{beside}"
    ) + path.read_text(encoding="utf-8").removeprefix(SCHEMA_LINE)


def _slug(feed: Path) -> str:
    return re.sub(r"[^a-z0-9]+", "_", match_of(feed.name).partition(".")[0].lower()).strip("_") or "source"
