"""Requests intended ahead of their place in flight leave only while they are still wanted."""

from dataclasses import replace

import anyio
import pytest

from orchestrator.adapters.memory.memory_orders import MemoryOrders
from orchestrator.adapters.simulated.simulated_controller import SimulatedController
from orchestrator.engine.run import replayed, resuming
from orchestrator.model import events
from orchestrator.model.answers import Refusal, Refused
from orchestrator.model.orders import ChangeLimit, Pause, Person
from orchestrator.model.policies import Budget, RequestLimits
from orchestrator.runtime.driving import Drive
from tests.support.virtual import Campaign, LoopClock, fleet_ids, operation, plan_for
from tests.support.worlds import FIRST, START, world

pytestmark = pytest.mark.looptime

ALICE = Person("alice", "ops-1", "too many calls")
SECONDS = 0.05
"""What an answer takes at least: quick enough for intentions to be made ahead."""


class Counted(SimulatedController):
    """Answers at once after a while, and knows when which request left and with how many others."""

    def __init__(self, of, clock, answers=None):
        super().__init__(of, clock)
        self.clock = clock
        self.answers = answers or {}
        self.on_wire = 0
        self.asked = set()
        """Devices whose request is on the wire: never two of one device at a time."""
        self.sent = []
        """When each request left, for which device, and how many were on the wire with it."""

    async def start_operation(self, device, which, *, intended):
        assert device not in self.asked
        self.asked.add(device)
        self.on_wire += 1
        self.sent.append((self.clock.now() - START, device, self.on_wire))
        answer = self.answers.get(device)
        if answer is None:
            answer = await super().start_operation(device, which, intended=intended)
        try:
            await self.clock.sleep(SECONDS + device % 7 * 0.003)
        finally:
            self.on_wire -= 1
            self.asked.discard(device)
        return answer


def campaign_of(count, *, in_flight, which="sync", answers=None, budget=None):
    requests = RequestLimits(delay=0.0, in_flight=in_flight, per_second=None)
    plan = plan_for(fleet_ids(count), operation(which, 2), max_down=100, requests=requests)
    if budget is not None:
        loosely = replace(plan.playbook, rollout=replace(plan.playbook.rollout, strict=False))
        plan = replace(plan, playbook=loosely, limits=replace(plan.limits, budget=budget))
    clock, orders, of = LoopClock(), MemoryOrders(), world(count)
    controller = Counted(of, clock, answers)
    campaign = Campaign(plan, of, clock=clock, controller=controller, orders=orders)
    return campaign, controller, orders


def first(campaign, kind):
    return next(each.at - START for each in campaign.journal.read() if isinstance(each, kind))


def intended_at_once(campaign):
    """Give the most intentions that were without an answer at a time."""
    open_, most = 0, 0
    for event in campaign.journal.read():
        open_ += isinstance(event, events.OperationIntended)
        open_ -= isinstance(event, _ANSWERS)
        most = max(most, open_)
    return most


_ANSWERS = (
    events.OperationAccepted,
    events.OperationRefused,
    events.OperationLost,
    events.OperationUnsent,
)


async def test_intentions_are_made_ahead_and_never_more_requests_are_in_flight_than_allowed():
    campaign, controller, _ = campaign_of(60, in_flight=4)

    await campaign.to_the_end()

    assert campaign.verdicts == {"succeeded": 60}
    assert max(together for _, _, together in controller.sent) == 4
    assert 4 < intended_at_once(campaign) <= 8


async def test_after_an_order_of_fewer_in_flight_no_more_than_these_leave_together():
    campaign, controller, orders = campaign_of(200, in_flight=8)

    async def give():
        await anyio.sleep(0.4)
        orders.place(ChangeLimit(ALICE, "in_flight", 1))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(give)
        await campaign.to_the_end()

    ordered_at = first(campaign, events.LimitOrdered)
    behind = [together for at, _, together in controller.sent if at > ordered_at]
    assert behind
    assert max(behind) == 1
    assert campaign.verdicts == {"succeeded": 200}


@pytest.mark.parametrize(("limit", "value"), [("max_down", 1), ("delay", 3.0)])
async def test_what_was_intended_before_a_tighter_limit_is_decided_anew(limit, value):
    campaign, controller, orders = campaign_of(90, in_flight=8, which="reboot")

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(campaign.to_the_end)
        await anyio.sleep(0.4)
        orders.place(ChangeLimit(ALICE, limit, value))
        await anyio.sleep(2)
        campaign.drive.interrupt("over")

    ordered_at = first(campaign, events.LimitOrdered)
    assert 0 < len(controller.sent) < 90
    assert not [at for at, _, _ in controller.sent if at > ordered_at]


async def test_after_a_pause_nothing_that_waited_for_its_place_leaves():
    campaign, controller, orders = campaign_of(200, in_flight=8)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(campaign.to_the_end)
        await anyio.sleep(0.4)
        orders.place(Pause(ALICE))
        await anyio.sleep(60)
        paused_at = first(campaign, events.PauseOrdered)
        assert not [at for at, _, _ in controller.sent if at > paused_at]
        campaign.drive.interrupt("over")


async def test_a_refusal_for_load_is_heeded_by_what_waited_for_its_place():
    busy = Refused(Refusal.BUSY, 429, "too many requests", retry_after=30.0)
    campaign, controller, _ = campaign_of(60, in_flight=4, answers={FIRST + 21: busy})

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(campaign.to_the_end)
        await anyio.sleep(20)
        campaign.drive.interrupt("over")

    refused_at = first(campaign, events.OperationRefused)
    assert not [device for at, device, _ in controller.sent if at > refused_at]


async def test_a_failure_beyond_the_budget_is_the_last_request():
    rejected = Refused(Refusal.REJECTED, 400, "unknown operation")
    campaign, controller, _ = campaign_of(
        60, in_flight=1, answers={FIRST + 20: rejected}, budget=Budget(failed=0)
    )

    await campaign.to_the_end()

    assert controller.sent[-1][1] == FIRST + 20
    assert campaign.verdicts == {"succeeded": 20, "failed": 1, "not_started": 39}


async def test_an_interrupted_drive_sends_nothing_more_and_nothing_is_lost():
    campaign, controller, _ = campaign_of(200, in_flight=8)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(campaign.to_the_end)
        await anyio.sleep(0.42)
        campaign.drive.interrupt("somebody pressed Ctrl-C")
        asked_at = campaign.clock.now() - START

    history = list(campaign.journal.read())
    assert not [at for at, _, _ in controller.sent if at > asked_at]
    assert isinstance(history[-1], events.RunInterrupted)
    assert replayed(campaign.plan, history).admissions.in_flight == 0
    sent = [device for _, device, _ in controller.sent]
    accepted = [each.device for each in history if isinstance(each, events.OperationAccepted)]
    assert sorted(sent) == sorted(accepted)


async def test_a_killed_drive_is_taken_up_again_with_nothing_lost_of_what_was_intended_ahead():
    campaign, controller, _ = campaign_of(200, in_flight=8)
    with anyio.move_on_after(0.42):
        await campaign.to_the_end()
    left = replayed(campaign.plan, campaign.journal.read())
    unanswered = left.admissions.in_flight

    drive = Drive(
        left,
        journal=campaign.journal,
        controller=controller,
        clock=campaign.clock,
        chance=lambda: 0.5,
    )
    await drive.record(resuming(left, campaign.clock.now(), by="bob", host="ops-1"))
    await drive.to_the_end()

    assert 8 < unanswered <= 16
    assert left.verdicts.total() == left.verdicts["succeeded"] == 200
    assert max(together for _, _, together in controller.sent) == 8


@pytest.mark.parametrize("refusal", [Refusal.BUSY, Refusal.FORBIDDEN, Refusal.STATE])
async def test_many_refusals_neither_stop_the_run_nor_fill_its_journal(refusal):
    refused = Refused(refusal, 400, "not now")
    answers = dict.fromkeys(range(FIRST, FIRST + 60, 7), refused)
    campaign, controller, _ = campaign_of(60, in_flight=4, answers=answers)

    with anyio.move_on_after(4 * 3600):
        await campaign.to_the_end()

    assert campaign.run.verdicts["succeeded"] == 60 - len(answers)
    assert max(together for _, _, together in controller.sent) <= 4
    unsent = [each for each in campaign.journal.read() if type(each) is events.OperationUnsent]
    assert len(unsent) <= len(controller.sent)
