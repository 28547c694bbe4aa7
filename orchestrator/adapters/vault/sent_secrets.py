"""Which secret values of a run were sent and taken, as its events tell: what a vault may believe."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from orchestrator.model.events import (
    DeviceFinished,
    DoubtResolved,
    Event,
    OperationAccepted,
    OperationIntended,
    OperationUnsent,
    StepFailed,
    StepForgiven,
    StepSucceeded,
)
from orchestrator.model.operations import Action, Operation
from orchestrator.model.steps import RecordStep, Step


@dataclass(frozen=True, slots=True)
class Ended:
    """How a step of a device ended, as far as its secret fields go."""

    at: float
    device: int
    step: int
    intended: frozenset[str] = frozenset()
    """The fields that were sent, or may have been, secret or not."""
    proven: frozenset[str] = frozenset()
    """Those of them that the controller took, where the step succeeded."""
    serial_number: str | None = None
    """What the same request wrote; None when it wrote none."""
    former: str | None = None
    """Whose record it was before, as a vault names it."""


@dataclass(slots=True)
class _Sending:
    """The requests of one step."""

    by_attempt: dict[int, frozenset[str]] = field(default_factory=dict)
    taken: frozenset[str] = frozenset()
    serial_number: str | None = None
    former: str | None = None

    def intend(self, event: OperationIntended, after: Mapping[str, object]) -> None:
        self.by_attempt[event.attempt] = frozenset(after)
        written = after.get("serial_number")
        if isinstance(written, str) and written != event.baseline.serial_number:
            self.serial_number = written
            self.former = event.baseline.serial_number or f"id {event.device}"

    def accept(self, attempt: int) -> None:
        self.taken |= self.by_attempt.get(attempt, frozenset())

    def ended(self, at: float, device: int, step: int, *, is_proven: bool) -> Ended:
        intended = frozenset[str]().union(*self.by_attempt.values())
        proven = self.taken if is_proven else frozenset[str]()
        return Ended(at, device, step, intended, proven, self.serial_number, self.former)


class SentSecrets:
    """Follows the requests that may carry secret values, of the devices that are under way."""

    def __init__(self) -> None:
        self._by_device: dict[int, dict[int, _Sending]] = {}

    def after(self, event: Event) -> Ended | None:
        """Take note of an event; give how a step ended if it is over with this one.

        With its device a step ends once more, in case that nothing was said of its end before.
        """
        take = self._TAKES.get(type(event))
        return None if take is None else take(self, event)

    def _intend(self, event: OperationIntended) -> None:
        if event.after:
            steps = self._by_device.setdefault(event.device, {})
            steps.setdefault(event.step, _Sending()).intend(event, event.after)

    def _unsend(self, event: OperationUnsent) -> None:
        self._of(event.device, event.step).by_attempt.pop(event.attempt, None)

    def _accept(self, event: OperationAccepted | DoubtResolved) -> None:
        if isinstance(event, OperationAccepted) or event.applied:
            self._of(event.device, event.step).accept(event.attempt)

    def _prove(self, event: StepSucceeded) -> Ended:
        sent = self._of(event.device, event.step)
        return sent.ended(event.at, event.device, event.step, is_proven=True)

    def _fail(self, event: StepFailed | StepForgiven) -> Ended:
        return self._without_proof(event.at, event.device, event.step)

    def _finish(self, event: DeviceFinished) -> Ended:
        ended = self._without_proof(event.at, event.device, event.step)
        self._by_device.pop(event.device, None)
        return ended

    def _without_proof(self, at: float, device: int, step: int) -> Ended:
        return self._of(device, step).ended(at, device, step, is_proven=False)

    def _of(self, device: int, step: int) -> _Sending:
        return self._by_device.get(device, {}).get(step) or _Sending()

    _TAKES: ClassVar[Mapping[type[Event], Callable[[Any, Any], Ended | None]]] = {
        OperationIntended: _intend,
        OperationUnsent: _unsend,
        OperationAccepted: _accept,
        DoubtResolved: _accept,
        StepSucceeded: _prove,
        StepFailed: _fail,
        StepForgiven: _fail,
        DeviceFinished: _finish,
    }


def is_seen(step: Step | None) -> bool:
    """Tell whether the proof of a step needs the device itself, which then has what was written."""
    return isinstance(step, RecordStep) and (
        step.proof.contact or isinstance(step.operation, Operation) or step.operation.is_disruptive
    )


def is_of_new_device(step: Step | None) -> bool:
    """Tell whether a step makes the record: then there is no former value that the device has."""
    return isinstance(step, RecordStep) and step.action is Action.CREATE
