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

BOOLEAN, TEXT = "tag:yaml.org,2002:bool", "tag:yaml.org,2002:str"
MAXIMUM_BYTES = 1_000_000
MAXIMUM_DEPTH = 40
MAXIMUM_ENTRIES = 100_000
"""Entries once aliases are written out: a few lines of aliases of aliases can stand for millions."""
MAXIMUM_CHARACTERS = 2_000
"""Of one entry: the YAML library takes minutes over a number of a hundred thousand digits."""
SAID = 60
"""Characters of an entry that a sentence repeats."""

BAD_SCALARS = (ValueError, TypeError, AttributeError, LookupError, OverflowError)
"""What the YAML library raises for a date such as 2025-02-30, a number of 5,000 digits or a tag that does not fit."""


@dataclass(frozen=True, slots=True)
class ProfileText:
    """The name of a profile file, the folder it is in, what it says, and where it says it."""

    name: str
    folder: Path
    root: yaml.Node
    content: dict[str, object]

    def problem(self, location: Sequence[str | int], what: str, remedy: str) -> InputProblem:
        """What is wrong with the entry at ``location``, or with the deepest part of it that exists."""
        return InputProblem("PROFILE", f"{self.name}, line {_line_of(self.root, location)}", what, remedy)

    def unknown(self, location: Sequence[str | int], what: str, key: str, known: Iterable[str]) -> InputProblem:
        """The entry at ``location`` uses a ``key`` that is none of the ``known`` ones."""
        return self.problem(location, f"{what} {said(key)} is not known", suggestion(key, known))


def read_profile_text(path: Path) -> ProfileText:
    """Read a YAML mapping.

    Raises:
        InputProblem: not readable, too large, not YAML, not a mapping, or a key that is given twice.

    """
    name = path.name
    text = _text(path)
    try:
        _limit_nesting(yaml.parse(text, Loader=LOADER), name)
        root, content = _load(text, name)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{name}, line {mark.line + 1}" if mark else name
        raise InputProblem("PROFILE", where, "this is not valid YAML", "Check indentation and quotes") from None
    except BAD_SCALARS:
        raise InputProblem(
            "PROFILE", name, "it holds a date that does not exist or a number that is none", "Put dates in quotes"
        ) from None
    if root is None or not isinstance(content, dict):
        raise InputProblem("PROFILE", name, "the profile is not a mapping", "Start from profiles/canonical.yaml")
    for key in _repeated_keys(root):
        where = f"{name}, line {key.start_mark.line + 1}"
        raise InputProblem("PROFILE", where, f"the key {said(key.value)} is given twice", "Keep one of them")
    return ProfileText(name, path.parent, root, content)


def said(entry: object) -> str:
    """An entry of a profile for a sentence: in quotes, on one line, cut where it is long."""
    text = repr(entry)
    return text if len(text) <= SAID else f"{text[:SAID]}…"


def bare(name: str) -> str:
    """A key for a sentence, without quotes."""
    return said(name)[1:].rstrip("'\"")


def suggestion(key: str, known: Iterable[str]) -> str:
    """The nearest known key, or all of them."""
    known = sorted(known)
    near = difflib.get_close_matches(key[:SAID], known, n=1, cutoff=0.5)
    if near:
        return f"Perhaps {near[0]!r} is meant"
    return f"Known are: {', '.join(known)}" if known else "Leave it out: there is none"


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(MAXIMUM_BYTES + 1)
    except OSError:
        raise InputProblem("PROFILE", str(path), "the profile cannot be read", "Check the path") from None
    if len(content) > MAXIMUM_BYTES:
        raise InputProblem(
            "PROFILE", path.name, f"it is larger than {MAXIMUM_BYTES:,} bytes", "Put long lists into a reference list"
        )
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise InputProblem("PROFILE", path.name, "the profile is not UTF-8", "Save it as UTF-8") from None


def _load(text: str, name: str) -> tuple[yaml.Node | None, object]:
    loader = LOADER(text)
    try:
        root = loader.get_single_node()
        if root is None:
            return None, None
        _limit_entries(root, name)
        _keep_key_words(root)
        return root, loader.construct_document(root)
    finally:
        loader.dispose()


def _keep_key_words(node: yaml.Node) -> None:
    """YAML 1.1 reads the key ``on`` of a join, and the code ``no``, as true and false; as keys they are words."""
    for child in _children(node):
        _keep_key_words(child)
    if isinstance(node, yaml.MappingNode):
        for key, _ in node.value:
            if key.tag == BOOLEAN:
                key.tag = TEXT


def _limit_nesting(events: Iterable[yaml.Event], name: str) -> None:
    """Refuse endless nesting and endless entries before anything that would choke on them reads them."""
    depth = 0
    for count, event in enumerate(events):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        where = f"{name}, line {event.start_mark.line + 1}" if event.start_mark else name
        if depth > MAXIMUM_DEPTH:
            raise InputProblem("PROFILE", where, "it is nested too deeply", "Check brackets and dashes")
        if count > MAXIMUM_ENTRIES:
            raise InputProblem("PROFILE", where, "it has too many entries", "Put long lists into a reference list")
        if isinstance(event, yaml.ScalarEvent) and len(event.value) > MAXIMUM_CHARACTERS:
            what = f"an entry is longer than {MAXIMUM_CHARACTERS:,} characters"
            raise InputProblem("PROFILE", where, what, "Check its quotes")


def _limit_entries(root: yaml.Node, name: str) -> None:
    """Refuse a profile that is endless once its aliases are written out; nothing is written out to find that."""
    sizes: dict[int, tuple[int, int]] = {}
    open_nodes: set[int] = set()

    def size(node: yaml.Node) -> tuple[int, int]:
        """Entries and depth below a node. An alias stands for a node that came before it, so its size is known."""
        if id(node) in sizes:
            return sizes[id(node)]
        entries, depth = 1, 1
        if id(node) in open_nodes:
            entries = MAXIMUM_ENTRIES + 1  # it contains itself
        else:
            open_nodes.add(id(node))
            for child in _children(node):
                more, deeper = size(child)
                entries, depth = entries + more, max(depth, deeper + 1)
            open_nodes.discard(id(node))
            sizes[id(node)] = entries, depth
        if entries > MAXIMUM_ENTRIES or depth > MAXIMUM_DEPTH:
            where = f"{name}, line {node.start_mark.line + 1}"
            raise InputProblem("PROFILE", where, "it has too many entries, aliases written out", "Use fewer aliases")
        return entries, depth

    size(root)


def _children(node: yaml.Node) -> Iterator[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield key
            yield value
    elif isinstance(node, yaml.SequenceNode):
        yield from node.value


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
