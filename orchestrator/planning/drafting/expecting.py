"""How long steps are expected to take: what earlier runs took, else what the playbook allows."""

import math
from collections.abc import Mapping, Sequence

from orchestrator.model.playbooks import Playbook
from orchestrator.model.steps import CheckStep, RequestStep, SleepStep, Step, proof_seconds
from orchestrator.planning.timing import Timed, timed

ENOUGH = 10
"""Device runs of an operation from which on the measured time is believed."""

Measured = Mapping[Timed, Sequence[float]]
"""Seconds that each proven operation of earlier runs took, one figure a device run."""


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
        case RequestStep():
            seconds = measured.get(timed(step), ())
            return ninth_decile(seconds) if len(seconds) >= ENOUGH else proof_seconds(step, None)
        case SleepStep():
            return step.seconds
        case CheckStep():
            return step.within
        case _:
            return 0.0


def _origin(steps: Sequence[Step], measured: Measured) -> str:
    operations = dict.fromkeys(timed(s) for s in steps if isinstance(s, RequestStep))
    if not any(measured.get(operation) for operation in operations):
        return "the steps' own limits, nothing measured yet"
    return "; ".join(f"{o.value}: {_told(len(measured.get(o, ())))}" for o in operations)


def _told(runs: int) -> str:
    if runs >= ENOUGH:
        return f"9 of 10 of {runs} device runs of earlier runs"
    so_far = f"only {runs} of {ENOUGH} device runs" if runs else "nothing"
    return f"the step's own limit, {so_far} measured yet"
