"""A profile as its author wrote it: YAML with line numbers, and sentences that point into it."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import yaml

from assets.deliveries.problems import InputProblem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The C parser reads a profile ten times faster; a few platforms are without it."""
Location = tuple[str | int, ...]
"""Keys and list positions from the top of a profile to one of its entries."""


@dataclass(frozen=True, slots=True)
class ProfileText:
    """The name of a profile file, what it says, and where it says it."""

    name: str
    root: yaml.Node
    content: dict[str, object]

    def problem(self, location: Sequence[str | int], what: str, remedy: str) -> InputProblem:
        """What is wrong with the entry at ``location``, or with the deepest part of it that exists."""
        return InputProblem("PROFILE", f"{self.name}, line {_line_of(self.root, location)}", what, remedy)

    def unknown(self, location: Sequence[str | int], what: str, key: str, known: Iterable[str]) -> InputProblem:
        """The entry at ``location`` uses a ``key`` that is none of the ``known`` ones."""
        return self.problem(location, f"{what} {key!r} is not known", suggestion(key, known))


def read_profile_text(path: Path) -> ProfileText:
    """Read a YAML mapping.

    Raises:
        InputProblem: not readable, not YAML, not a mapping, or a key that is given twice.

    """
    name = path.name
    try:
        text = path.read_text(encoding="utf-8")
    except OSError:
        raise InputProblem("PROFILE", str(path), "the profile cannot be read", "Check the path") from None
    except UnicodeDecodeError:
        raise InputProblem("PROFILE", name, "the profile is not UTF-8", "Save it as UTF-8") from None
    try:
        root = yaml.compose(text, Loader=LOADER)
        content = yaml.load(text, Loader=LOADER)  # noqa: S506 both choices are safe loaders
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{name}, line {mark.line + 1}" if mark else name
        raise InputProblem("PROFILE", where, "this is not valid YAML", "Check indentation and quotes") from None
    except (ValueError, RecursionError):  # an impossible date such as 2025-02-30, or endless nesting
        raise InputProblem(
            "PROFILE", name, "a date in it does not exist or it is nested too deeply", "Put dates in quotes"
        ) from None
    if root is None or not isinstance(content, dict):
        raise InputProblem("PROFILE", name, "the profile is not a mapping", "Start from profiles/canonical.yaml")
    for key in _repeated_keys(root):
        where = f"{name}, line {key.start_mark.line + 1}"
        raise InputProblem("PROFILE", where, f"the key {key.value!r} is given twice", "Keep one of them")
    return ProfileText(name, root, content)


def suggestion(key: str, known: Iterable[str]) -> str:
    """The nearest known key, or all of them."""
    known = sorted(known)
    near = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
    return f"Perhaps {near[0]!r} is meant" if near else f"Known are: {', '.join(known)}"


def _repeated_keys(node: yaml.Node) -> Iterator[yaml.ScalarNode]:
    if isinstance(node, yaml.MappingNode):
        seen = set()
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    yield key
                seen.add(key.value)
            yield from _repeated_keys(value)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _repeated_keys(item)


def _line_of(root: yaml.Node, location: Sequence[str | int]) -> int:
    """Line (from 1) of the deepest node on the path; parts that are not in the text are passed over."""
    node, line = root, root.start_mark.line + 1
    for part in location:
        if isinstance(node, yaml.MappingNode):
            found = next(((key, value) for key, value in node.value if key.value == str(part)), None)
            if found:
                line, node = found[0].start_mark.line + 1, found[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
    return line
