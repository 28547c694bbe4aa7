"""A run held against the ledger of the simulated controller: what was believed, what happened."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any

from orchestrator.model.events import (
    DeviceFound,
    DoubtResolved,
    Event,
    OperationAccepted,
    OperationIntended,
    OperationRefused,
    OperationUnsent,
    RescueStarted,
    StepForgiven,
)
from orchestrator.model.operations import Operation
from orchestrator.model.verdicts import Verdict
from orchestrator.report.summary import Summary

_NOTHING = "no operation was applied"
_TRUTHS = {
    "untouched": _NOTHING,
    "out_of_service": "out of service",
    "in_service_configured": "in service, configured",
    "in_service_unconfigured": "in service, its configuration missing",
    "gone": "its record is gone",
}
_OPERATIONS = frozenset(each.value for each in Operation)
_DISRUPTIVE = frozenset(each.value for each in Operation if each.is_disruptive)


@dataclass(frozen=True, slots=True)
class Comparison:
    """What the ledger says of each verdict, and where it contradicts the run."""

    found: Mapping[str, Mapping[str, int]]
    """For each verdict: how many devices are really in which state."""
    disagreements: tuple[str, ...]
    peak_down: int
    """Devices out of service at once that the run was waiting for, as they really were."""


def compare(
    summary: Summary, happened: Iterable[Event], ledger: Mapping[str, Any], max_down: int
) -> Comparison:
    """Hold a run against the ledger as the simulator gives it in JSON."""
    verdicts = {row.device: row.verdict or "none" for row in summary.rows()}
    wanted = tuple(happened)
    devices = _by_record(wanted)
    operations = _of_devices(ledger["operations"], devices)
    applied: dict[int, list[Mapping[str, Any]]] = {}
    for operation in operations:
        applied.setdefault(operation["device"], []).append(operation)
    found = {devices.get(int(record), int(record)): it for record, it in ledger["truths"].items()}
    truths: dict[str, Counter[str]] = {}
    for device, verdict in verdicts.items():
        truth = found.get(device, "untouched")
        truths.setdefault(verdict, Counter())[_TRUTHS.get(truth, truth)] += 1
    waited_for = [
        each
        for each in operations
        if verdicts.get(each["device"]) in (Verdict.SUCCEEDED, Verdict.SKIPPED)
    ]
    peak = _peak_down(waited_for)
    disagreements = [
        *_false_successes(verdicts, wanted, applied),
        *_repetitions(wanted, applied),
        *_unasked(wanted, _of_devices(ledger["operation_requests"], devices)),
        *_denied(wanted, applied),
    ]
    if peak > max_down:
        disagreements.append(f"{peak} devices were out of service at once, {max_down} are allowed")
    return Comparison(truths, tuple(disagreements), peak)


def _by_record(happened: Iterable[Event]) -> dict[int, int]:
    """Give the device that a record is of, for records that were created or found again."""
    found: dict[int, int] = {}
    for event in happened:
        if isinstance(event, OperationAccepted | DeviceFound) and event.record is not None:
            found[event.record] = event.device
    return found


def _of_devices(
    rows: Iterable[Mapping[str, Any]], devices: Mapping[int, int]
) -> list[Mapping[str, Any]]:
    """Name devices as the run does, where the ledger names them by their records."""
    return [
        {**each, "device": devices[each["device"]]} if each["device"] in devices else each
        for each in rows
    ]


def _false_successes(
    verdicts: Mapping[int, str],
    happened: Iterable[Event],
    applied: Mapping[int, Sequence[Mapping[str, Any]]],
) -> Iterator[str]:
    """Find success without effect; changes of records alone leave nothing among the operations."""
    only_records = _only_records(happened)
    for device, verdict in verdicts.items():
        operations = applied.get(device, [])
        if verdict == Verdict.ALREADY_OK and operations:
            took = operations[0]["operation"]
            yield f"device {device} was already ok, and {took} was applied to it"
        if verdict != Verdict.SUCCEEDED:
            continue
        undone = [each["operation"] for each in operations if each["done_at"] is None]
        if not operations and device in only_records:
            continue
        if not operations:
            yield f"device {device} succeeded, and nothing was ever applied to it"
        elif undone:
            yield f"device {device} succeeded, and its {undone[0]} never had its effect"


def _only_records(happened: Iterable[Event]) -> set[int]:
    """Give the devices that were asked for no operation, only for changes of their records."""
    changed: set[int] = set()
    operated: set[int] = set()
    for event in happened:
        if isinstance(event, OperationIntended):
            is_operation = event.operation in _OPERATIONS
            (operated if is_operation else changed).add(event.device)
    return changed - operated


def _repetitions(
    happened: Iterable[Event], applied: Mapping[int, Sequence[Mapping[str, Any]]]
) -> Iterator[str]:
    """Find what was done more often than steps ask for it, or to a device that was not back.

    A device that goes on, or into its rescue, without proof may not be back.
    """
    steps: dict[tuple[int, str], set[int]] = {}
    unproven: set[int] = set()
    for event in happened:
        if isinstance(event, OperationIntended):
            steps.setdefault((event.device, event.operation), set()).add(event.step)
        elif isinstance(event, StepForgiven | RescueStarted):
            unproven.add(event.device)
    for device, operations in applied.items():
        counted = Counter(each["operation"] for each in operations)
        for operation, count in counted.items():
            wanted = max(1, len(steps.get((device, operation), ())))
            if operation in _DISRUPTIVE and count > wanted:
                yield f"device {device} took {operation} {count} times"
        early = [each["operation"] for each in operations if not each["was_back"]]
        if early and device not in unproven:
            yield f"device {device} was given {early[0]} before it was back"


def _unasked(happened: Iterable[Event], arrivals: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    intended = Counter(
        (event.device, event.operation)
        for event in happened
        if isinstance(event, OperationIntended)
    )
    arrived = Counter((each["device"], each["operation"]) for each in arrivals)
    for (device, operation), count in arrived.items():
        if count > intended[device, operation]:
            yield (
                f"{count} requests for {operation} of device {device} arrived,"
                f" {intended[device, operation]} are in the audit log"
            )


def _denied(
    happened: Iterable[Event], applied: Mapping[int, Sequence[Mapping[str, Any]]]
) -> Iterator[str]:
    """Find what was applied although the audit log says that it was not."""
    may_be: Counter[tuple[int, str]] = Counter()
    operations: dict[tuple[int, int], str] = {}
    for event in happened:
        match event:
            case OperationIntended(device=device, step=step, operation=operation):
                operations[device, step] = operation
                may_be[device, operation] += 1
            case OperationRefused() | OperationUnsent() | DoubtResolved(applied=False):
                may_be[event.device, operations[event.device, event.step]] -= 1
            case _:
                pass
    for device, found in applied.items():
        really = Counter(each["operation"] for each in found)
        for operation, count in really.items():
            if operation in _DISRUPTIVE and count > may_be[device, operation]:
                yield f"device {device} took {operation}, and the audit log says that it did not"


def _peak_down(operations: Iterable[Mapping[str, Any]]) -> int:
    changes = []
    for each in operations:
        if each["operation"] in _DISRUPTIVE:
            until = inf if each["returned_at"] is None else each["returned_at"]
            changes += [(each["arrived_at"], 1), (until, -1)]
    level = peak = 0
    for _, change in sorted(changes):
        level += change
        peak = max(peak, level)
    return peak


def lines(comparison: Comparison, summary: Summary, max_down: int) -> Iterator[str]:
    """Tell a comparison to people."""
    yield "What the simulator's own ledger says:"
    for verdict, count in summary.counts().items():
        if not count:
            continue
        found = Counter(comparison.found.get(verdict, {}))
        told = "; ".join(f"{n:,} {truth}" for truth, n in found.most_common())
        yield f"  {count:>6,} {verdict.replace('_', ' '):<12} really: {told}"
    yield f"  at most {comparison.peak_down:,} of {max_down:,} were out of service and waited for"
    if comparison.disagreements:
        yield "THE RUN AND THE LEDGER DISAGREE:"
        yield from (f"  {each}" for each in comparison.disagreements)
    else:
        yield "The run and the ledger agree: every success is true, nothing was done twice."
