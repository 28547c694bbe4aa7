"""What is wrong with a playbook although each of its values is right: contradictions."""

from collections.abc import Mapping, Sequence
from typing import Any

from orchestrator.model import durations
from orchestrator.model.devices import Status
from orchestrator.model.operations import Action, Operation, Request
from orchestrator.model.policies import Guard, RetryPolicy
from orchestrator.model.selections import (
    AtLeast,
    Below,
    Condition,
    Equals,
    Expectation,
    Missing,
    NothingPending,
    SomethingPending,
    Test,
)
from orchestrator.model.values import Table
from orchestrator.playbook import composing
from orchestrator.playbook.conditions import Demands, order_of
from orchestrator.playbook.language import DEVICES
from orchestrator.playbook.shapes import Spot, spot_at
from orchestrator.playbook.steps.proofs import check_proof
from orchestrator.playbook.steps.record_checks import check_records
from orchestrator.playbook.steps.records import ACTIONS, needs_contact, request_of
from orchestrator.playbook.steps.sequences import ReadStep
from orchestrator.playbook.windows import check_window

_NARROWING = (
    *("organization", "type", "status", "last_status_change_from", "where", "include", "with"),
)
_UP = Equals((Status.UP,))
_FILTERED_FIELDS = {"status": "status", "organization": "organization_id", "type": "type"}


def check(spot: Spot, values: Mapping[str, Any], guard: Guard, table: Table | None) -> None:
    """Note every contradiction between the values that could be read."""
    devices = values.get("devices")
    if devices is not None:
        _check_narrowing(spot, devices)
        _check_counts(spot, devices)
        _check_filters(spot, devices)
        _check_names(spot, devices)
        _check_key(spot)
        _check_outages(spot, devices)
    for sequence in (values.get("steps", ()), values.get("rescue", ())):
        _check_steps(spot, sequence, table)
    _check_rescue(values.get("rescue", ()))
    if devices is not None:
        check_records(spot, values, guard, table, _chosen(devices))
        _check_guard(spot, devices, values.get("steps", ()), guard, table)
    _check_waits(spot, values.get("retry", {}))
    if "per_device" in values:
        _check_allowances(spot_at(spot, "per_device"), values, table)
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
            "name one of organization, type, status, where, include, with;"
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
            if wanted and contradict(wanted.test, condition.test):
                spot_at(spot, "devices", "where", field).fault(
                    f"no device is chosen: {name} is to be {said(wanted.test)}"
                    f" and {field} {said(condition.test)}"
                )


def _check_names(spot: Spot, devices: Mapping[str, Any]) -> None:
    include = {name.casefold() for name in devices.get("include", ())}
    exclude = {name.casefold() for name in devices.get("exclude", ())}
    if include and include <= exclude:
        spot_at(spot, "devices", "exclude").fault("everything that include names is excluded")


def _check_key(spot: Spot) -> None:
    at = spot_at(spot, "devices")
    if _has(at, "key") and not _has(at, "with") and not _has_unknown_keys(at.node):
        spot_at(at, "key").fault(
            "key is about a table, and there is none", 'add `with: "@sites.csv"`, or remove it'
        )


def _check_outages(spot: Spot, devices: Mapping[str, Any]) -> None:
    if "except_outages_of" not in devices:
        return
    for path, condition in _chosen(devices):
        if condition.field == "status" and condition.test == _UP:
            spot_at(spot, "devices", "except_outages_of").fault(
                "an outage is of devices that are Down, and only those that are Up are chosen",
                "write `status: down`, or remove it"
                if path == ("status",)
                else "change where.status, or remove it",
            )


def _check_steps(spot: Spot, sequence: Sequence[ReadStep], table: Table | None) -> None:
    for kind, step, at in sequence:
        request = _request(kind, step, table)
        if request is not None:
            check_proof(at, request, step.get("proof", {}))
        if kind == "operation" and "contact" in step.get("proof", {}):
            spot_at(at, "proof", "contact").fault(
                "contact is about changes of records, and an operation is never proven without one",
                "remove it",
            )
        if kind in ("notify", "escalate") and not _has(spot, "notify"):
            spot_at(at, kind).fault(
                "nobody is told: the playbook names no one",
                "add `notify: {to: [...]}` beside `steps`, with the names of those who are told",
            )
    if sequence and "continue_on" in sequence[-1][1]:
        spot_at(sequence[-1][2], "continue_on").fault(
            "nothing follows this step, so no device could go on", "remove it"
        )
    if sequence and sequence[-1][0] == "done_if":
        spot_at(sequence[-1][2], "done_if").fault(
            "nothing follows this step, so there is nothing that it could spare",
            "put it before the steps that may be needless",
        )


def _request(kind: str, step: Mapping[str, Any], table: Table | None) -> Request | None:
    """Give what a step asks of the controller, as far as it could be read; None for the others."""
    if kind == "operation":
        found: Request | None = step.get("operation")
        return found
    return request_of(kind, step, table) if kind in ACTIONS and kind in step else None


def _check_allowances(spot: Spot, values: Mapping[str, Any], table: Table | None) -> None:
    attempts = values.get("retry", {}).get("attempts", RetryPolicy().attempts)
    used = [
        (_request(kind, step, table), step.get("attempts", attempts), at)
        for sequence in (values.get("steps", ()), values.get("rescue", ()))
        for kind, step, at in sequence
    ]
    seen: set[Operation] = set()
    items = spot.node.items if isinstance(spot.node, composing.Sequence) else ()
    for index, (item, allowance) in enumerate(zip(items, values["per_device"], strict=True)):
        at = spot.item(index, item)
        operation, most = allowance.get("operation"), allowance.get("at_most")
        if operation is None or most is None:
            continue
        if operation in seen:
            spot_at(at, "operation").fault(f"{operation} is limited twice", "keep one of them")
        seen.add(operation)
        needed = max((tries for request, tries, _ in used if request is operation), default=0)
        if not needed and "steps" in values:
            spot_at(at, "operation").fault(
                f"no step of this playbook asks for {operation}", "remove it, or add such a step"
            )
        if needed > most:
            spot_at(at, "at_most").fault(
                f"one run may try {operation} {needed} times with a device, more than the {most}"
                " that are allowed",
                f"write `attempts: {most}` in the step, or allow {needed}",
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


def _check_guard(
    spot: Spot, devices: Mapping[str, Any], steps: Any, guard: Guard, table: Table | None
) -> None:
    """Refuse a playbook whose guard would skip every device that its selection chooses."""
    demanded = _demanded(steps[0], guard, table) if steps else ()
    for path, condition in _chosen(devices):
        for demand in demanded:
            if demand.field == condition.field and contradict(demand.test, condition.test):
                field = condition.field
                if field == "status" and steps[0][0] == "delete" and condition.test == _UP:
                    continue  # it has a fault of its own
                spot_at(spot, "devices", *path).fault(
                    f"every chosen device would be skipped: the selection wants {field}"
                    f" {said(condition.test)}, the guard demands {said(demand.test)}",
                    f"write `guard: {{{field}: any}}` if such devices are meant",
                )


def _demanded(step: ReadStep, guard: Guard, table: Table | None) -> tuple[Condition, ...]:
    kind, values, _ = step
    request = _request(kind, values, table)
    if request is None or request is Action.CREATE:
        return ()
    if request.is_disruptive:
        return guard.disruptive
    if request is Action.DELETE:
        return guard.delete
    if isinstance(request, Operation) or needs_contact(kind, values, table):
        return guard.gentle
    return guard.record


def _chosen(devices: Mapping[str, Any]) -> list[tuple[tuple[str, ...], Condition]]:
    """Give the conditions of a selection on status and fields, each with the path that leads to it."""
    status = _filter_condition(devices, "status")
    chosen: list[tuple[tuple[str, ...], Condition]] = [(("status",), status)] if status else []
    where = _where(devices)
    chosen += [(("where", each.field), each) for found in where.values() for each in found]
    return chosen


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


def contradict(one: Test, other: Test) -> bool:
    """Say whether no value can pass both tests, as far as that is plain to see."""
    if isinstance(one, Equals) and isinstance(other, Equals):
        return {str(v) for v in one.values}.isdisjoint(str(v) for v in other.values)
    if isinstance(one, Missing) or isinstance(other, Missing):
        return one != other
    match one, other:
        case (Below(below), AtLeast(least)) | (AtLeast(least), Below(below)):
            return not order_of(least) < order_of(below)
        case _:
            return {type(one), type(other)} == {NothingPending, SomethingPending}


def said(test: Test) -> str:
    """Say in a few words what a test wants."""
    match test:
        case Below(bound):
            return f"below {bound}"
        case AtLeast(bound):
            return f"at least {bound}"
        case Equals(values):
            return " or ".join(_word(value) for value in values)
        case NothingPending():
            return "none"
        case SomethingPending(names):
            return " or ".join(names) if names else "any"
        case Missing():
            return "missing"
        case _:
            return "something else"


def _word(value: object) -> str:
    return str(value).lower() if isinstance(value, bool | Status) else str(value)
