"""What a person at the terminal sees when the input is wrong: one sentence, exit code 2, nothing changed."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from assets.contract import CONTRACT
from assets.simulation.network import simulate_network
from pipelines.cli import cli
from pipelines.settings import HOME_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Callable

    from click.testing import Result

ROOT = Path(__file__).parents[2]


def needlepoint(*arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run the command as a user would."""
    return subprocess.run(  # noqa: S603 our own command with arguments of the test
        [sys.executable, "-c", "from pipelines.cli import main; main()", *map(str, arguments)],
        cwd=cwd,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "HOME": str(cwd)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.fixture(scope="module")
def clean_feed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("clean")
    simulate_network(out, patients=60, seed=3, contract=CONTRACT, clean=True, sources=1)
    return next(path for path in out.iterdir() if path.is_dir())


def rewrite(file: Path, change: Callable[[str], str]) -> None:
    file.write_text(change(file.read_text(encoding="utf-8")), encoding="utf-8")


def rename_unit(feed: Path) -> None:
    rewrite(feed / "measurement.csv", lambda text: text.replace(",unit\n", ",units\n", 1))


def drop_column(feed: Path) -> None:
    rewrite(feed / "patient.csv", lambda text: "\n".join(line.rpartition(",")[0] for line in text.splitlines()) + "\n")


def add_column(column: str, value: str) -> Callable[[Path], None]:
    def change(feed: Path) -> None:
        lines = (feed / "patient.csv").read_text(encoding="utf-8").splitlines()
        changed = [f"{lines[0]},{column}", *(f"{line},{value}" for line in lines[1:])]
        (feed / "patient.csv").write_text("\n".join(changed) + "\n", encoding="utf-8")

    return change


def semicolons(feed: Path) -> None:
    rewrite(feed / "visit.csv", lambda text: text.replace(",", ";"))


def empty(feed: Path) -> None:
    (feed / "episode.csv").write_bytes(b"")


def take_away(feed: Path) -> None:
    (feed / "episode.csv").unlink()


def names_as_keys(feed: Path) -> None:
    rewrite(feed / "patient.csv", lambda text: text.replace(text.splitlines()[1].split(",")[0], "Maria Gonzalez", 1))


REFUSED = [
    pytest.param(semicolons, "visit.csv, header: fields are not separated by ','", id="delimiter"),
    pytest.param(drop_column, "patient.csv, header: column 'population' is missing", id="missing column"),
    pytest.param(rename_unit, "measurement.csv, header: column 'unit' is missing", id="renamed column"),
    pytest.param(add_column("shoe_size", "42"), "column 'shoe_size' is not in the profile", id="unknown column"),
    pytest.param(add_column("last_name", "Gonzalez"), "named like a name", id="names"),
    pytest.param(add_column("date_of_birth", "1970-03-04"), "named like a date of birth", id="dates of birth"),
    pytest.param(names_as_keys, "values look like names of persons", id="names as keys"),
    pytest.param(empty, "episode.csv: the file is empty", id="empty file"),
    pytest.param(take_away, "episode.csv is missing", id="missing file of a delivery"),
]


def checked(feed: Path, home: Path) -> Result:
    """Check a feed in this process, for starting one takes seconds."""
    done = CliRunner(env={HOME_VARIABLE: str(home)}).invoke(cli, ["check", str(feed)])
    assert isinstance(done.exception, SystemExit | None), done.exception
    return done


@pytest.mark.parametrize(("spoil", "sentence"), REFUSED)
def test_check_refuses_with_one_sentence(
    clean_feed: Path, tmp_path: Path, spoil: Callable[[Path], None], sentence: str
) -> None:
    feed = tmp_path / clean_feed.name
    shutil.copytree(clean_feed, feed)
    spoil(feed)
    done = checked(feed, tmp_path / "home")
    assert done.exit_code == 2, done.output
    assert sentence in done.stdout
    assert "Gonzalez" not in done.output
    assert "1970" not in done.output


def test_a_process_refuses_with_the_same_sentence_and_exit_code(clean_feed: Path, tmp_path: Path) -> None:
    feed = tmp_path / clean_feed.name
    shutil.copytree(clean_feed, feed)
    semicolons(feed)
    done = needlepoint("check", feed, cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert done.stdout == checked(feed, tmp_path / "home").stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_refused_delivery_keeps_the_release_and_is_kept_in_the_ledger(
    network: Any, make_installation: Callable[..., Any], clean_feed: Path, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    shutil.copytree(network.home.path, home, symlinks=True)
    place = type(network.home)(home, memory_limit="1GB")
    feed = tmp_path / clean_feed.name
    shutil.copytree(clean_feed, feed)
    semicolons(feed)
    before = (home / "current").readlink()
    run = make_installation([feed], home=place)
    assert run.outcome.exit_code == 2
    assert (home / "current").readlink() == before
    (delivery,) = run.outcome.read
    assert delivery.problem_code == "DELIMITER"
    assert delivery.rejected == delivery.ingested > 0


def test_text_in_a_number_sets_one_row_aside(clean_feed: Path, tmp_path: Path) -> None:
    feed = tmp_path / clean_feed.name
    shutil.copytree(clean_feed, feed)
    lines = (feed / "measurement.csv").read_text(encoding="utf-8").splitlines()
    position = CONTRACT.table("measurement").names.index("value")
    cells = lines[5].split(",")
    cells[position] = "seven"
    lines[5] = ",".join(cells)
    (feed / "measurement.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    done = checked(feed, tmp_path / "home")
    assert done.exit_code == 0, done.output
    assert "measurement.csv: 1 x measurement.value.readable (row 5)" in done.stdout
    assert "seven" not in done.stdout


def test_missing_feed(tmp_path: Path) -> None:
    done = needlepoint("run", tmp_path / "nowhere", cwd=tmp_path)
    assert done.returncode == 2
    assert "there is no such file or folder. Check the path." in done.stderr
    assert "Traceback" not in done.stderr


def test_home_that_cannot_be_written(clean_feed: Path, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file stands where the home should be", encoding="utf-8")
    done = needlepoint("run", clean_feed, "--home", tmp_path / "taken" / "home", cwd=tmp_path)
    assert done.returncode == 2
    assert "this folder cannot be written. Check its permissions or give another --home." in done.stderr
    assert "Traceback" not in done.stderr


def test_profile_with_a_typo(clean_feed: Path, tmp_path: Path) -> None:
    profile = tmp_path / "mine.yaml"
    text = (ROOT / "assets" / "deliveries" / "profiles" / "canonical.yaml").read_text(encoding="utf-8")
    profile.write_text(text.replace("privacy_mode", "privcy_mode"), encoding="utf-8")
    done = needlepoint("run", clean_feed, "--profile", profile, cwd=tmp_path)
    assert done.returncode == 2
    assert "the key 'privcy_mode' is not known. Perhaps 'privacy_mode' is meant." in done.stderr
    assert "Traceback" not in done.stderr


def test_generated_documents_are_up_to_date() -> None:
    done = needlepoint("docs", "--check", cwd=ROOT)
    assert done.returncode == 0, done.stdout
