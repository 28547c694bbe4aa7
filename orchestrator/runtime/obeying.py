"""Orders: what is told to whoever gave one, and how a run obeys one while nobody drives it."""

from collections.abc import Awaitable, Callable, Sequence

from orchestrator.engine.run import Run, resuming
from orchestrator.model import durations
from orchestrator.model.commands import SendNotice, SendOperation
from orchestrator.model.events import (
    ApprovalDenied,
    ApprovalGiven,
    CancelOrdered,
    ContinueOrdered,
    Event,
    LimitOrdered,
    PauseOrdered,
    RunInterrupted,
)
from orchestrator.model.orders import (
    Approve,
    Ask,
    Cancel,
    ChangeLimit,
    Continue,
    Order,
    OrderRefusedError,
    Pause,
)
from orchestrator.ports import Journal

_VERBS = {
    Pause: "pause",
    Continue: "continue",
    Cancel: "cancel",
    Approve: "approve",
    ChangeLimit: "limit",
    Ask: "explain",
}


def told_of(happened: Sequence[Event]) -> str:
    """Say in one sentence, without a full stop, what an order has done and what that means."""
    for event in happened:
        told = _told_of(event)
        if told:
            return told
    return "it is recorded"


def _told_of(event: Event) -> str:
    match event:
        case PauseOrdered():
            return (
                "the run is paused; nothing new is started, waits go on, and devices in the middle"
                " of their chain are finished"
            )
        case ContinueOrdered():
            return "the run goes on"
        case CancelOrdered(abandon=True):
            return (
                "the run is cancelled; nothing more is sent, and devices in the middle of their"
                " chain are left as they are"
            )
        case CancelOrdered():
            return (
                "the run is cancelled; nothing new is started any more, and devices in the middle"
                " of their chain are finished"
            )
        case ApprovalGiven(what=what):
            return f"{what} is approved"
        case ApprovalDenied(what=what):
            return (
                f"{what} is denied, which stops the run; devices in the middle of their chain are"
                " finished"
            )
        case LimitOrdered(limit=limit, value=value, before=before):
            return f"{limit} is {_as_text(limit, value)} now; it was {_as_text(limit, before)}"
        case _:
            return ""


def _as_text(limit: str, value: float) -> str:
    return durations.as_text(value) if limit == "delay" else f"{value:g}"


def is_too_late(order: Order | Ask, run: str = "the run") -> str:
    """Say that a finished run takes no orders."""
    return f"{run} is finished; there is nothing to {_VERBS[type(order)]}"


def how_it_stands(run: Run) -> str:
    """Say what becomes of an order that was recorded while nobody drives the run."""
    if run.finished_at is not None:
        return "nothing was under way, so the run is finished"
    if run.stopped is None:
        return "nobody drives the run now, so this holds when it is resumed"
    left = len(run.plan.devices) - run.ended
    devices = "1 device has" if left == 1 else f"{left:,} devices have"
    told = f"nobody drives the run now, and {devices} no verdict yet: resume it to"
    if run.is_abandoned:
        return f"{told} see what became of what was sent"
    return f"{told} finish them, or cancel it with --abandon to leave them as they are"


async def obey_undriven(
    run: Run,
    order: Order,
    *,
    journal: Journal,
    now: float,
    chance: Callable[[], float],
    torn_bytes: int = 0,
) -> list[Event]:
    """Take a run over, record what an order does, and leave the run again; nothing is performed.

    To be called under the run's lock. A cancelled run in which no device is in the middle of
    anything is finished by this. Gives all that was recorded. Raises OrderRefusedError before
    anything is recorded, JournalError when something cannot be.
    """
    now = round(max(now, run.last_at), 6)
    if run.finished_at is not None:
        raise OrderRefusedError(is_too_late(order))
    run.obey(order, now)
    left = run.interrupted or RunInterrupted(now, "the process that drove it ended without a word")
    recorded: list[Event] = []

    async def record(happened: Sequence[Event]) -> None:
        await journal.append(happened)
        for event in happened:
            run.after(event)
        recorded.extend(happened)

    person = order.person
    await record(resuming(run, now, by=person.name, host=person.host, torn_bytes=torn_bytes))
    await record(run.obey(order, now))
    if isinstance(order, Cancel):
        await _come_to_rest(run, now, chance, record)
    if run.finished_at is None:
        await record([RunInterrupted(max(now, run.last_at), left.reason, left.cause)])
    return recorded


async def _come_to_rest(
    run: Run,
    now: float,
    chance: Callable[[], float],
    record: Callable[[Sequence[Event]], Awaitable[None]],
) -> None:
    """Let the brain conclude all that needs no controller; it is asked for nothing that acts."""
    while not run.is_over:
        decision = run.decide(now, chance)
        acts = any(isinstance(each, SendOperation | SendNotice) for each in decision.commands)
        if acts or not decision.events:
            return
        await record(decision.events)
