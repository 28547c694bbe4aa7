"""How long steps are expected to take: what earlier runs took, else what the playbook allows."""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from orchestrator.model.events import (
    DeviceFinished,
    Event,
    OperationIntended,
    RunInterrupted,
    RunPaused,
    RunResumed,
    StepFailed,
    StepSucceeded,
)
from orchestrator.model.operations import Operation
from orchestrator.model.playbooks import Playbook
from orchestrator.model.steps import CheckStep, OperationStep, SleepStep, Step, proof_seconds

ENOUGH = 10
"""Device runs of an operation from which on the measured time is believed."""

Measured = Mapping[Operation, Sequence[float]]
"""Seconds that each proven operation of earlier runs took, one figure a device run."""


def measured(events: Iterable[Event], steps: Sequence[Step]) -> dict[Operation, list[float]]:
    """Give the seconds from each first request of a step to its proof, by operation.

    A step during which nobody watched, because the run was paused or its process away, tells
    nothing of the device and is left out.
    """
    found: dict[Operation, list[float]] = defaultdict(list)
    began: dict[tuple[int, int], float] = {}
    for event in events:
        match event:
            case OperationIntended(at=at, device=device, step=step):
                began.setdefault((device, step), at)
            case StepSucceeded(at=at, device=device, step=step):
                seconds = at - began.pop((device, step), math.nan)
                operation = _operation(steps, step)
                if operation is not None and seconds >= 0:
                    found[operation].append(seconds)
            case StepFailed(device=device, step=step) | DeviceFinished(device=device, step=step):
                began.pop((device, step), None)
            case RunPaused() | RunInterrupted() | RunResumed():
                began = dict.fromkeys(began, math.nan)
    return dict(found)


def _operation(steps: Sequence[Step], index: int) -> Operation | None:
    step = steps[index] if 0 <= index < len(steps) else None
    return step.operation if isinstance(step, OperationStep) else None


def expectations(playbook: Playbook, measured: Measured) -> tuple[tuple[int, ...], str]:
    """Give the seconds each of `all_steps` is expected to take at most, and where they come from.

    That is what 9 of 10 device runs took, once an operation was measured ten times.
    """
    steps = playbook.all_steps
    return tuple(math.ceil(_expected(step, measured)) for step in steps), _origin(steps, measured)


def ninth_decile(seconds: Sequence[float]) -> float:
    """Give the least of these figures that at least 9 of 10 of them do not exceed."""
    return sorted(seconds)[(9 * len(seconds) + 9) // 10 - 1]


def _expected(step: Step, measured: Measured) -> float:
    match step:
        case OperationStep():
            seconds = measured.get(step.operation, ())
            return ninth_decile(seconds) if len(seconds) >= ENOUGH else proof_seconds(step, None)
        case SleepStep():
            return step.seconds
        case CheckStep():
            return step.within
        case _:
            return 0.0


def _origin(steps: Sequence[Step], measured: Measured) -> str:
    operations = dict.fromkeys(s.operation for s in steps if isinstance(s, OperationStep))
    if not any(measured.get(operation) for operation in operations):
        return "the steps' own limits, nothing measured yet"
    return "; ".join(f"{o.value}: {_told(len(measured.get(o, ())))}" for o in operations)


def _told(runs: int) -> str:
    if runs >= ENOUGH:
        return f"9 of 10 of {runs} device runs of earlier runs"
    so_far = f"only {runs} of {ENOUGH} device runs" if runs else "nothing"
    return f"the step's own limit, {so_far} measured yet"
