"""An order, and the answer to it, as the bytes that travel between two processes."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import orjson

from orchestrator.model import moments
from orchestrator.model.orders import (
    Approve,
    Ask,
    Cancel,
    ChangeLimit,
    Continue,
    Order,
    Pause,
    Person,
)

VERSION = 1
LARGEST = 16_384
"""Bytes of the longest order that is read; whatever is longer is none."""
_LONGEST = 2_000

_KINDS: Mapping[str, type[Any]] = {
    "pause": Pause,
    "continue": Continue,
    "cancel": Cancel,
    "approve": Approve,
    "limit": ChangeLimit,
    "why": Ask,
}
_NAMES = {kind: name for name, kind in _KINDS.items()}
_TAKES: Mapping[str, tuple[type, ...]] = {
    "abandon": (bool,),
    "device": (int,),
    "granted": (bool,),
    "limit": (str,),
    "value": (float, int),
    "what": (str, type(None)),
}


class NoOrderError(ValueError):
    """These bytes are no order for this run; the text says in which way."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """An order with what stands around it."""

    order: Order | Ask
    run_id: str
    placed_at: float
    expires_at: float
    """Nobody waits for the answer any more from here on."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a run says to an order."""

    told: str
    refused: bool


def encode(sheet: Sheet) -> bytes:
    """Give a sheet as one line."""
    order = sheet.order
    person = order.person
    facts = {
        "v": VERSION,
        "run": sheet.run_id,
        "placed_at": moments.as_text(sheet.placed_at),
        "expires_at": moments.as_text(sheet.expires_at),
        "order": _NAMES[type(order)],
        "person": {"name": person.name, "host": person.host, "why": person.why},
        "says": {name: getattr(order, name) for name in _own_fields(type(order))},
    }
    return orjson.dumps(facts) + b"\n"


def decode(raw: bytes) -> Sheet:
    """Read a sheet back; raises NoOrderError when it is not exactly what `encode` writes."""
    facts = _object(raw)
    if facts.get("v") != VERSION:
        what = f"it has version {facts.get('v')!r}, this process reads version {VERSION}"
        raise NoOrderError(what)
    try:
        return Sheet(
            order=_order(facts),
            run_id=_text(facts["run"]),
            placed_at=moments.from_text(_text(facts["placed_at"])),
            expires_at=moments.from_text(_text(facts["expires_at"])),
        )
    except KeyError as error:
        raise NoOrderError(f"it lacks {error}") from error
    except NoOrderError:
        raise
    except ValueError as error:
        raise NoOrderError(str(error)) from error


def encode_answer(answer: Answer) -> bytes:
    """Give an answer as one line."""
    facts = {"v": VERSION, "told": answer.told, "refused": answer.refused}
    return orjson.dumps(facts) + b"\n"


def decode_answer(raw: bytes) -> Answer:
    """Read an answer back; raises NoOrderError when it is none."""
    facts = _object(raw)
    told, refused = facts.get("told"), facts.get("refused")
    if not isinstance(told, str) or not isinstance(refused, bool):
        raise NoOrderError("it is not an answer")
    return Answer(told, refused)


def _object(raw: bytes) -> dict[str, Any]:
    try:
        facts = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise NoOrderError(f"it is not JSON ({error})") from error
    if not isinstance(facts, dict):
        raise NoOrderError("it is not a JSON object")
    return facts


def _order(facts: Mapping[str, Any]) -> Order | Ask:
    kind = _KINDS.get(_text(facts["order"]))
    if kind is None:
        raise NoOrderError(f"there is no order {facts['order']!r}")
    person, says = facts["person"], facts["says"]
    if not isinstance(person, dict) or not isinstance(says, dict):
        raise NoOrderError("it does not say who wants what")
    if set(says) != set(_own_fields(kind)):
        raise NoOrderError(f"{facts['order']!r} does not take {sorted(says)}")
    for name, value in says.items():
        _check(name, value)
    by = Person(_text(person["name"]), _text(person["host"]), _text(person["why"]))
    order: Order | Ask = kind(person=by, **says)
    return order


def _check(name: str, value: object) -> None:
    is_flag = isinstance(value, bool)
    fits = isinstance(value, _TAKES[name]) and is_flag == (bool in _TAKES[name])
    if not fits or (isinstance(value, float) and not math.isfinite(value)):
        raise NoOrderError(f"{name} cannot be {value!r}")
    if isinstance(value, str):
        _text(value)


def _text(value: object) -> str:
    if not isinstance(value, str) or len(value) > _LONGEST:
        raise NoOrderError("what should be a short text is none")
    return value


def _own_fields(kind: type[Any]) -> list[str]:
    return [each.name for each in fields(kind) if each.name != "person"]
