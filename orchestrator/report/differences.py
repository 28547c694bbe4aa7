"""What a run changed on which device: fields with their values before and after, and operations."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Self

from orchestrator.model.devices import DeviceId
from orchestrator.model.events import (
    DeviceFound,
    DoubtResolved,
    Event,
    OperationAccepted,
    OperationIntended,
    OperationLost,
    OperationRefused,
    OperationUnsent,
    StepSucceeded,
)
from orchestrator.model.operations import REQUESTS, Action, Operation
from orchestrator.model.secrecy import is_secret


class Certainty(StrEnum):
    """How much is known of what a request did."""

    PROVEN = "proven"
    """It was read back."""
    ACCEPTED = "accepted"
    """The controller took it; nothing was read back, or not yet."""
    IN_DOUBT = "in doubt"
    """It was sent, or may have been, and nobody knows whether it was applied."""


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field of one device's record that one request of the run wrote."""

    field: str
    before: object
    """What the record said; None is null or not known, as it always is of a secret."""
    after: object
    """What was written; of a secret its fingerprint."""
    step: int
    at: float
    certainty: Certainty
    action: Action


@dataclass(frozen=True, slots=True)
class Deed:
    """One operation, firmware upgrade, creation or deletion."""

    what: Operation | Action
    step: int
    at: float
    certainty: Certainty
    values: Mapping[str, object] = field(default_factory=dict, hash=False)
    """For a creation what was written."""


@dataclass(frozen=True, slots=True)
class DeviceDifferences:
    """All that a run did to one device, in the order in which it was asked for."""

    device: DeviceId
    """As the run names it."""
    record: DeviceId
    """The id its record has now, as far as the run found out."""
    fields: tuple[FieldChange, ...]
    deeds: tuple[Deed, ...]

    @property
    def last_at(self) -> float:
        """Give the moment of the last request."""
        moments = [*(each.at for each in self.fields), *(each.at for each in self.deeds)]
        return max(moments, default=0.0)


@dataclass(slots=True)
class _Sent:
    intended: OperationIntended
    certainty: Certainty = Certainty.IN_DOUBT


@dataclass(slots=True)
class _Walk:
    record: int
    sent: list[_Sent] = field(default_factory=list)

    def last(self, step: int, attempt: int | None = None) -> _Sent | None:
        for each in reversed(self.sent):
            if each.intended.step == step and attempt in (None, each.intended.attempt):
                return each
        return None


class Differences:
    """The fold of a run's events into what it changed; of an unfinished run, so far."""

    def __init__(self) -> None:
        self._walks: dict[int, _Walk] = {}

    @classmethod
    def of(cls, events: Iterable[Event]) -> Self:
        """Fold these events."""
        differences = cls()
        for event in events:
            differences.after(event)
        return differences

    def after(self, event: Event) -> None:
        """Take one event in."""
        match event:
            case OperationIntended(device=device):
                self._walk(device).sent.append(_Sent(event))
            case OperationAccepted() | OperationLost() | DoubtResolved():
                self._answered(event)
            case OperationRefused() | OperationUnsent():
                self._forget(event.device, event.step, event.attempt)
            case DeviceFound(device=device, record=record):
                self._walk(device).record = record
            case StepSucceeded(device=device, step=step) if device in self._walks:
                if (proven := self._walks[device].last(step)) is not None:
                    proven.certainty = Certainty.PROVEN
            case _:
                pass

    def _walk(self, device: int) -> _Walk:
        return self._walks.setdefault(device, _Walk(device))

    def _answered(self, event: OperationAccepted | OperationLost | DoubtResolved) -> None:
        walk = self._walk(event.device)
        sent = walk.last(event.step, event.attempt)
        if sent is None:
            return
        match event:
            case OperationAccepted(record=record):
                sent.certainty = Certainty.ACCEPTED
                walk.record = walk.record if record is None else record
            case DoubtResolved(applied=True):
                sent.certainty = Certainty.ACCEPTED
            case DoubtResolved():
                self._forget(event.device, event.step, event.attempt)
            case OperationLost():
                sent.certainty = Certainty.IN_DOUBT

    def _forget(self, device: int, step: int, attempt: int) -> None:
        walk = self._walk(device)
        sent = walk.last(step, attempt)
        if sent is not None:
            walk.sent.remove(sent)

    @property
    def devices(self) -> tuple[DeviceDifferences, ...]:
        """Give every device that something was asked of, the first one first."""
        return tuple(_told(id_, walk) for id_, walk in self._walks.items() if walk.sent)


def _told(device: int, walk: _Walk) -> DeviceDifferences:
    return DeviceDifferences(
        DeviceId(device),
        DeviceId(walk.record),
        tuple(change for sent in walk.sent for change in _fields(sent)),
        tuple(deed for sent in walk.sent for deed in _deeds(sent)),
    )


def _fields(sent: _Sent) -> Iterable[FieldChange]:
    intended = sent.intended
    action = None if intended.action is None else Action(intended.action)
    if action in (None, Action.CREATE, Action.DELETE):
        return
    before, flag = intended.before or {}, intended.operation
    for name, after in (intended.after or {}).items():
        is_flag = after is True and name == flag
        if not is_flag and (is_secret(name) or not is_same_value(before.get(name), after)):
            yield FieldChange(
                name,
                None if is_secret(name) else before.get(name),
                after,
                intended.step,
                intended.at,
                sent.certainty,
                action,
            )


def _deeds(sent: _Sent) -> Iterable[Deed]:
    intended = sent.intended
    words = [word for word in (intended.action, intended.operation) if word is not None]
    for word in dict.fromkeys(words):
        what = REQUESTS.get(word)
        if isinstance(what, Operation) or what in _DEEDS:
            values = dict(intended.after or {}) if what is Action.CREATE else {}
            yield Deed(what, intended.step, intended.at, sent.certainty, values)


_DEEDS = (Action.UPGRADE, Action.CREATE, Action.DELETE)


def is_same_value(one: object, other: object) -> bool:
    """Say whether two values of a field are one: nothing is like empty text, and no truth is a number."""
    if one in (None, "") or other in (None, ""):
        return one in (None, "") and other in (None, "")
    if isinstance(one, bool) is not isinstance(other, bool):
        return False
    return one == other
