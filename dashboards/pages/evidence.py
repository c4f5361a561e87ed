"""Evidence pack ``evidence.html``: what an auditor can recompute, and how."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboards.markup import esc
from dashboards.pages.frame import Page, empty
from dashboards.pages.text import paragraph, sections_html, table

if TYPE_CHECKING:
    from dashboards.pages.frame import SiteMeta
    from dashboards.published import Published

NAME, HEADING = "evidence", "Evidence pack"
PACKS = "evidence"
"""Folder of the packs, beside the pages."""
FILES = (
    ("index.html", "Everything in one page, to read, print and sign. It needs no other file and runs no script."),
    ("checks.json", "Every check: rule, owner, allowed and observed share, result by delivery, digest of its query."),
    ("checks.schema.json", "The JSON Schema that checks.json obeys."),
    (
        "manifest.json",
        "SHA-256 of every file that came in and of every file that was published; versions; rows; thresholds.",
    ),
    ("SHA256SUMS", "SHA-256 of the files of the pack."),
)
STEPS = (
    "Copy the folder of the pack, or open it where it is.",
    "In that folder run sha256sum -c SHA256SUMS (on a Mac: shasum -a 256 -c SHA256SUMS). Every line must end in OK.",
    "Compare the SHA-256 of a file that a clinic sent with the one in manifest.json: the same bytes came in.",
    "Compare the SHA-256 of a page or table of the site with the one in manifest.json: the same bytes are published.",
    "Run the same deliveries through the same code: the release has the same name and every file the same SHA-256.",
)


def pack_name(stamp: str, release: str) -> str:
    """Return the folder of a pack: day of the newest extract, then the release."""
    return f"{stamp[:10] or 'undated'}_{release}"


def build(published: Published, meta: SiteMeta) -> Page:
    """Return the page."""
    if not meta.release or not published.rows("check_summary"):
        return Page(NAME, HEADING, empty())
    folder = f"{PACKS}/{pack_name(meta.stamp, meta.release)}"
    links = [(name, (name, words)) for name, words in FILES]
    steps = "".join(f"<li>{esc(step)}</li>" for step in STEPS)
    body = (
        '<p class="lead"><strong>Every number of this release can be traced and recomputed.</strong> '
        f'<a href="{esc(folder)}/index.html">Open the evidence pack of release {esc(meta.release)}</a></p>'
    )
    sections = (
        (
            "files",
            "What is in it",
            paragraph(
                "A pack belongs to one release and is never changed: another release has another pack. It has no time "
                "of a run in it, because the same inputs and code must give the same bytes."
            )
            + table("Files of the pack", ("File", "What it says"), links)
            + paragraph(
                "The folder gx holds what Great Expectations said of each check, without a value of a row: of the "
                "release, and of its newest deliveries. Packs that the installation keeps, and those in the bundle for "
                "quality teams, have trail.html and trail.json beside: where the ledger stood, who decided what, and "
                "what is new against the release before. None of that may be in the release itself."
            ),
        ),
        ("verify", "How to check it", f"<ol>{steps}</ol>"),
        (
            "not-in-it",
            "What is not in it",
            paragraph(
                "No value and no key of a patient. The keys of rows that violate a check are pseudonyms; they are kept "
                "with the release on the machine that built it (evidence-restricted), for those who correct the data, "
                "and are in no bundle."
            ),
        ),
    )
    return Page(NAME, HEADING, body + sections_html(sections), styles=(NAME,))
