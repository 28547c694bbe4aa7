"""Is one condition true of one record, and if not, why in one sentence.

Conditions are compiled once into closures, because they may be held against a million records.
What is unknown never satisfies a condition; `missing` is the exception that asks for it.
"""

import fnmatch
import math
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import attrgetter
from typing import Any

from orchestrator.model import durations, moments
from orchestrator.model.devices import MOMENT_FIELDS, Device, Status, as_flag, as_moment
from orchestrator.model.selections import (
    AtLeast,
    Below,
    Condition,
    Equals,
    Matches,
    Missing,
    NewerThan,
    NothingPending,
    OlderThan,
    Present,
    SomethingPending,
)
from orchestrator.model.versions import version_key

Predicate = Callable[[Device, float], bool]
"""Is it true of this device at this moment of the controller's clock?"""

_NUMBER = re.compile(r"\s*[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?\s*")
_PARSED = frozenset({"is_active", "status_change", "last_connection", "last_configuration"})
_MEANINGFUL = MOMENT_FIELDS | {"status", "pending_settings"}
_SHOWN_LENGTH = 60
_SHOWN_VALUES = 5


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why a selection does not choose a device."""

    rule: str
    """The condition that failed, the same text for every device it failed for."""
    reason: str
    """The same in one sentence about this device."""


def holds(condition: Condition, device: Device, now: float) -> bool:
    """Say whether a condition is known to be true; `now` is the controller's clock."""
    return compiled(condition)(device, now)


def why_not(conditions: Iterable[Condition], device: Device, now: float) -> str | None:
    """Say of the first condition that does not hold why; None when all hold."""
    for condition in conditions:
        if not compiled(condition)(device, now):
            return explained(condition, device, now).reason
    return None


def rejection(conditions: Iterable[Condition], device: Device, now: float) -> Rejection | None:
    """Give the first condition that does not hold, None if all hold."""
    for condition in conditions:
        if not compiled(condition)(device, now):
            return explained(condition, device, now)
    return None


@lru_cache(maxsize=4096)
def compiled(condition: Condition) -> Predicate:
    """Turn a condition into a closure; the same condition gives the same closure."""
    test, value_of = condition.test, _reader(condition.field)
    match test:
        case NothingPending() | SomethingPending():
            return _pending(test)
        case Missing():
            return lambda device, _now: is_missing(value_of(device))
        case Present():
            return lambda device, _now: not is_missing(value_of(device))
        case OlderThan(seconds):
            return lambda device, now: _age(value_of(device), now) > seconds
        case NewerThan(seconds):
            return lambda device, now: _age(value_of(device), now) <= seconds
        case Equals(values) if condition.field == "status":
            known = frozenset(values) - {Status.UNKNOWN}
            return lambda device, _now: device.status in known
        case _:
            accepts = _accepting(test)
            return lambda device, _now: accepts(value_of(device))


def _pending(test: NothingPending | SomethingPending) -> Predicate:
    if isinstance(test, NothingPending):
        return lambda device, _now: device.pending == ()
    if not test.names:
        return lambda device, _now: bool(device.pending)
    wanted = frozenset(test.names)
    return lambda device, _now: not wanted.isdisjoint(device.pending or ())


def _reader(field: str) -> Callable[[Device], object]:
    """Give the fastest way to what `Device.value` gives: most of it was parsed with the record."""
    if field in _PARSED:
        return attrgetter(field)
    if field in _MEANINGFUL:
        return lambda device: device.value(field)
    return lambda device: device.fields.get(field)


def _accepting(test: Equals | Matches | Below | AtLeast) -> Callable[[object], bool]:
    match test:
        case Equals(values):
            return _equal_to(values)
        case Matches(patterns):
            form = re.compile("|".join(map(fnmatch.translate, patterns)), re.IGNORECASE)
            return lambda value: (text := _as_text(value)) is not None and bool(form.match(text))
        case Below(bound):
            return _compared(bound, lambda value, limit: value < limit)
        case AtLeast(bound):
            return _compared(bound, lambda value, limit: value >= limit)


def _equal_to(values: tuple[str | int | float | bool, ...]) -> Callable[[object], bool]:
    flags = frozenset(value for value in values if isinstance(value, bool))
    texts = frozenset(str(value) for value in values if isinstance(value, str))
    numbers = frozenset(
        float(value)
        for value in values
        if isinstance(value, int | float) and not isinstance(value, bool)
    )
    # A record may hold as a number what the playbook quotes: 15 and "15" are the same.
    quoted = frozenset(number for text in texts if (number := as_number(text)) is not None)

    def accepts(value: object) -> bool:
        if type(value) is int:  # most ids and types; a truth value is no number
            return value in numbers or value in quoted or bool(flags and as_flag(value) in flags)
        if flags and as_flag(value) in flags:
            return True
        if isinstance(value, str):
            return value in texts or bool(numbers and as_number(value) in numbers)
        number = as_number(value)
        return number is not None and (number in numbers or number in quoted)

    return accepts


def _compared(bound: str | float, relation: Callable[[Any, Any], bool]) -> Callable[[object], bool]:
    if isinstance(bound, str):
        limit = version_key(bound)
        return lambda value: (
            (text := _as_text(value)) is not None and relation(version_key(text), limit)
        )
    number = float(bound)
    return lambda value: (known := as_number(value)) is not None and relation(known, number)


def as_number(value: object) -> float | None:
    """Read a number, also one that stands as text; None when it is none."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        if _NUMBER.fullmatch(value) is None:
            return None
        value = float(value)
    if isinstance(value, int | float) and math.isfinite(value):
        return float(value)
    return None


def _as_text(value: object) -> str | None:
    if isinstance(value, str):
        return value if value.strip() else None
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return None


def _age(value: object, now: float) -> float:
    # Not a number compares false either way, as the unknown has to.
    moment = value if isinstance(value, float) else as_moment(value)
    return math.nan if moment is None else now - moment


def is_missing(value: object) -> bool:
    """Say whether a field holds nothing: absent, null, or empty."""
    if isinstance(value, str):
        return not value.strip()
    return value is None or value == []


def is_same(one: object, other: object) -> bool:
    """Say whether two values of a field are the same: 15 and "15" are, and what is missing is not
    known to differ.
    """
    if is_missing(one) or is_missing(other) or one == other:
        return True
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return list(one) == list(other)
    if isinstance(one, bool) or isinstance(other, bool):
        return as_flag(one) is not None and as_flag(one) == as_flag(other)
    number = as_number(one)
    return number is not None and number == as_number(other)


def explained(condition: Condition, device: Device, now: float) -> Rejection:
    """Tell why a condition does not hold; only called once it is known that it does not."""
    field, test = condition.field, condition.test
    if isinstance(test, NothingPending | SomethingPending):
        return _pending_rejection(test, device)
    value = device.value(field)
    if isinstance(test, Missing):
        return Rejection(f"{field} is present", f"{field} is {_shown(field, value)}, not missing")
    if isinstance(test, Present):
        return Rejection(f"{field} is missing", f"{field} is missing")
    if is_missing(value):
        return Rejection(f"{field} is not known", f"{field} is not known")
    if isinstance(test, OlderThan | NewerThan):
        return _age_rejection(field, test, value, now)
    wanted = _wanted(field, test)
    verb = "matches none of" if isinstance(test, Matches) else "is not"
    if isinstance(test, Matches):
        reason = f"{field} is {_shown(field, value)}, which {verb} {wanted}"
    else:
        reason = f"{field} is {_shown(field, value)}, not {wanted}"
    return Rejection(f"{field} {verb} {wanted}", reason)


def _pending_rejection(test: NothingPending | SomethingPending, device: Device) -> Rejection:
    if device.pending is None:
        return Rejection("pending_settings is not known", "pending_settings is not known")
    if isinstance(test, NothingPending):
        names = ", ".join(map(printable, device.pending))
        return Rejection("settings are pending", f"settings are pending: {names}")
    if not device.pending:
        return Rejection("nothing is pending", "nothing is pending")
    wanted = _joined(test.names)
    names = ", ".join(map(printable, device.pending))
    return Rejection(
        f"pending_settings is not {wanted}", f"pending_settings is {names}, not {wanted}"
    )


def _age_rejection(field: str, test: OlderThan | NewerThan, value: object, now: float) -> Rejection:
    age = _age(value, now)
    if math.isnan(age):
        return Rejection(
            f"{field} is not a moment", f"{field} is {_shown(field, value)}, which is not a moment"
        )
    bound = durations.as_text(test.seconds)
    wanted = f"older than {bound}" if isinstance(test, OlderThan) else f"newer than {bound}"
    when = f"{durations.as_text(age)} old" if age >= 0 else "in the future"
    return Rejection(f"{field} is not {wanted}", f"{field} is {when}, not {wanted}")


def _wanted(field: str, test: Equals | Matches | Below | AtLeast) -> str:
    match test:
        case Equals(values):
            return _joined(tuple(_value_text(value) for value in values))
        case Matches(patterns):
            return _joined(tuple(f'"{pattern}"' for pattern in patterns))
        case Below(bound):
            return f"below {_bound_text(field, bound)}"
        case AtLeast(bound):
            return f"at least {_bound_text(field, bound)}"


def _bound_text(field: str, bound: str | float) -> str:
    if field in MOMENT_FIELDS and isinstance(bound, float):
        return moments.as_short_text(bound)
    return str(bound)


def _value_text(value: str | float) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.value if isinstance(value, Status) else str(value)


def _joined(words: Sequence[str]) -> str:
    if len(words) > _SHOWN_VALUES:
        first = ", ".join(words[:_SHOWN_VALUES])
        return f"one of {first} or {len(words) - _SHOWN_VALUES} more"
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " or " + words[-1]


def _shown(field: str, value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return ", ".join(map(printable, value)) or "none"
    if field in MOMENT_FIELDS and isinstance(value, float):
        return moments.as_short_text(value)
    return printable(value)


def printable(value: object) -> str:
    """Make untrusted text fit to be printed: one line, no control characters, not long."""
    text = "".join(sign if sign.isprintable() else "?" for sign in str(value))
    return text if len(text) <= _SHOWN_LENGTH else text[: _SHOWN_LENGTH - 1] + "…"
