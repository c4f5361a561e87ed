"""The rival: the same work as ``needlepoint run`` as one pandas, statsmodels and lifelines script.

``python tests/benchmark/rival_pandas.py FOLDER OUT``. Reads the files of one delivery as text, sets rows aside with
reasons, judges every episode by all definitions, counts by every group, computes intervals and curves and writes one
page. It does not copy or hash the delivery, has no identifier gate, no record of runs, no Great Expectations and no
disclosure control: where the comparison is unfair, it favours this script. Written from the domain reference and the
contract, not from the SQL; where these leave a choice, the choice is the one that a model's header comment states. So
equal counts say that the rules are carried out as written, not that the choices are right.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
from rival_cubes import (
    event_count,
    measure_changes,
    measure_summary,
    pain_cube,
    recovery_cube,
    response_summary,
    rom_cube,
    visit_density,
)
from rival_keys import current_rows
from rival_outcomes import motion, outcomes, pain, pain_occasions, relief_days
from rival_reading import read_table
from rival_scores import courses, episodes, scores_of, used_visits
from rival_statistics import curves, mean_changes, page, recovery_rates, responder_rates

from assets.contract import CONTRACT

if TYPE_CHECKING:
    from rival_reading import Faults

CODES = ("condition_id", "clinic_key", "care")


def main() -> None:
    """Read, check, judge, count, write."""
    folder, out = Path(sys.argv[1]), Path(sys.argv[2])
    out.mkdir(parents=True, exist_ok=True)
    clock = {"start and imports": time.process_time()}

    tables, faults, broken = {}, {}, {}
    for table in CONTRACT.tables:
        path = next((p for p in sorted(folder.iterdir()) if p.stem == table.name), None)
        if path is not None:
            tables[table.name], faults[table.name], broken[table.name] = read_table(path, table)
    clock["read, row rules"] = time.process_time()
    current = current_rows(tables, faults)
    clock["key rules"] = time.process_time()
    _write_quarantine(tables, faults, broken, out)
    ingested = {name: len(frame) + len(broken[name]) for name, frame in tables.items()}
    tables.clear()
    clock["quarantine"] = time.process_time()

    episode = episodes(current)
    visits = used_visits(current, episode)
    scores = scores_of(current, visits)
    course = courses(scores, visits)
    clock["scores that count"] = time.process_time()
    judged = pain(course, episode)
    occasion = pain_occasions(scores, visits, judged)
    relief = relief_days(occasion, len(judged))
    moved = motion(course, episode, judged, current["patient"])
    frame = outcomes(episode, judged, moved, relief, occasion)
    frame.to_parquet(out / "episode_outcome.parquet")
    clock["outcomes"] = time.process_time()

    year = frame["start_year"]
    period = year.where(year.notna(), 0).astype(int).astype(str).where(year.notna(), "unknown")
    frame = frame.assign(period=period, **{name: frame[name].astype("category") for name in CODES})
    episode = episode.assign(**{name: episode[name].astype("object") for name in CODES})
    change = measure_changes(course, episode)
    cubes = {
        "recovery_cube": recovery_cube(frame),
        "pain_cube": pain_cube(frame),
        "rom_cube": rom_cube(frame),
        "event_count": event_count(frame),
        "visit_density": visit_density(frame),
        "measure_summary": measure_summary(change),
        "response_summary": response_summary(change),
    }
    for name, cube in cubes.items():
        cube.to_parquet(out / f"{name}.parquet")
    clock["cubes"] = time.process_time()
    rates = recovery_rates(cubes["recovery_cube"])
    rates.to_csv(out / "recovery_by_condition.csv", index=False)
    responder_rates(cubes["pain_cube"], "mcid_responders", "mcid_eligible").to_csv(out / "mcid.csv", index=False)
    responder_rates(cubes["response_summary"], "responders", "eligible").to_csv(out / "response.csv", index=False)
    mean_changes(cubes["pain_cube"]).to_csv(out / "pain_change.csv", index=False)
    clock["intervals"] = time.process_time()
    curve = curves(cubes["event_count"])
    curve.to_csv(out / "recovery_curve.csv", index=False)
    clock["curves"] = time.process_time()
    page(rates, curve, out / "page.html")
    clock["page"] = time.process_time()

    ends = list(clock.values())
    stages = {name: end - before for name, end, before in zip(clock, ends, [0.0, *ends[:-1]], strict=True)}
    kept = {name: len(rows) for name, rows in current.items()}
    (out / "summary.json").write_text(json.dumps({"stages": stages, "ingested": ingested, "current": kept}, indent=1))


def _write_quarantine(
    tables: dict[str, pd.DataFrame], faults: dict[str, Faults], broken: dict[str, list[int]], out: Path
) -> None:
    """One line per row and rule, and the rows themselves."""
    lines = []
    for name, frame in tables.items():
        numbers = frame["row_number"].to_numpy()
        lines.append(pd.DataFrame({"table": name, "row_number": broken[name], "rule": f"{name}.row.structure"}))
        for rule, rows in faults[name].found.items():
            lines.append(pd.DataFrame({"table": name, "row_number": numbers[rows], "rule": rule}))
        frame[faults[name].bad].to_csv(out / f"quarantined_{name}.csv", index=False)
    pd.concat(lines, ignore_index=True).to_csv(out / "quarantine.csv", index=False)
    (out / "warnings.json").write_text(json.dumps({rule: n for f in faults.values() for rule, n in f.warned.items()}))


if __name__ == "__main__":
    main()
