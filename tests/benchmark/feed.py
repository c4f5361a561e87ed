"""Write one delivery of about the asked number of measurement rows, and say what is in it (JSON).

``python tests/benchmark/feed.py OUT --rows 1000000 [--format parquet] [--day]``. The network's own simulator makes the
rows; this script only finds out how many episodes give that many. ``--day`` makes a later delivery of other patients:
their keys start with other letters.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from pathlib import Path

import polars as pl
import yaml

from assets.contract import CONTRACT
from assets.deliveries.profile import PROFILE_FOLDER
from assets.simulation.network import simulate_network

SAMPLE_EPISODES = 1000
SEED, DAY_SEED = 20260701, 20260702
DAY_STAMP = "20260702T020000Z"
DAY_LETTERS = {"P": "Q", "E": "F", "V": "W", "X": "Y"}
KEYS = ("patient_key", "episode_key", "visit_key")


def main() -> None:
    """Simulate, flatten to one folder, print the counts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--rows", type=int, required=True)
    parser.add_argument("--format", choices=["csv", "parquet"], default="csv")
    parser.add_argument("--day", action="store_true")
    options = parser.parse_args()
    per_episode = _rows_per_episode()
    episodes = max(1, round(options.rows / per_episode))
    with tempfile.TemporaryDirectory(dir=options.out.parent) as scratch:
        folder = _simulate(Path(scratch), episodes, options.format, DAY_SEED if options.day else SEED)
        if options.day:
            _rename_keys(folder, options.format)
        label = f"simulated_{DAY_STAMP}" if options.day else folder.name
        target = options.out / label
        options.out.mkdir(parents=True)
        shutil.move(folder, target)
    if options.format == "parquet":
        _write_parquet_profile(options.out / "profile.yaml")
    rows = {path.stem: _count(path) for path in sorted(target.glob(f"*.{options.format}"))}
    size = sum(path.stat().st_size for path in target.iterdir())
    sys.stdout.write(json.dumps({"folder": str(target), "rows": rows, "bytes": size, "patients": episodes}) + "\n")


def _simulate(scratch: Path, patients: int, file_format: str, seed: int) -> Path:
    simulate_network(scratch, patients=patients, seed=seed, file_format=file_format, contract=CONTRACT, sources=1)
    (folder,) = (path for path in scratch.iterdir() if path.is_dir())
    return folder


def _rows_per_episode() -> float:
    with tempfile.TemporaryDirectory() as scratch:
        folder = _simulate(Path(scratch), SAMPLE_EPISODES, "csv", SEED)
        return _count(folder / "measurement.csv") / SAMPLE_EPISODES


def _count(path: Path) -> int:
    if path.suffix == ".parquet":
        return int(pl.scan_parquet(path).select(pl.len()).collect().item())
    with path.open("rb") as file:
        return sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(1 << 20), b"")) - 1


def _rename_keys(folder: Path, file_format: str) -> None:
    """Give every patient, episode and visit of a day a key of its own."""
    for path in sorted(folder.iterdir()):
        if path.suffix == ".csv":
            header, _, body = path.read_text(encoding="utf-8").partition("\n")
            places = [position for position, name in enumerate(header.split(",")) if name in KEYS]
            lines = [_renamed(line.split(","), places) for line in body.splitlines()]
            path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
        elif path.suffix == f".{file_format}":
            frame = pl.read_parquet(path)
            present = [name for name in KEYS if name in frame.columns]
            changed = [
                pl.concat_str(pl.col(name).str.slice(0, 1).replace(DAY_LETTERS), pl.col(name).str.slice(1))
                for name in present
            ]
            frame.with_columns(changed).write_parquet(path)


def _renamed(fields: list[str], places: list[int]) -> str:
    for place in places:
        if place < len(fields) and fields[place]:
            fields[place] = DAY_LETTERS.get(fields[place][0], fields[place][0]) + fields[place][1:]
    return ",".join(fields)


def _write_parquet_profile(path: Path) -> None:
    """Derive from the canonical profile one that names Parquet files."""
    profile = yaml.safe_load((PROFILE_FOLDER / "canonical.yaml").read_text(encoding="utf-8"))
    profile["profile"] = "canonical_parquet"
    for file in profile["files"]:
        file["match"] = file["match"].replace(".csv", ".parquet")
        file["format"] = "parquet"
    path.write_text(yaml.safe_dump(profile, sort_keys=False), encoding="utf-8")


if __name__ == "__main__":
    main()
