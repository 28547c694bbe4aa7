"""The quick way from events to lines: for every kind of event a struct stands for its line.

What is written like this is exactly what `as_facts` gives; whatever is odd is left to the slow way.
"""

from collections.abc import Callable, Sequence
from types import NoneType
from typing import Any, get_args, get_type_hints

import msgspec
import orjson
from msgspec.structs import astuple

from orchestrator.model import moments
from orchestrator.model.events import EVENTS, Baseline, Event, RunStarted

_Changes = tuple[tuple[int, Callable[[Any], object]], ...]
"""Places in a struct's values, and what the value there goes through."""

_TEXT = frozenset((str,))
_SCALARS = frozenset((str, int, float, bool))
_PLAIN = _SCALARS | {NoneType}
_HEAD = (("seq", int), ("at", str), ("event", str), ("run", str))


def written(
    events: Sequence[Event], run: str, after_seq: int, slowly: Callable[[Event, int], bytes]
) -> bytes:
    """Give the lines of events; `slowly` writes RunStarted and what has values of unexpected types.

    Raises TypeError or ValueError when a value can not be written like this, if at all.
    """
    lines: list[object] = []
    for seq, event in enumerate(events, start=after_seq + 1):
        writer = _WRITERS.get(type(event))
        values = astuple(event)
        changes = None if writer is None else writer[tuple(map(type, values))]
        if writer is None or changes is None:
            lines.append(msgspec.Raw(slowly(event, seq)))
            continue
        at, *facts = values
        for place, write in changes:
            facts[place] = write(facts[place])
        lines.append(writer.line(seq, moments.as_text(at), writer.name, run, *facts))
    return _encoder.encode_lines(lines)


class _Writer(dict[tuple[type[Any], ...], _Changes | None]):
    """Knows the struct that stands for a kind's line, and what values of which types go through.

    None stands for types with which the slow way has to deal.
    """

    def __init__(self, kind: type[Any], *head: tuple[str, type[Any]]) -> None:
        super().__init__()
        hints = get_type_hints(kind)
        facts = {name: hint for name, hint in hints.items() if name not in dict(head)}
        self._facts = tuple(facts)
        self._may_be_none = {name for name in facts if NoneType in get_args(facts[name])}
        self._skipped = len(hints) - len(facts)
        self.name = kind.__name__
        self.line = msgspec.defstruct(
            f"{self.name}Written",
            [
                *head,
                *(
                    (name, Any, None) if name in self._may_be_none else (name, Any)
                    for name in facts
                ),
            ],
            omit_defaults=True,  # that is None, and nothing else has a default
            gc=False,
        )

    def __missing__(self, types: tuple[type[Any], ...]) -> _Changes | None:
        self[types] = found = self._changes(types[self._skipped :])
        return found

    def _changes(self, types: tuple[type[Any], ...]) -> _Changes | None:
        changes: list[tuple[int, Callable[[Any], object]]] = []
        for place, (name, kind) in enumerate(zip(self._facts, types, strict=True)):
            if kind is NoneType and name in self._may_be_none:
                continue
            if name.endswith("_at"):
                changes.append((place, moments.as_text))
            elif kind is Baseline:
                changes.append((place, _written_baseline))
            elif kind is dict:
                changes.append((place, _written_mapping))
            elif kind is tuple:
                changes.append((place, _written_texts))
            elif kind not in _SCALARS:
                return None
        return tuple(changes)


def _written_mapping(value: dict[object, object]) -> object:
    if _TEXT.issuperset(map(type, value)) and _PLAIN.issuperset(map(type, value.values())):
        return value
    return msgspec.Raw(orjson.dumps(value))


def _written_texts(value: tuple[object, ...]) -> object:
    return value if _TEXT.issuperset(map(type, value)) else msgspec.Raw(orjson.dumps(value))


def _written_baseline(baseline: Baseline) -> object:
    values = list(astuple(baseline))
    changes = _BASELINE[tuple(map(type, values))]
    if changes is None:
        raise TypeError("a baseline has values of other types")
    for place, write in changes:
        values[place] = write(values[place])
    return _BASELINE.line(*values)


_encoder = msgspec.json.Encoder()
_BASELINE = _Writer(Baseline)
_WRITERS = {kind: _Writer(kind, *_HEAD) for kind in EVENTS.values() if kind is not RunStarted}
