"""Writes a seeded clinic network: one delivery folder per records system, and the truth beside them."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from assets.simulation import truth
from assets.simulation.block import draw_blocks
from assets.simulation.clinics import Network, build_network
from assets.simulation.dirt import instances, plant
from assets.simulation.faults import faults
from assets.simulation.folders import DeliveryFolder, FileFormat
from assets.simulation.parameters import SOURCES
from assets.simulation.rendering import Renderer
from assets.simulation.tally import Tally

if TYPE_CHECKING:
    from pathlib import Path

    from assets.contract.model import Contract

DEFAULT_PATIENTS = 6000
DEFAULT_SEED = 20260701
DIRTY_SHARE = 0.001
"""Planted faults per row of a table; at least one of every kind."""

TRUTH_FILE = "truth.json"


@dataclass(frozen=True, slots=True)
class SimulationSummary:
    """What was written: the folder, its delivery folders, the truth file and the rows on disk by table."""

    out: Path
    deliveries: tuple[Path, ...]
    truth: Path
    rows: dict[str, int]


def simulate_network(
    out: Path,
    *,
    contract: Contract,
    patients: int = DEFAULT_PATIENTS,
    seed: int = DEFAULT_SEED,
    file_format: FileFormat = "csv",
    clean: bool = False,
    sources: int = len(SOURCES),
    dated: bool = False,
) -> SimulationSummary:
    """Simulate a network of clinics and write what their records systems would send.

    The same arguments give byte-identical files. ``out`` appears complete or not at all.

    Args:
        out: folder to make; it must not exist or be empty.
        contract: tables, codes, bounds and measures the files follow.
        patients: number of patients; about 1.04 episodes and 80 measurements each.
        seed: what the random streams start from, 0 or more.
        file_format: ``csv`` (text) or ``parquet`` (typed; faults that need text are left out).
        clean: plant no dirty rows.
        sources: records systems that share the clinics, 1 to 4; one delivery folder each.
        dated: add the date of every visit, in a column that all the others do without.

    Raises:
        ValueError: ``patients``, ``seed`` or ``sources`` out of range.
        FileExistsError: ``out`` holds something already.

    """
    network = build_network(contract, seed, sources)
    return write_network(out, network, patients=patients, file_format=file_format, clean=clean, dated=dated)


def write_network(
    out: Path,
    network: Network,
    *,
    patients: int,
    file_format: FileFormat = "csv",
    clean: bool = False,
    dated: bool = False,
) -> SimulationSummary:
    """Write what the records systems of ``network`` would send; arguments and errors as ``simulate_network``.

    A network whose planted effects were changed first (``dataclasses.replace``) shows whether statistics find them.
    """
    if patients < 1:
        message = "patients must be at least 1"
        raise ValueError(message)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        message = "the folder to simulate into exists and is not empty"
        raise FileExistsError(message)
    partial = out.with_name(f".{out.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    rows, findings = _write(partial, network, patients, file_format, clean=clean, dated=dated)
    about = {
        "contract": network.contract.version,
        "seed": network.seed,
        "patients": patients,
        "format": file_format,
        "clean": clean,
        "dated": dated,
    }
    text = json.dumps({**about, "rows": rows, **findings}, indent=1) + "\n"
    (partial / TRUTH_FILE).write_text(text, encoding="utf-8")
    if out.exists():
        out.rmdir()
    partial.rename(out)
    return SimulationSummary(out, tuple(out / name for name in network.deliveries()), out / TRUTH_FILE, rows)


def _write(
    root: Path, network: Network, patients: int, file_format: FileFormat, *, clean: bool, dated: bool
) -> tuple[dict[str, int], dict[str, Any]]:
    renderer = Renderer(network, typed=file_format == "parquet", dated=dated)
    tally = Tally(network)
    with ExitStack() as stack:
        folders = [
            stack.enter_context(DeliveryFolder(root / name, network.contract, file_format, dated=dated))
            for name in network.deliveries()
        ]
        for block in draw_blocks(network, patients):
            tally.add(block)
            for folder, frames in zip(folders, renderer.render(block), strict=True):
                for table, frame in frames.items():
                    folder.append(table, frame)
        clean_rows = [dict(folder.rows) for folder in folders]
        planted_faults = () if clean else faults(network.contract, typed=file_format == "parquet")
        counts = instances(planted_faults, sum(map(Counter, clean_rows), Counter()), DIRTY_SHARE)
        soils = plant(network.contract, planted_faults, counts, _one_clinic_each(network)) if planted_faults else ()
        for folder, soil in zip(folders, soils, strict=False):
            for table, lines in soil.lines.items():
                folder.append_lines(table, lines)
    findings = truth.planted(network, tally)
    findings["dirty"] = truth.dirty(network, planted_faults, counts)
    findings["deliveries"] = {
        name: truth.delivery(network, rows, soils[number] if soils else None)
        for number, (name, rows) in enumerate(zip(network.deliveries(), clean_rows, strict=True))
    }
    return dict(sum((folder.rows for folder in folders), Counter())), findings


def _one_clinic_each(network: Network) -> list[str]:
    sources = network.clinic_source.tolist()
    return [network.clinics[sources.index(number)].key for number in range(len(network.sources))]
