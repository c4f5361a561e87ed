"""Checks of what readers would get: protected tables, their files, the pages. They run before the switch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assets.contract.checks import Check, Kind, Stage
from assets.outcomes.published import LAYOUTS, PUBLISHED_TABLES
from assets.privacy.disclosure.profiles import SMALLEST_PRINTED
from assets.publication.public_tables import PUBLIC_TABLES, RECOVERY
from assets.quality.oracles import Oracle, rows_of
from assets.quality.written_files import KEYS, SEARCHED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assets.contract.model import Contract
    from assets.outcomes.frames import Layout

PUBLISHED = "published"
SPOKEN = {"condition": "condition_id", "clinic": "clinic_key"}


def published_checks(contract: Contract) -> tuple[Check, ...]:
    """Every check of tables and files that are about to be published."""
    made = [oracle for name in PUBLISHED_TABLES for oracle in _of_table(name)]
    public = _of_layout(f"{PUBLIC_TABLES}.{RECOVERY}", LAYOUTS[RECOVERY])
    return tuple(oracle.check(contract) for oracle in (*made, *public, *_of_site()))


def _of_table(name: str) -> Iterator[Oracle]:
    if name in LAYOUTS:
        yield from _of_layout(f"{PUBLISHED}.{name}", LAYOUTS[name])
    yield _oracle(
        f"{PUBLISHED}.{name}",
        Kind.SAME_FILE,
        f"Files of {name} say what the table says",
        f"The Parquet and CSV files of {name} have the rows of the table in the warehouse, to the last digit.",
        f"select file\nfrom audit.written_table\nwhere table_name = '{name}' and not is_same",
        rows_of("audit.written_table", f"table_name = '{name}'"),
    )


def _of_layout(relation: str, layout: Layout) -> Iterator[Oracle]:
    keys = ", ".join(layout.keys)
    numbers = [name for name, dtype in layout.numbers.items() if dtype.is_numeric()]
    yield _oracle(
        relation,
        Kind.HIDDEN,
        "A hidden row has no number",
        f"In rows of {relation} that are marked as suppressed, no number is filled in.",
        f"select {keys}\nfrom {relation}\nwhere suppressed and coalesce({', '.join(numbers)}) is not null",
        rows_of(relation, "suppressed"),
    )
    small = " or ".join(f"{name} between 1 and {SMALLEST_PRINTED - 1}" for name in layout.counts)
    yield _oracle(
        relation,
        Kind.SMALL_COUNT,
        "No count of a small group is printed",
        f"Counts of patients and their care in {relation} are 0, at least {SMALLEST_PRINTED}, or not printed.",
        f"select {keys}\nfrom {relation}\nwhere {small}",
        rows_of(relation, "not suppressed"),
    )


def _of_site() -> Iterator[Oracle]:
    for kind, (column, model) in KEYS.items():
        yield _oracle(
            f"site.{kind}",
            Kind.NO_KEY,
            f"No file of the site has the key of a {kind}",
            f"No {column} of {model} that can be told from words and counts stands in a file of the site.",
            f"select file\nfrom audit.written_key\nwhere kind = '{kind}'",
            f"select count(distinct {column}) from {model} where {SEARCHED.format(column)}",
        )
    for about, column in SPOKEN.items():
        other = next(name for name in SPOKEN.values() if name != column)
        yield _oracle(
            f"site.index.{about}",
            Kind.SAME_PAGE,
            f"The first page shows each {about}'s published share",
            f"The share recovered that the first page prints for a {about} is that of recovery_by_condition.",
            f"select code\nfrom audit.written_number\nanti join (\n"
            f"    select {column} as code, rate\n    from published.recovery_by_condition\n"
            f"    where {other} is null and care = 'any' and period = 'all' and not suppressed\n"
            "        and definition_id in (select definition_id from reference.definition where is_default)\n"
            ") as shown on written_number.code = shown.code and abs(written_number.percent - 100 * shown.rate) <= 0.5\n"
            f"where about = '{about}'",
            rows_of("audit.written_number", f"about = '{about}'"),
        )
    yield _oracle(
        "site.files",
        Kind.WHOLE_SITE,
        "The site has the files that were written, and no other",
        "Every file of the site was written by this run, and every file that was written is there.",
        "select file\nfrom audit.written_file\nwhere is_expected <> is_there",
        rows_of("audit.written_file"),
    )


def _oracle(relation: str, kind: Kind, title: str, sentence: str, violated: str, evaluated: str) -> Oracle:
    return Oracle(f"{relation}.{kind}", Stage.PUBLISHED, kind, relation, title, sentence, violated, evaluated)
