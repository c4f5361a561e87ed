"""The types of check: when each runs, what it is about in Kahn's terms, who owns it, and what it means.

Kahn et al. 2016 (eGEMs 4:1244) tell apart whether data conform to what was agreed, whether they are there, and
whether they can be believed. The words for the engineer and for the reader of the numbers belong to the type, so that
each of some hundred checks of one type has them and they are written once.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """The types of check. ``structure`` is found in the bytes of a file, all others in rows."""

    SCHEMA = "schema"
    STRUCTURE = "structure"
    USABLE = "usable"
    TYPE = "type"
    READABLE = "readable"
    REQUIRED = "required"
    PATTERN = "pattern"
    ALLOWED = "allowed"
    POSSIBLE = "possible"
    PLAUSIBLE = "plausible"
    ROW_RULE = "row_rule"
    UNIQUE = "unique"
    REFERENCE = "reference"
    RULE = "rule"
    BEHAVIOUR = "behaviour"
    VOLUME = "volume"
    DRIFT = "drift"
    GRAIN = "grain"
    FILLED = "filled"
    RECONCILES = "reconciles"
    PARTS = "parts"
    SHARE = "share"
    INTERVAL = "interval"
    BOUNDED = "bounded"
    MONOTONE = "monotone"
    AMONG = "among"
    AGREES = "agrees"
    HIDDEN = "hidden"
    SMALL_COUNT = "small_count"
    SAME_FILE = "same_file"
    SAME_PAGE = "same_page"
    NO_KEY = "no_key"
    WHOLE_SITE = "whole_site"


class Stage(StrEnum):
    """When a check is evaluated."""

    DELIVERY = "delivery"
    """When a delivery is read, on its rows."""
    RELEASE = "release"
    """Between the accepted rows of all deliveries, once the models have run."""
    MODEL = "model"
    """On the models themselves."""
    STATISTICS = "statistics"
    """On the exact statistics, before anything of them is hidden or published."""
    PUBLISHED = "published"
    """On what readers would get, before it is switched in."""


STAGES = {
    Stage.DELIVERY: ("Rows of a delivery", "When a delivery is read, on every row of it."),
    Stage.RELEASE: (
        "Between and over deliveries",
        "On the accepted rows of all deliveries together, before numbers are made of them.",
    ),
    Stage.MODEL: ("Models", "On the tables that the SQL models make, before numbers are made of them."),
    Stage.STATISTICS: ("Statistics", "On the exact numbers, before anything of them is hidden or shown."),
    Stage.PUBLISHED: (
        "Published tables and pages",
        (
            "On the written files, before anybody sees them; a release in which one fails is not published. These "
            "pages are among the files, so no result of theirs stands in them: it is in the history of checks."
        ),
    ),
}
"""What each stage is about, and when it runs, in words."""


class Category(StrEnum):
    """Kahn's categories."""

    CONFORMANCE = "conformance"
    COMPLETENESS = "completeness"
    PLAUSIBILITY = "plausibility"


class Dimension(StrEnum):
    """Kahn's subcategories."""

    VALUE = "value conformance"
    RELATIONAL = "relational conformance"
    COMPUTATIONAL = "computational conformance"
    COMPLETENESS = "completeness"
    UNIQUENESS = "uniqueness plausibility"
    ATEMPORAL = "atemporal plausibility"
    TEMPORAL = "temporal plausibility"

    @property
    def category(self) -> Category:
        """The category it belongs to."""
        return Category(self.value.split()[-1])


DATA_QUALITY, DATA_ENGINEERING, BIOSTATISTICS, PRIVACY = (
    *("data quality", "data engineering", "biostatistics", "privacy"),
)
"""Owners: whom to ask about a check, and who may change it."""


@dataclass(frozen=True, slots=True)
class KindFacts:
    """What all checks of a type have in common.

    ``since`` is the day on which the type came in, ``changed`` the last day on which its rule was changed (empty:
    never). ``why`` says why it matters, ``engineer`` what to do about a failure, ``reader`` what one means for
    whoever reads the numbers.
    """

    dimension: Dimension
    owner: str
    since: str
    why: str
    engineer: str
    reader: str
    changed: str = ""


_ROW_READER = "The rows that break it are not counted until they are corrected; the numbers rest on the others."
_HELD_READER = "A release that fails it is not shown: you go on seeing the numbers of the release before."
_WARNED_READER = "The numbers are shown as they are; take differences that rest on these rows with care."
_FIRST, _SECOND, _THIRD = "2026-11-23", "2026-11-25", "2026-11-26"

KINDS = {
    Kind.SCHEMA: KindFacts(
        Dimension.RELATIONAL,
        DATA_ENGINEERING,
        _FIRST,
        "Another set of columns means that the extract was changed; numbers could be about something else.",
        "Compare the columns of the file with those the profile names, and describe the new ones in the profile.",
        "Nothing of this delivery is counted; the numbers are those without it.",
    ),
    Kind.STRUCTURE: KindFacts(
        Dimension.VALUE,
        DATA_QUALITY,
        _FIRST,
        "A row that is cut or shifted has every value under a wrong heading.",
        "Look at the named lines of the file: a separator or a line break inside a text without quotes is the rule.",
        _ROW_READER,
        _SECOND,
    ),
    Kind.USABLE: KindFacts(
        Dimension.COMPLETENESS,
        DATA_QUALITY,
        _FIRST,
        "A delivery that loses most of its rows is a wrong delivery, not one with some wrong rows.",
        "Look at the checks that most of its rows violate: a unit, a code or a column has probably changed.",
        "Nothing of this delivery is counted; the numbers are those without it.",
    ),
    Kind.TYPE: KindFacts(
        Dimension.VALUE,
        DATA_ENGINEERING,
        _FIRST,
        "A column that cannot be read as what it should be is another column, or has another format.",
        "The lake holds the column in another type than the contract: look at the reader and at the profile.",
        "Nothing of this delivery is counted; the numbers are those without it.",
    ),
    Kind.READABLE: KindFacts(
        Dimension.VALUE,
        DATA_QUALITY,
        _FIRST,
        "A value that cannot be read is not counted as anything; guessing it would make up data.",
        "Ask the source to send the number as the profile says it is written, or add the missing code to the profile.",
        _ROW_READER,
    ),
    Kind.REQUIRED: KindFacts(
        Dimension.COMPLETENESS,
        DATA_QUALITY,
        _FIRST,
        "Without this value the row belongs to nothing and cannot be counted.",
        "Ask the source why the field is empty; look at whether the profile reads it from the right column.",
        _ROW_READER,
    ),
    Kind.PATTERN: KindFacts(
        Dimension.VALUE,
        DATA_QUALITY,
        _FIRST,
        "A key in another form is often a name or a number of a person, or a key of another system.",
        "Look at the field at the source, never in a log: it may hold a name. Build the key in the profile.",
        _ROW_READER,
    ),
    Kind.ALLOWED: KindFacts(
        Dimension.VALUE,
        DATA_QUALITY,
        _FIRST,
        "A code that nobody knows has no meaning here; it is asked for rather than guessed.",
        "Ask the source what the code means and map it in the profile, or have it corrected.",
        _ROW_READER,
    ),
    Kind.POSSIBLE: KindFacts(
        Dimension.ATEMPORAL,
        DATA_QUALITY,
        _FIRST,
        "A value that cannot occur is a typing error, another unit or another measure.",
        "Have the value corrected at the source. Many at once mean another unit or scale: look at the profile.",
        _ROW_READER,
    ),
    Kind.PLAUSIBLE: KindFacts(
        Dimension.ATEMPORAL,
        DATA_QUALITY,
        _FIRST,
        "A rare value may be right; many of them mean another unit or a fault of entry.",
        "Look at some of the rows at the source; where they are right, change the threshold and give the reason.",
        _WARNED_READER,
    ),
    Kind.ROW_RULE: KindFacts(
        Dimension.ATEMPORAL,
        DATA_QUALITY,
        _FIRST,
        "Values that contradict each other cannot both be right.",
        "Have whichever of the columns is wrong corrected at the source.",
        _ROW_READER,
    ),
    Kind.UNIQUE: KindFacts(
        Dimension.UNIQUENESS,
        DATA_QUALITY,
        _FIRST,
        "What stands twice would be counted twice.",
        "Have one row sent for each key. Copies that are the same in every column do no harm.",
        _ROW_READER,
    ),
    Kind.REFERENCE: KindFacts(
        Dimension.RELATIONAL,
        DATA_QUALITY,
        _FIRST,
        "A row without the record to which it belongs cannot be followed over time.",
        "Look for the missing record: it may come with another delivery, or have been set aside itself.",
        _ROW_READER,
    ),
    Kind.RULE: KindFacts(
        Dimension.ATEMPORAL,
        DATA_QUALITY,
        _FIRST,
        "An episode in another order than care can have would have a wrong course.",
        "Have whichever of the rows is wrong corrected at the source.",
        _ROW_READER,
    ),
    Kind.BEHAVIOUR: KindFacts(
        Dimension.ATEMPORAL,
        DATA_QUALITY,
        _SECOND,
        "A habit of rounding or copying scores hides small changes and small differences.",
        "Ask the clinic how these scores come about. It is a reason to ask, not proof.",
        _WARNED_READER,
    ),
    Kind.VOLUME: KindFacts(
        Dimension.TEMPORAL,
        DATA_QUALITY,
        _SECOND,
        "Far fewer or far more rows than usual mean a filter, a part that is missing or a second extract.",
        "Ask the source whether the extract is whole and not sent twice.",
        _WARNED_READER,
    ),
    Kind.DRIFT: KindFacts(
        Dimension.TEMPORAL,
        DATA_QUALITY,
        _THIRD,
        "Data that change from one night to the next without a reason were changed by a system, not by patients.",
        "Ask the clinic what changed that day: software, a form, a code list, staff. Waive it with what you learn.",
        _WARNED_READER,
    ),
    Kind.GRAIN: KindFacts(
        Dimension.UNIQUENESS,
        DATA_ENGINEERING,
        _FIRST,
        "A model with two rows for one thing counts it twice in everything that comes after.",
        "A join of this model finds more than one partner: look at the grain of what it reads.",
        _HELD_READER,
        _THIRD,
    ),
    Kind.FILLED: KindFacts(
        Dimension.COMPLETENESS,
        DATA_ENGINEERING,
        _THIRD,
        "A row without its key belongs to nobody: it is lost, or counted with others of its kind.",
        "An outer join of this model finds no partner: look at what it reads.",
        _HELD_READER,
    ),
    Kind.RECONCILES: KindFacts(
        Dimension.COMPUTATIONAL,
        DATA_ENGINEERING,
        _THIRD,
        "A row that gets lost, or doubled, on its way is missing from, or twice in, every number.",
        "Run the query: it names what is missing and what is too much. Then look at the joins in between.",
        _HELD_READER,
    ),
    Kind.PARTS: KindFacts(
        Dimension.COMPUTATIONAL,
        BIOSTATISTICS,
        _THIRD,
        "Where parts do not add up to their whole, one of the two is wrong.",
        "Run the query: it names the whole that differs. Look at the filter of either side.",
        _HELD_READER,
    ),
    Kind.SHARE: KindFacts(
        Dimension.COMPUTATIONAL,
        BIOSTATISTICS,
        _THIRD,
        "A share that is not its numerator over its denominator is about somebody else.",
        "Run the query: it names the rows. Look at where the share and its counts are computed.",
        _HELD_READER,
    ),
    Kind.INTERVAL: KindFacts(
        Dimension.COMPUTATIONAL,
        BIOSTATISTICS,
        _THIRD,
        "An estimate outside its own interval was computed from something else than the interval.",
        "Run the query: it names the rows. Look at the method and at the numbers handed to it.",
        _HELD_READER,
    ),
    Kind.BOUNDED: KindFacts(
        Dimension.COMPUTATIONAL,
        BIOSTATISTICS,
        _THIRD,
        "A share above 1, or a negative error, cannot be: the computation went wrong, whatever it was given.",
        "Run the query: it names the rows. Look at the method and at groups with few or equal values.",
        _HELD_READER,
    ),
    Kind.MONOTONE: KindFacts(
        Dimension.COMPUTATIONAL,
        BIOSTATISTICS,
        _THIRD,
        "Who has recovered stays recovered in such a curve: one that goes back counts different people in time.",
        "Run the query: it names the steps that go back. Look at the order and the risk set of the curve.",
        _HELD_READER,
    ),
    Kind.AMONG: KindFacts(
        Dimension.COMPUTATIONAL,
        BIOSTATISTICS,
        _THIRD,
        "More people in a part than in the whole means that the two are about different people.",
        "Run the query: it names the rows. Look at the filters of both counts.",
        _HELD_READER,
    ),
    Kind.AGREES: KindFacts(
        Dimension.COMPUTATIONAL,
        BIOSTATISTICS,
        _THIRD,
        "The same thing counted in two ways must come out the same; else one of the two is wrong.",
        "Run the query: it names the groups that differ. Count one of them by hand from the marts.",
        _HELD_READER,
    ),
    Kind.HIDDEN: KindFacts(
        Dimension.VALUE,
        PRIVACY,
        _THIRD,
        "A number in a row that is marked as hidden can tell the result of a few people.",
        "Disclosure control left a number in a hidden row: look at the layout of the table and at its last step.",
        _HELD_READER,
    ),
    Kind.SMALL_COUNT: KindFacts(
        Dimension.VALUE,
        PRIVACY,
        _THIRD,
        "A group of 1 to 10 patients is small enough to recognise somebody in it.",
        "A count went past disclosure control: look at the counts in the layout of the table.",
        _HELD_READER,
    ),
    Kind.SAME_FILE: KindFacts(
        Dimension.COMPUTATIONAL,
        DATA_ENGINEERING,
        _THIRD,
        "What is downloaded must be what was checked and protected, to the last digit.",
        "Compare the file with the table in the warehouse: `from ... except all from ...` shows the rows.",
        _HELD_READER,
    ),
    Kind.SAME_PAGE: KindFacts(
        Dimension.COMPUTATIONAL,
        DATA_ENGINEERING,
        _THIRD,
        "A page that prints another number than the table beside it makes readers doubt both.",
        "The query names the row. Look at how the page picks and rounds the number.",
        _HELD_READER,
    ),
    Kind.NO_KEY: KindFacts(
        Dimension.VALUE,
        PRIVACY,
        _THIRD,
        "A key of a patient in a page leads whoever has the clinic's list to the patient.",
        "The query names the files. Look at which table or sentence of the page holds rows instead of groups.",
        _HELD_READER,
    ),
    Kind.WHOLE_SITE: KindFacts(
        Dimension.COMPLETENESS,
        DATA_ENGINEERING,
        _THIRD,
        "A file that nobody wrote on purpose was not checked, and a page without its file shows nothing.",
        "The query names the files. Build the site into an empty folder.",
        _HELD_READER,
    ),
}
