"""The quick way from lines to events: for every kind of event a struct stands for its line.

What is read like this is exactly what `from_facts` gives; whatever is odd is left to the slow way,
which knows what to say of it.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import reduce
from operator import or_
from types import NoneType
from typing import Any, get_args, get_type_hints

import msgspec
from msgspec.structs import astuple

from orchestrator.model.events import EVENTS, Baseline, Event, RunStarted
from orchestrator.model.moments import Written

_Changes = tuple[tuple[int, Callable[[Any], object]], ...]
"""Places in a struct's values, and what the value there goes through."""


def read(data: bytes, run: str | None, after_seq: int) -> list[Any] | None:
    """Read whole lines that follow `after_seq`, each one event; None when anything about them is odd.

    What is not None stands for events as sure as `events_of` makes them.
    """
    try:
        lines = _decoder.decode_lines(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    if not _is_one_a_line(data, len(lines)):
        return None
    for seq, line in enumerate(lines, start=after_seq + 1):
        if line.seq != seq or line.run != run:
            return None
    return lines


def events_of(lines: Sequence[Any]) -> list[Event]:
    """Make the events of lines that were read."""
    events: list[Event] = []
    for line in lines:
        kind, changes = _READERS[type(line)]
        _, _, at, *facts, _ = astuple(line)
        for place, change in changes:
            facts[place] = change(facts[place])
        events.append(kind(at.timestamp(), *facts))
    return events


def _is_one_a_line(data: bytes, values: int) -> bool:
    """Tell that no value goes over two lines or shares one: within a value no `{` follows a `}`."""
    breaks = data.count(b'}\n{"')
    return values == breaks + 1 == data.count(b"\n") and data[:2] == b'{"' and data[-2:] == b"}\n"


def _struct(kind: type[Any], head: list[Any], tail: list[Any], tag: str | None) -> type[Any]:
    """Give the struct that stands for a kind; no member of it may say null, and none is unknown."""
    fields: list[Any] = [*head]
    hints = get_type_hints(kind)
    defaults = kind.__struct_defaults__
    required = len(hints) - len(defaults)
    for place, (name, hint) in enumerate(hints.items()):
        plain = get_args(hint)[0] if NoneType in get_args(hint) else hint
        known: Any = Written if _is_moment(name) else _TYPES.get(plain, plain)
        fields.append(
            (name, known) if place < required else (name, known, defaults[place - required])
        )
    return msgspec.defstruct(
        f"{kind.__name__}Read",
        [*fields, *tail],
        tag_field=None if tag is None else "event",
        tag=tag,
        forbid_unknown_fields=True,
        gc=False,
    )


def _is_moment(name: str) -> bool:
    return name == "at" or name.endswith("_at")


def _changes(kind: type[Any]) -> _Changes:
    names = [name for name in kind.__struct_fields__ if name != "at"]
    return tuple(
        (place, _moment if _is_moment(name) else _baseline)
        for place, name in enumerate(names)
        if _is_moment(name) or name == "baseline"
    )


def _moment(read: datetime | None) -> float | None:
    return None if read is None else read.timestamp()


def _baseline(read: Any) -> Baseline:
    values = list(astuple(read))
    for place, change in _OF_BASELINE:
        values[place] = change(values[place])
    return Baseline(*values)


_TYPES: dict[Any, Any] = {
    # A number keeps its kind wherever it stands.
    int: int | float,
    float: int | float,
    Mapping[str, int]: dict,
    Mapping[str, object]: dict,
}
_OF_BASELINE = _changes(Baseline)
_TYPES[Baseline] = _struct(Baseline, [], [], None)
_READERS: dict[type[Any], tuple[type[Any], _Changes]] = {
    _struct(kind, [("seq", int), ("run", str)], [("chain", str, "")], name): (kind, _changes(kind))
    for name, kind in EVENTS.items()
    if kind is not RunStarted
}
_decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(reduce(or_, _READERS))
