"""What is wrong with a playbook although each of its values is right: contradictions."""

from collections.abc import Mapping, Sequence
from typing import Any

from orchestrator.model import durations
from orchestrator.model.operations import Operation
from orchestrator.model.policies import Guard, RetryPolicy
from orchestrator.model.selections import (
    Condition,
    Equals,
    Expectation,
    Missing,
    NothingPending,
    SomethingPending,
    Test,
)
from orchestrator.playbook import composing
from orchestrator.playbook.conditions import Demands
from orchestrator.playbook.language import DEVICES
from orchestrator.playbook.sequences import ReadStep
from orchestrator.playbook.shapes import Spot, spot_at
from orchestrator.playbook.windows import check_window

_NARROWING = ("organization", "type", "status", "last_status_change_from", "where", "include")
_FILTERED_FIELDS = {"status": "status", "organization": "organization_id", "type": "type"}


def check(spot: Spot, values: Mapping[str, Any], guard: Guard) -> None:
    """Note every contradiction between the values that could be read."""
    devices = values.get("devices")
    if devices is not None:
        _check_narrowing(spot, devices)
        _check_counts(spot, devices)
        _check_filters(spot, devices)
        _check_names(spot, devices)
    for sequence in (values.get("steps", ()), values.get("rescue", ())):
        _check_steps(spot, sequence)
    _check_rescue(values.get("rescue", ()))
    if devices is not None:
        _check_guard(spot, devices, values.get("steps", ()), guard)
    _check_waits(spot, values.get("retry", {}))
    if "window" in values:
        check_window(spot_at(spot, "window"), values["window"])
    if "rollout" in values:
        _check_rollout(spot_at(spot, "rollout"), values["rollout"])


def _check_narrowing(spot: Spot, devices: Mapping[str, Any]) -> None:
    at = spot_at(spot, "devices")
    node = at.node
    given = [name for name in _NARROWING if isinstance(node, composing.Mapping) and node.get(name)]
    if devices.get("all") and given:
        spot_at(at, "all").fault(
            f"all: true means every device, and {', '.join(given)} means only some",
            "remove one of them",
        )
    elif not devices.get("all") and not given and not _has_unknown_keys(node):
        at.fault(
            "the selection has no condition, so it would choose every device",
            "name one of organization, type, status, where, include;"
            " write `all: true` if every device is meant",
        )


def _has_unknown_keys(node: composing.Node) -> bool:
    # A misspelt filter has its own fault; that nothing else narrows the set follows from it.
    return isinstance(node, composing.Mapping) and any(
        entry.key.text not in DEVICES.keys for entry in node.entries
    )


def _check_counts(spot: Spot, devices: Mapping[str, Any]) -> None:
    expect = devices.get("expect", {})
    least = expect.get("at_least", Expectation().at_least)
    most, limit = expect.get("at_most"), devices.get("limit")
    if most is not None and least > most:
        spot_at(spot, "devices", "expect", "at_most").fault(
            f"no number of devices is at least {least} and at most {most}"
        )
    if limit is not None and limit < least:
        spot_at(spot, "devices", "limit").fault(
            f"a limit of {limit} can never give the {least} devices that expect.at_least asks for"
        )


def _check_filters(spot: Spot, devices: Mapping[str, Any]) -> None:
    for name, field in _FILTERED_FIELDS.items():
        wanted = _filter_condition(devices, name)
        for condition in _where(devices).get(field, ()):
            if wanted and _contradict(wanted.test, condition.test):
                spot_at(spot, "devices", "where", field).fault(
                    f"no device is chosen: {name} is to be {_said(wanted.test)}"
                    f" and {field} {_said(condition.test)}"
                )


def _check_names(spot: Spot, devices: Mapping[str, Any]) -> None:
    include = {name.casefold() for name in devices.get("include", ())}
    exclude = {name.casefold() for name in devices.get("exclude", ())}
    if include and include <= exclude:
        spot_at(spot, "devices", "exclude").fault("everything that include names is excluded")


def _check_steps(spot: Spot, sequence: Sequence[ReadStep]) -> None:
    for kind, step, at in sequence:
        if kind == "operation" and "operation" in step:
            _check_proof(at, step["operation"], step.get("proof", {}))
        if kind == "notify" and not _has(spot, "notify"):
            spot_at(at, "notify").fault(
                "nobody is told: the playbook names no one",
                "add `notify: {to: [...]}` beside `steps`, with the names of those who are told",
            )
    if sequence and "continue_on" in sequence[-1][1]:
        spot_at(sequence[-1][2], "continue_on").fault(
            "nothing follows this step, so no device could go on", "remove it"
        )


def _check_rescue(sequence: Sequence[ReadStep]) -> None:
    for _, step, at in sequence:
        operation = step.get("operation")
        if operation is not None and operation.is_destructive:
            spot_at(at, "operation").fault(
                f"{operation.value} wipes the device, and a rescue brings back what is left of it",
                "rescue with reboot, sync or reconf, or look with check",
            )


def _check_rollout(spot: Spot, rollout: Mapping[str, Any]) -> None:
    for name in ("spread_by", "between_waves"):
        if _has(spot, name) and not _has(spot, "waves"):
            spot_at(spot, name).fault(
                f"{name} means nothing without waves: all devices would be one",
                "add waves, such as `waves: [1, 10, 25%, 100%]`, or remove it",
            )
    if _has(spot, "strict") and not _has(spot, "stop_when"):
        spot_at(spot, "strict").fault(
            "strict means nothing without stop_when: there is no budget to keep",
            "add a budget, such as `stop_when: {failed: 5}`, or remove it",
        )
    budget = spot_at(spot, "stop_when")
    if "after" in rollout.get("stop_when", {}) and not _has(budget, "failure_rate"):
        spot_at(budget, "after").fault(
            "after is about failure_rate, and there is none",
            "add a rate, such as `failure_rate: 10%`, or remove it",
        )


def _has(spot: Spot, name: str) -> bool:
    # What is written counts, even where it could not be read: that has a fault of its own.
    return isinstance(spot.node, composing.Mapping) and spot.node.get(name) is not None


def _check_proof(at: Spot, operation: Operation, proof: Mapping[str, Any]) -> None:
    if not operation.is_disruptive:
        for name in ("status", "settle", "stable_for"):
            if name in proof:
                spot_at(at, "proof", name).fault(
                    f"{name} is about the return from an outage, and {operation.value} causes none",
                    "remove it; a step `- check: {status: up}` can look afterwards"
                    if name == "status"
                    else "remove it",
                )
    within, stable = proof.get("within"), proof.get("stable_for", 0.0)
    if within is not None and 0 < within <= stable:
        spot_at(at, "proof", "within").fault(
            f"within {durations.as_text(within)} nothing can be stable for"
            f" {durations.as_text(stable)}, so no device could succeed"
        )


def _check_guard(spot: Spot, devices: Mapping[str, Any], steps: Any, guard: Guard) -> None:
    """Refuse a playbook whose guard would skip every device that its selection chooses."""
    if not steps or steps[0][0] != "operation" or "operation" not in steps[0][1]:
        return
    demanded = guard.disruptive if steps[0][1]["operation"].is_disruptive else guard.gentle
    status = _filter_condition(devices, "status")
    chosen = [("status", status)] if status else []
    where = _where(devices)
    chosen += [("where", condition) for found in where.values() for condition in found]
    for word, condition in chosen:
        for demand in demanded:
            if demand.field == condition.field and _contradict(demand.test, condition.test):
                field = condition.field
                path = (word,) if word == "status" else (word, field)
                spot_at(spot, "devices", *path).fault(
                    f"every chosen device would be skipped: the selection wants {field}"
                    f" {_said(condition.test)}, the guard demands {_said(demand.test)}",
                    f"write `guard: {{{field}: any}}` if such devices are meant",
                )


def _check_waits(spot: Spot, retry: Mapping[str, Any]) -> None:
    first = retry.get("first_wait", RetryPolicy().first_wait)
    longest = retry.get("longest_wait", RetryPolicy().longest_wait)
    if first > longest:
        name = "longest_wait" if "longest_wait" in retry else "first_wait"
        spot_at(spot, "retry", name).fault(
            f"the first wait, {durations.as_text(first)}, is longer than the longest,"
            f" {durations.as_text(longest)}"
        )


def _filter_condition(devices: Mapping[str, Any], name: str) -> Condition | None:
    if name not in devices:
        return None
    values = devices[name] if isinstance(devices[name], tuple) else (devices[name],)
    return Condition(_FILTERED_FIELDS[name], Equals(values))


def _where(devices: Mapping[str, Any]) -> Mapping[str, tuple[Condition, ...]]:
    where = devices.get("where")
    return where.conditions if isinstance(where, Demands) else {}


def _contradict(one: Test, other: Test) -> bool:
    if isinstance(one, Equals) and isinstance(other, Equals):
        return {str(v) for v in one.values}.isdisjoint(str(v) for v in other.values)
    if isinstance(one, Missing) or isinstance(other, Missing):
        return one != other
    kinds = {type(one), type(other)}
    return kinds == {NothingPending, SomethingPending}


def _said(test: Test) -> str:
    match test:
        case Equals(values):
            return " or ".join(str(v).lower() for v in values)
        case NothingPending():
            return "none"
        case SomethingPending(names):
            return " or ".join(names) if names else "any"
        case Missing():
            return "missing"
        case _:
            return "something else"
