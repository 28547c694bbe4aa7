"""Read a whole playbook: text in, model out, or every fault of the file at once."""

from collections.abc import Callable, Mapping
from typing import Any

from orchestrator.model.playbooks import Playbook, PlaybookSource
from orchestrator.model.policies import (
    Allowance,
    BetweenWaves,
    Budget,
    Depth,
    Guard,
    Notify,
    RequestLimits,
    RetryPolicy,
    Rollout,
)
from orchestrator.model.selections import Condition, Expectation, Selection
from orchestrator.model.steps import (
    ApproveStep,
    CheckStep,
    DoneStep,
    EscalateStep,
    NotifyStep,
    OperationStep,
    SleepStep,
    Step,
)
from orchestrator.model.values import Table
from orchestrator.playbook.checking import check
from orchestrator.playbook.composing import compose
from orchestrator.playbook.conditions import Demands
from orchestrator.playbook.faults import Faults, Place
from orchestrator.playbook.language import PLAYBOOK
from orchestrator.playbook.rollouts import DEFAULT_AFTER
from orchestrator.playbook.shapes import INVALID, Spot, spot_at
from orchestrator.playbook.steps.proofs import proof_of
from orchestrator.playbook.steps.records import record_step
from orchestrator.playbook.tables.tables import DEFAULT_KEY, path_beside, read_table
from orchestrator.playbook.variables import substitute
from orchestrator.playbook.windows import window_of


def read_playbook(source: PlaybookSource) -> Playbook:
    """Read a playbook from everything that it was made of; touches no file.

    Raises PlaybookError with all faults of the text.
    """

    def files(name: str) -> str:
        if name not in source.files:
            raise FileNotFoundError(f"the file {name!r} is not kept with the playbook")
        return source.files[name]

    return read_text(source.path, source.text, source.variables, files)


def read_text(
    path: str, text: str, variables: Mapping[str, str], files: Callable[[str], str]
) -> Playbook:
    """Read a playbook whose files come from a function that raises OSError with one clear sentence.

    Raises PlaybookError with all faults of the text.
    """
    text = text.removeprefix("\ufeff")
    faults = Faults(path, text)
    root = compose(text, faults)
    if root is None:
        faults.raise_if_any()
    else:
        root = substitute(root, variables, faults)
        spot = Spot(root, "", Place(1, 1), faults, files)
        values = PLAYBOOK.read(spot)
        if values is not INVALID:
            demands = values.get("guard", Demands({}, {}))
            guard = _guard(demands)
            table = _table(spot, values.get("devices", {}))
            check(spot, values, guard, table)
            faults.raise_if_any()
            return _playbook(values, guard, table)
    faults.raise_if_any()
    raise AssertionError("an unreadable playbook has a fault")  # pragma: no cover


def _table(spot: Spot, devices: Mapping[str, Any]) -> Table | None:
    """Read the table beside the playbook; None when there is none, or it cannot be used."""
    if "with" not in devices:
        return None
    at = spot_at(spot, "devices", "with")
    name = devices["with"]
    try:
        text = spot.files(name)
    except OSError as error:
        at.fault(str(error))
        return None
    path = path_beside(spot.faults.path, name)
    key = devices.get("key", DEFAULT_KEY)
    table, found = read_table(name, text, key, path=path, fault_key=at.key)
    for fault in found:
        spot.faults.add_elsewhere(fault)
    return table


def _guard(demands: Demands) -> Guard:
    """Lay the playbook's demands over the defaults, field by field."""
    given = demands.conditions

    def over(defaults: tuple[Condition, ...]) -> tuple[Condition, ...]:
        kept = tuple(condition for condition in defaults if condition.field not in given)
        return kept + tuple(condition for found in given.values() for condition in found)

    default = Guard()
    return Guard(
        disruptive=over(default.disruptive),
        gentle=over(default.gentle),
        record=over(default.record),
        delete=over(default.delete),
        fresh_within=demands.others.get("fresh_within", default.fresh_within),
    )


def _playbook(values: Mapping[str, Any], guard: Guard, table: Table | None) -> Playbook:
    retry = RetryPolicy(**values.get("retry", {}))
    return Playbook(
        name=values["playbook"],
        description=values.get("description", "").strip(),
        selection=_selection(values["devices"]),
        steps=tuple(_step(kind, step, retry, table) for kind, step, _ in values["steps"]),
        guard=guard,
        rollout=_rollout(values.get("rollout", {})),
        requests=RequestLimits(**values.get("requests", {})),
        retry=retry,
        rescue=tuple(_step(kind, step, retry, table) for kind, step, _ in values.get("rescue", ())),
        window=window_of(values["window"]) if "window" in values else None,
        notify=Notify(**values["notify"]) if "notify" in values else None,
        table=table,
        allowances=tuple(Allowance(**each) for each in values.get("per_device", ())),
        snapshots=values.get("snapshots", Depth.FULL),
    )


def _rollout(rollout: Mapping[str, Any]) -> Rollout:
    stop_when = rollout.get("stop_when", {})
    if "failure_rate" in stop_when:
        stop_when = {"after": DEFAULT_AFTER, **stop_when}
    parts = {
        "between_waves": BetweenWaves(**rollout.get("between_waves", {})),
        "stop_when": Budget(**stop_when),
    }
    return Rollout(**{**rollout, **parts})


def _selection(devices: Mapping[str, Any]) -> Selection:
    where: Mapping[str, tuple[Condition, ...]] = (
        devices["where"].conditions if "where" in devices else {}
    )
    return Selection(
        organizations=devices.get("organization", ()),
        types=devices.get("type", ()),
        status=devices.get("status"),
        last_status_change_from=devices.get("last_status_change_from"),
        where=tuple(condition for found in where.values() for condition in found),
        include=devices.get("include", frozenset()),
        exclude=devices.get("exclude", frozenset()),
        except_outages_of=devices.get("except_outages_of", ()),
        expect=Expectation(**devices.get("expect", {})),
        order_by=devices.get("order_by", Selection().order_by),
        limit=devices.get("limit"),
        everything=devices.get("all", False),
    )


def _step(kind: str, step: Mapping[str, Any], retry: RetryPolicy, table: Table | None) -> Step:
    match kind:
        case "sleep":
            return SleepStep(step["sleep"])
        case "approve":
            return ApproveStep(**step["approve"])
        case "notify":
            return NotifyStep(step["notify"])
        case "escalate":
            return EscalateStep(step["escalate"])
        case "check":
            return CheckStep(
                _conditions(step["check"]),
                step.get("within", 0.0),
                step.get("continue_on", ()),
                step.get("refresh", False),
            )
        case "done_if":
            return DoneStep(_conditions(step["done_if"]), step.get("refresh", False))
        case "operation":
            return OperationStep(
                operation=step["operation"],
                proof=proof_of(step["operation"], step.get("proof", {})),
                attempts=step.get("attempts", retry.attempts),
                continue_on=step.get("continue_on", ()),
            )
        case _:
            return record_step(kind, step, retry, table)


def _conditions(demands: Demands) -> tuple[Condition, ...]:
    return tuple(condition for found in demands.conditions.values() for condition in found)
