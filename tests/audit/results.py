"""The result of a check that passed: what tests of the history and of alerts start from."""

from __future__ import annotations

PASSED = {
    "check_id": "visit.day.type",
    "table_name": "visit",
    "kind": "type",
    "stage": "delivery",
    "severity": "critical",
    "status": "pass",
    "evaluated": 10,
    "violated": 0,
    "threshold": 0.0,
    "seconds": 0.01,
    "sql_hash": "",
    "reason": "",
    "contract_version": "2",
    "blocks": True,
}
