"""What the pages of a site say since a run was held: one small script beside them.

Pages depend on inputs and code alone, so that this cannot stand in them. A site is built with a script that does
nothing; the runner replaces it when a run is held, and again when one is released. It is in no manifest and in no hash.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboards.markup import clean, script_json

if TYPE_CHECKING:
    from pathlib import Path

STATUS_FILE = "status.js"
_QUIET = '"use strict";\n'


def status_tag(prefix: str = "") -> str:
    """Return the element at whose place the words appear; ``prefix`` leads from the page to the root of the site.

    The browser waits for this script, so that nothing on the page moves when there are words.
    """
    return f'<script src="{prefix}{STATUS_FILE}"></script>'


def status_script(words: str) -> bytes:
    """Return the script; without words it does nothing."""
    if not words:
        return _QUIET.encode()
    made = script_json({"className": "notice banner", "textContent": clean(words)})
    return f'{_QUIET}document.currentScript.replaceWith(Object.assign(document.createElement("p"),{made}));\n'.encode()


def write_status(site: Path, words: str) -> None:
    """Say this on every page of a site from now on; a reader sees the old script or the new one.

    Raises:
        OSError: it cannot be written.

    """
    path, script = site / STATUS_FILE, status_script(words)
    if path.exists() and path.read_bytes() == script:
        return
    incoming = path.with_name(f".{STATUS_FILE}")
    incoming.write_bytes(script)
    incoming.replace(path)
