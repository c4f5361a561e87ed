"""What a run did, for people and for machines."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from pathlib import Path

    from assets.deliveries.ledger import Delivery
    from pipelines.outcome import RunOutcome


def say_outcome(outcome: RunOutcome, page: Path, *, as_json: bool) -> None:
    """Print what a run did and leave with its exit code."""
    if as_json:
        click.echo(json.dumps(_as_dict(outcome, page), indent=1))
    else:
        for delivery in outcome.known:
            click.echo(f"{delivery.label}: read before, nothing to do ({delivery.state})")
        for delivery in outcome.read:
            click.echo(_line(delivery))
        for problem in outcome.not_landed:
            click.echo(f"Not read. {problem.with_code}")
        for problem in outcome.failed:
            click.echo(f"Failed. {problem.with_code}")
        for sentence in outcome.held:
            click.echo(f"Held back. {sentence}")
        for reason in outcome.held_by:
            click.echo(f"Not released. {reason}")
        if outcome.released:
            click.echo(f"Release {outcome.release} is in force. Open {page}")
        elif outcome.release:
            click.echo(f"Release {outcome.release} stays in force: {page}")
    sys.exit(outcome.exit_code)


def _line(delivery: Delivery) -> str:
    rows = f"{delivery.label}: {delivery.ingested:,} rows"
    if delivery.problem:
        return f"{rows}, {delivery.state}. {delivery.problem_code}: {delivery.problem}"
    return f"{rows}, {delivery.set_aside:,} set aside on reading"


def _as_dict(outcome: RunOutcome, page: Path) -> dict[str, object]:
    return {
        "released": outcome.released,
        "release": outcome.release,
        "held_by": [*outcome.held, *outcome.held_by],
        "failed": [problem.with_code for problem in outcome.failed],
        "site": str(page),
        "not_read": [{"code": problem.code, "problem": str(problem)} for problem in outcome.not_landed],
        "deliveries": [
            {
                "delivery_id": delivery.delivery_id,
                "label": delivery.label,
                "new": delivery in outcome.read,
                "state": delivery.state,
                "ingested": delivery.ingested,
                "out_of_scope": delivery.out_of_scope,
                "set_aside": delivery.set_aside,
                "rejected": delivery.rejected,
                "problem": delivery.problem,
            }
            for delivery in (*outcome.read, *outcome.known)
        ],
    }
