"""What follows from a person's order: events to be recorded, or one sentence why not.

Nothing is changed here; whoever gave the order, when and why stands in the events.
"""

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from orchestrator.model import durations, events, moments
from orchestrator.model.events import Event
from orchestrator.model.orders import (
    Approve,
    Cancel,
    ChangeLimit,
    Continue,
    Order,
    OrderRefusedError,
    Pause,
    Person,
)
from orchestrator.model.plans import Limits
from orchestrator.model.policies import Approver, GroupLimit

if TYPE_CHECKING:
    from orchestrator.engine.run import Run

PER = "max_down_per."
COUNTS = ("max_down", "in_flight")


def obey(run: "Run", order: Order, at: float) -> list[Event]:
    """Give what is to be recorded; raises OrderRefusedError in one sentence."""
    if run.finished_at is not None:
        when = moments.as_short_text(run.finished_at)
        raise OrderRefusedError(
            f"the run is finished since {when}; there is nothing to {_verb(order)}"
        )
    match order:
        case Pause(person):
            return _pause(run, person, at)
        case Continue(person):
            return _continue(run, person, at)
        case Cancel(person, abandon):
            return _cancel(run, person, at, abandon=abandon)
        case Approve(person, what, granted):
            return _approve(run, person, at, what, granted=granted)
        case ChangeLimit(person, limit, value):
            return [_change(run, person, at, limit, value)]


def _verb(order: Order) -> str:
    match order:
        case Approve(granted=False):
            return "deny"
        case ChangeLimit():
            return "limit"
        case _:
            return type(order).__name__.lower()


def _pause(run: "Run", person: Person, at: float) -> list[Event]:
    _refuse_if_stopped(run, "it starts nothing any more, so there is nothing to pause")
    if run.pause is not None:
        when = moments.as_short_text(run.pause.at)
        raise OrderRefusedError(f"the run is paused already, by {run.pause.by} since {when}")
    return [events.PauseOrdered(at, person.name, person.host, person.why)]


def _continue(run: "Run", person: Person, at: float) -> list[Event]:
    _refuse_if_stopped(run, "a stopped run is never continued; make a new one")
    if run.pause is None:
        if run.approvals.open:
            what = ", ".join(run.approvals.open)
            raise OrderRefusedError(f"nobody paused the run: it waits for an approval of {what}")
        if run.is_paused:
            raise OrderRefusedError(
                "nobody paused the run: it waits for the controller and goes on by itself"
            )
        raise OrderRefusedError("the run is not paused")
    return [events.ContinueOrdered(at, person.name, person.host, person.why)]


def _refuse_if_stopped(run: "Run", then: str) -> None:
    if run.stopped is not None:
        raise OrderRefusedError(f"the run was stopped ({run.stopped.detail}); {then}")


def _cancel(run: "Run", person: Person, at: float, *, abandon: bool) -> list[Event]:
    if run.stopped is not None and (run.is_abandoned or not abandon):
        underway = run.waits.underway
        left = "nothing is under way"
        if underway:
            left = f"{underway} device{'s are' if underway > 1 else ' is'} finished still"
        raise OrderRefusedError(f"the run was stopped already ({run.stopped.detail}); {left}")
    order = events.CancelOrdered(at, person.name, person.host, person.why, abandon)
    if run.stopped is not None:
        return [order]
    because = f": {person.why}" if person.why else ""
    return [order, events.RunStopped(at, "person", f"{person.name} cancelled it{because}")]


def _approve(
    run: "Run", person: Person, at: float, what: str | None, *, granted: bool
) -> list[Event]:
    asked = _question(run, what)
    if asked.by == Approver.ANOTHER and person.name == run.started_by:
        raise OrderRefusedError(
            f"{asked.what} has to be answered by another person than {run.started_by},"
            " who started the run"
        )
    if granted:
        return [events.ApprovalGiven(at, asked.what, person.name, person.host, person.why)]
    denied = events.ApprovalDenied(at, asked.what, person.name, person.host, person.why)
    because = f": {person.why}" if person.why else ""
    return [
        denied,
        events.RunStopped(at, "denied", f"{person.name} did not approve {asked.what}{because}"),
    ]


def _question(run: "Run", what: str | None) -> events.ApprovalAsked:
    asked = run.approvals.open
    if not asked:
        raise OrderRefusedError("the run asks nothing now, so there is nothing to answer")
    names = ", ".join(asked)
    if what is None and len(asked) > 1:
        raise OrderRefusedError(f"the run asks more than one thing; name one of them: {names}")
    name = next(iter(asked)) if what is None else " ".join(what.lower().split())
    if name not in asked:
        raise OrderRefusedError(f"the run does not ask about {what!r} now; it asks about {names}")
    return asked[name]


def _change(run: "Run", person: Person, at: float, limit: str, value: float) -> Event:
    plan = run.plan.limits
    before, planned = _numbers(run.limits, limit), _numbers(plan, limit)
    if before is None or planned is None:
        names = ", ".join((*COUNTS, "delay", *(PER + each.title for each in plan.max_down_per)))
        raise OrderRefusedError(
            f"there is no limit {limit!r} to change in this run; there are {names}"
        )
    if not math.isfinite(value):
        raise OrderRefusedError(f"{limit} has to be a number, not {value:g}")
    if limit == "delay":
        if value < planned:
            raise OrderRefusedError(
                f"delay {_told(limit, value)} is shorter than the plan's {_told(limit, planned)};"
                " a run never goes beyond its plan"
            )
    elif value != int(value) or value < 1:
        hint = "; to start nothing at all, pause the run" if value == 0 else ""
        raise OrderRefusedError(f"{limit} is a whole number from 1 on, not {value:g}{hint}")
    elif value > planned:
        raise OrderRefusedError(
            f"{limit} {value:g} is above the plan's {planned:g}; a run never goes beyond its plan"
        )
    if value == before:
        raise OrderRefusedError(f"{limit} is {_told(limit, value)} already")
    return events.LimitOrdered(at, person.name, person.host, limit, value, before, person.why)


def _told(limit: str, value: float) -> str:
    return durations.as_text(value) if limit == "delay" else f"{value:g}"


def _numbers(limits: Limits, limit: str) -> float | None:
    if limit in (*COUNTS, "delay"):
        return float(getattr(limits, limit))
    number = group_limit(limits, limit)
    return None if number is None else float(limits.max_down_per[number].at_most)


def group_limit(limits: Limits, limit: str) -> int | None:
    """Give which of the limits `max_down_per` is meant; None when it is none of them."""
    wanted = [part.strip() for part in limit.removeprefix(PER).split(",")]
    for number, each in enumerate(limits.max_down_per):
        if limit.startswith(PER) and list(each.fields) == wanted:
            return number
    return None


def changed(limits: Limits, event: events.LimitOrdered) -> Limits:
    """Give the limits as they are after a person changed one."""
    if event.limit == "delay":
        return replace(limits, delay=event.value)
    if event.limit == "max_down":
        return replace(limits, max_down=int(event.value))
    if event.limit == "in_flight":
        return replace(limits, in_flight=int(event.value))
    number = group_limit(limits, event.limit)
    groups = list(limits.max_down_per)
    if number is not None:
        groups[number] = GroupLimit(groups[number].fields, int(event.value))
    return replace(limits, max_down_per=tuple(groups))
