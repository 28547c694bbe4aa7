"""The operators of a drawn campaign: they interfere at random moments and answer every question."""

import random
from collections.abc import Iterable, Sequence
from heapq import heappop, heappush

from orchestrator.engine.run import Run
from orchestrator.model import events
from orchestrator.model.events import Event
from orchestrator.model.orders import (
    Approve,
    Cancel,
    ChangeLimit,
    Continue,
    Order,
    Pause,
    Person,
)
from orchestrator.model.policies import Approver
from tests.campaigns.drawing import Act

STARTER = Person("rehearsal", "nowhere", "my own run")
ANA = Person("ana", "noc-1", "ticket 12")
BEN = Person("ben", "noc-2")

MAY, MUST_NOT = "may", "must not"
"""Whether an order may be refused, or has to be."""

Wish = tuple[Order, str]
"""An order, and what is known beforehand of its answer."""


class People:
    """Wakes at the moments at which somebody gives an order."""

    def __init__(self, seed: int, acts: Sequence[Act]) -> None:
        self._chance = random.Random(f"people/{seed}")
        self._acts = sorted(acts, key=lambda act: act.at_length)
        self._plans: list[tuple[float, int, str]] = []
        self._order = 0

    @property
    def next_at(self) -> float | None:
        """The next moment at which somebody wants something."""
        return self._plans[0][0] if self._plans else None

    def hear(self, happened: Iterable[Event], length: int) -> None:
        """Make up their minds because of what has happened; the journal is so long by now."""
        for event in happened:
            match event:
                case events.ApprovalAsked():
                    self._soon(event.at, 3.0, 5000.0, f"answer {event.what}")
                    if event.by == Approver.ANOTHER and self._chance.random() < 0.5:
                        self._soon(event.at, 1.0, 3.0, f"cheat {event.what}")
                case events.PauseOrdered():
                    self._soon(event.at, 5.0, 5000.0, "continue")
                case _:
                    pass
            while self._acts and self._acts[0].at_length <= length:
                act = self._acts.pop(0)
                self._at(event.at + act.after, act.what)

    def wishes(self, run: Run, now: float) -> Iterable[Wish]:
        """Give the orders whose time has come."""
        while self._plans and self._plans[0][0] <= now:
            _, _, what = heappop(self._plans)
            wish = self._wish(what, run)
            if wish is not None:
                yield wish

    def _soon(self, at: float, least: float, most: float, what: str) -> None:
        wait = least * (most / least) ** self._chance.random()
        self._at(at + round(wait, 3), what)

    def _at(self, at: float, what: str) -> None:
        self._order += 1
        heappush(self._plans, (at, self._order, what))

    def _wish(self, what: str, run: Run) -> Wish | None:
        kind, _, rest = what.partition(" ")
        match kind:
            case "answer":
                return self._answer(rest, run)
            case "cheat":
                return (Approve(STARTER, rest), MUST_NOT) if rest in run.approvals.open else None
            case "pause":
                return Pause(ANA), MAY
            case "continue":
                return Continue(BEN), MAY
            case "cancel":
                return Cancel(ANA), MAY
            case "abandon":
                return Cancel(BEN, abandon=True), MAY
            case "limit":
                return self._limit(run), MAY
            case _:
                return self._wrong(run), MUST_NOT

    def _answer(self, what: str, run: Run) -> Wish | None:
        if what not in run.approvals.open:
            return None
        named = what if len(run.approvals.open) > 1 or self._chance.random() < 0.5 else None
        return Approve(ANA, named, granted=self._chance.random() < 0.88), MAY

    def _limit(self, run: Run) -> Order:
        plan = run.plan.limits
        kind = self._chance.choice(("max_down", "in_flight", "delay", "per"))
        if kind == "delay":
            value = plan.delay + self._chance.choice((0.0, 0.5, 3.0, 20.0))
            return ChangeLimit(ANA, "delay", value)
        if kind == "per" and plan.max_down_per:
            limit = self._chance.choice(plan.max_down_per)
            name = "max_down_per." + ",".join(limit.fields)
            return ChangeLimit(BEN, name, self._chance.randint(1, limit.at_most))
        name = "in_flight" if kind == "in_flight" else "max_down"
        return ChangeLimit(BEN, name, self._chance.randint(1, getattr(plan, name)))

    def _wrong(self, run: Run) -> Order:
        plan = run.plan.limits
        wrong: list[Order] = [
            ChangeLimit(ANA, "max_down", plan.max_down + 1),
            ChangeLimit(ANA, "max_down", 0),
            ChangeLimit(ANA, "in_flight", plan.in_flight + 5),
            ChangeLimit(ANA, "in_flight", 0.5),
            ChangeLimit(ANA, "max_up", 3),
            ChangeLimit(ANA, "max_down_per.nothing", 1),
            ChangeLimit(ANA, "max_down", run.limits.max_down),
            Approve(ANA, "wave 99"),
            Approve(ANA, "lunch", granted=False),
        ]
        if plan.delay:
            wrong.append(ChangeLimit(ANA, "delay", plan.delay / 2))
        if run.pause is None:
            wrong.append(Continue(ANA))
        else:
            wrong.append(Pause(ANA))
        if run.stopped is not None:
            wrong += [Pause(ANA), Continue(ANA)]
        return self._chance.choice(wrong)
