"""Every command and option is in the README as it is, and no document names one that does not exist."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest

from assets.audit.ledger import KINDS
from assets.contract import CONTRACT
from assets.contract.failures import FAILURES
from assets.contract.runbook import CHAPTERS
from dashboards.pages.frame import GUIDES, SiteMeta
from dashboards.published import Published
from dashboards.site import PAGE_MODULES
from pipelines.cli import cli
from pipelines.settings import PREFIX, SETTINGS

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
DOCUMENTS = ("README.md", "CONTRIBUTING.md", "assets/contract/FAILURES.md", "assets/publication/AUDIENCES.md")
USAGE = re.compile(r"^needlepoint (.+?)(?: {2,}.*)?$", re.MULTILINE)
OPTION = re.compile(r"--[a-z][a-z-]*")
OPTIONAL = re.compile(r"\[[^\]]*\]")
SPOKEN = re.compile(r"`needlepoint ([a-z][^`]*)`")
CALLED = re.compile(r"^\s*needlepoint (.+)$", re.MULTILINE)
META = SiteMeta("", "", "", "", 0, 0, 0, is_simulated=False, minimum_group=11)


def commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command that does something, by the words that call it."""
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name), command


COMMANDS = dict(commands(cli))


def named(text: str) -> tuple[tuple[str, ...], list[str]]:
    """The command at the beginning of a text, and the words after it; a word that calls nothing is not taken."""
    words = text.split()
    for length in (2, 1):
        if tuple(words[:length]) in COMMANDS:
            return tuple(words[:length]), words[length:]
    return (), words


def usages() -> dict[tuple[str, ...], str]:
    """The README's list of commands."""
    block = (
        README.read_text(encoding="utf-8").partition("## Your own data")[2].partition("```text")[2].partition("```")[0]
    )
    return {named(usage)[0]: usage for usage in USAGE.findall(block)}


def options(command: click.Command) -> dict[str, bool]:
    """Options of a command and whether they must be given."""
    return {one.opts[0]: one.required for one in command.params if isinstance(one, click.Option)}


def guide_text() -> str:
    """The guides as HTML."""
    pages = (PAGE_MODULES[name].build(Published({}, CONTRACT), META) for name in GUIDES)
    return "\n".join(page.body for page in pages)


def catalogue_text() -> str:
    """What the lists of failures and situations say."""
    failures = (text for group in FAILURES for one in group.failures for text in (one.means, one.to_do))
    situations = (text for chapter in CHAPTERS for one in chapter.situations for text in (one.means, one.to_do))
    return "\n".join([*(group.kept for group in FAILURES), *failures, *(one.opening for one in CHAPTERS), *situations])


def test_readme_lists_every_command_and_no_other() -> None:
    assert set(usages()) == set(COMMANDS)


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_readme_says_every_option_and_no_other(path: tuple[str, ...]) -> None:
    usage = usages()[path]
    needed = set(OPTION.findall(OPTIONAL.sub("", usage)))
    said = dict.fromkeys(OPTION.findall(usage), False) | dict.fromkeys(needed, True)
    assert said == options(COMMANDS[path])


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_help_says_what_a_command_and_its_options_do(path: tuple[str, ...]) -> None:
    command = COMMANDS[path]
    assert command.help
    assert [one.opts for one in command.params if isinstance(one, click.Option) and not one.help] == []


def unknown(calls: list[str]) -> list[str]:
    """Calls that name a command or option that does not exist."""
    wrong = []
    for call in calls:
        path, rest = named(call)
        first = call.split()[0]
        group = cli.commands.get(first)
        is_group = isinstance(group, click.Group) and (len(call.split()) == 1 or "|" in call)
        told = set(OPTION.findall(" ".join(rest)))
        if (not path and not is_group) or (path and told - set(options(COMMANDS[path]))):
            wrong.append(call)
        kinds = re.findall(r"--kind (\w+)", call)
        wrong += [call for kind in kinds if kind.islower() and kind not in KINDS]
    return wrong


@pytest.mark.parametrize("name", DOCUMENTS)
def test_documents_name_only_commands_that_exist(name: str) -> None:
    text = re.sub(r"\s+", " ", (ROOT / name).read_text(encoding="utf-8"))
    assert unknown(SPOKEN.findall(text)) == []


def test_guides_name_only_commands_that_exist() -> None:
    html = guide_text()
    spoken = re.findall(r"<code>needlepoint ([a-z][^<]*?)</code>", html)
    blocks = "\n".join(re.findall(r"<pre[^>]*><code>(.*?)</code>", html, re.DOTALL))
    spoken = [call for call in spoken if "\n" not in call] + CALLED.findall(blocks)
    assert len(spoken) > 30
    assert unknown(spoken) == []
    assert unknown(SPOKEN.findall(catalogue_text())) == []


def test_what_does_not_exist_is_found() -> None:
    calls = ["audit verify --hed X", "audit verfy", "unlok", "audit log --kind prunes", "audit", "run FEED"]
    assert unknown(calls) == calls[:4]


def test_guides_name_only_settings_that_exist() -> None:
    text = f"{guide_text()}\n{catalogue_text()}\n{README.read_text(encoding='utf-8')}"
    known = {one.name for one in SETTINGS}
    named_settings = set(re.findall(rf"{PREFIX}[A-Z_]+[A-Z]", text))
    assert {one for one in named_settings if not any(name.startswith(one) for name in known)} == set()
