"""``needlepoint audit``: the ledger, the history of checks, and what moved between releases."""

from __future__ import annotations

import click

from pipelines.cli_audit_diff import diff
from pipelines.cli_audit_history import status, threshold, what_if
from pipelines.cli_audit_ledger import log, sign, verify, waive


@click.group()
def audit() -> None:
    """What was checked, decided and signed, and proof that nobody changed it afterwards."""


VERBS: tuple[click.Command, ...] = (diff, log, sign, status, threshold, verify, waive, what_if)
"""One per verb, from ``pipelines/cli_audit_<topic>.py``."""

for command in VERBS:
    audit.add_command(command)
