"""``needlepoint audit``: the ledger, the history of checks, and what moved between releases."""

from __future__ import annotations

import click


@click.group()
def audit() -> None:
    """What was checked, decided and signed, and proof that nobody changed it afterwards."""


VERBS: tuple[click.Command, ...] = ()
"""One per verb, from ``pipelines/cli_audit_<topic>.py``."""

for command in VERBS:
    audit.add_command(command)
