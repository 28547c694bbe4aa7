"""YAML text becomes a tree in which every key and every value knows its place.

No value is typed here: `2.10`, `no` and `0123` stay the text that was written, and whoever reads
them knows what they should be. Tags, several documents and unbounded aliases are no part of it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, NoReturn

import yaml

from orchestrator.model.values import Reference
from orchestrator.playbook.faults import Faults, Place

MAX_CHARACTERS = 1_000_000
MAX_NODES = 100_000
MAX_DEPTH = 32

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
FORBIDDEN = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Signs that no text of a playbook holds: they would disturb whatever shows it."""


@dataclass(frozen=True, slots=True)
class Scalar:
    """One value as it was written."""

    text: str
    place: Place
    is_plain: bool = True
    """Written without quotes, so that it may be a number or a truth value."""
    is_known: bool = True
    """False when it stands for a variable that has no value: there is nothing to judge."""
    parts: tuple[str | Reference, ...] = ()
    """The text cut at its references, where it has any; `text` shows them as they are written."""

    @property
    def is_null(self) -> bool:
        """True for nothing at all, `null` and `~`."""
        return self.is_plain and self.text in ("", "~", "null", "Null", "NULL")


@dataclass(frozen=True, slots=True)
class Entry:
    """One key of a mapping and its value."""

    key: Scalar
    value: "Node"


@dataclass(frozen=True, slots=True)
class Mapping:
    """Keys and values in the order of the text; no key stands twice."""

    entries: tuple[Entry, ...]
    place: Place

    def get(self, key: str) -> "Node | None":
        """Give the value of a key, None when it is not there."""
        return next((entry.value for entry in self.entries if entry.key.text == key), None)


@dataclass(frozen=True, slots=True)
class Sequence:
    """Items in the order of the text."""

    items: tuple["Node", ...]
    place: Place


Node = Scalar | Mapping | Sequence


class _Unreadable(Exception):  # noqa: N818 - ends the reading, its fault is noted already
    """The text cannot be read to its end."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How large one document may be, and what it is called."""

    name: str
    characters: int
    nodes: int
    begins: str
    """What to say of one that is empty."""


PLAYBOOK_BOUNDS = Bounds(
    "playbook", MAX_CHARACTERS, MAX_NODES, "a playbook begins with `playbook: a-name`"
)


def compose(text: str, faults: Faults, bounds: Bounds = PLAYBOOK_BOUNDS) -> Node | None:
    """Read one YAML document; None when a fault makes the rest unreadable."""
    try:
        _refuse_unreadable_text(text, faults, bounds)
        return _Composer(text, faults, bounds).document()
    except _Unreadable:
        return None


def _refuse_unreadable_text(text: str, faults: Faults, bounds: Bounds) -> None:
    if len(text) > bounds.characters:
        message = (
            f"the file has {len(text):,} characters, a {bounds.name} at most {bounds.characters:,}"
        )
        faults.add(
            Place(1, 1), "", message, 'long lists of devices belong into a file: "@list.csv"'
        )
        raise _Unreadable
    found = FORBIDDEN.search(text)
    if found:
        before = text[: found.start()]
        place = Place(before.count("\n") + 1, found.start() - before.rfind("\n"))
        code = f"U+{ord(found.group()):04X}"
        faults.add(place, "", f"the control character {code} must not stand in a {bounds.name}")
        raise _Unreadable


class _Composer:
    """Builds the tree from the parser's events, which are made one by one and never nest."""

    def __init__(self, text: str, faults: Faults, bounds: Bounds) -> None:
        self._text = text
        self._bounds = bounds
        self._faults = faults
        self._events: Iterator[Any] = yaml.parse(text, Loader=_LOADER)
        self._anchors: dict[str, tuple[Node, int]] = {}
        self._nodes = 0

    def document(self) -> Node | None:
        while not isinstance(event := self._next(), yaml.StreamEndEvent):
            if isinstance(event, yaml.DocumentStartEvent):
                break
        else:
            self._stop(Place(1, 1), "the file is empty", self._bounds.begins)
        root = self._node(self._next(), 0)
        self._next()
        following = self._next()
        if isinstance(following, yaml.DocumentStartEvent):
            self._faults.add(
                _place(following),
                "",
                f"a second document begins here; a file holds one {self._bounds.name}",
                "put it into a file of its own",
            )
        return root

    def _next(self) -> Any:
        try:
            return next(self._events)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            place = Place(mark.line + 1, mark.column + 1) if mark else Place(1, 1)
            problem = error.problem or error.context or "it cannot be read"
            before, at = self._around(mark)
            hint = _syntax_hint(problem, before, at)
            self._stop(place, f"this is not valid YAML: {problem}", hint)
        except yaml.YAMLError as error:
            self._stop(Place(1, 1), f"this is not valid YAML: {error}")

    def _around(self, mark: Any) -> tuple[str, str]:
        lines = self._text.split("\n") if mark else []
        line = lines[mark.line] if mark and mark.line < len(lines) else ""
        return (line[: mark.column], line[mark.column :]) if line else ("", "")

    def _node(self, event: Any, depth: int) -> Node:
        place = _place(event)
        self._nodes += 1
        if self._nodes > self._bounds.nodes:
            most = f"{self._bounds.nodes:,}"
            self._stop(place, f"the {self._bounds.name} has more than {most} values")
        if depth > MAX_DEPTH:
            self._stop(place, f"values are nested more than {MAX_DEPTH} deep")
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, place)
        if event.tag is not None:
            message = f"the tag {event.tag} is no part of a {self._bounds.name}"
            self._faults.add(place, "", message, "remove it; every key knows the type of its value")
        before = self._nodes
        node: Node
        if isinstance(event, yaml.ScalarEvent):
            node = Scalar(event.value, place, is_plain=not event.style)
        elif isinstance(event, yaml.SequenceStartEvent):
            node = self._sequence(place, depth)
        else:
            node = self._mapping(place, depth)
        if event.anchor is not None:
            self._anchors[event.anchor] = (node, self._nodes - before + 1)
        return node

    def _alias(self, event: Any, place: Place) -> Node:
        if event.anchor not in self._anchors:
            self._stop(
                place,
                f"*{event.anchor} stands for an anchor that does not exist before it",
                f"set it with &{event.anchor}, or quote a text that begins with *",
            )
        node, size = self._anchors[event.anchor]
        self._nodes += size
        # A mapping stands where it is meant; its keys and values stay where they are written.
        return replace(node, place=place) if isinstance(node, Mapping) else node

    def _sequence(self, place: Place, depth: int) -> Sequence:
        items = []
        while not isinstance(event := self._next(), yaml.SequenceEndEvent):
            items.append(self._node(event, depth + 1))
        return Sequence(tuple(items), place)

    def _mapping(self, place: Place, depth: int) -> Mapping:
        entries: dict[str, Entry] = {}
        while not isinstance(event := self._next(), yaml.MappingEndEvent):
            key = self._node(event, depth + 1)
            value = self._node(self._next(), depth + 1)
            if not isinstance(key, Scalar):
                self._faults.add(key.place, "", "a key has to be a word, not a list or a mapping")
            elif key.text == "<<" and key.is_plain:
                self._faults.add(
                    key.place,
                    key.text,
                    f"merging mappings with << is no part of a {self._bounds.name}",
                )
            elif key.text in entries:
                first = entries[key.text].key.place.line
                self._faults.add(
                    key.place,
                    key.text,
                    f"the key {key.text!r} stands twice here, first in line {first}",
                    "keep one of them",
                )
            else:
                entries[key.text] = Entry(key, value)
        return Mapping(tuple(entries.values()), place)

    def _stop(self, place: Place, message: str, hint: str = "") -> NoReturn:
        self._faults.add(place, "", message, hint)
        raise _Unreadable


def _place(event: Any) -> Place:
    start, end = event.start_mark, event.end_mark
    length = end.column - start.column if start.line == end.line else MAX_CHARACTERS
    return Place(start.line + 1, start.column + 1, length)


def _syntax_hint(problem: str, before: str, at: str) -> str:
    if at.startswith("\t") or "\\t" in problem:
        return "indent with spaces; YAML does not take tabs"
    if at[:1] in ("@", "`", "%"):
        return f"put a value that begins with {at[0]} into quotes"
    if "mapping values are not allowed" in problem:
        return "check the indentation, and quote a text that holds a colon"
    if at.startswith("{") and "$" in before[-1:]:
        return 'inside { } and [ ] a variable needs quotes: "${name}"'
    if "end of stream" in problem:
        return "a quote is opened and never closed"
    if "',' or" in problem:
        return "a bracket is opened and never closed, or a comma is missing"
    return "check the indentation of this line and of the one before"
