"""What the hands do with devices that other runs hold, with censuses and with notices."""

import anyio
import pytest

from orchestrator.adapters.memory.memory_leases import MemoryLeases, MemoryLeaseTable
from orchestrator.adapters.memory.memory_messenger import MemoryMessenger
from orchestrator.model import events
from orchestrator.model.commands import (
    HoldDevices,
    ReadDevices,
    ReleaseDevices,
    SendNotice,
    TakeCensus,
)
from orchestrator.model.policies import GroupLimit, Notify, Occasion
from orchestrator.model.readings import Census, DevicesHeld
from orchestrator.model.steps import NotifyStep
from orchestrator.runtime.driving import LAST_WORDS
from orchestrator.runtime.inbox import Inbox
from orchestrator.runtime.performing import Performer
from tests.support.virtual import Campaign, LoopClock, fleet_ids, operation, plan_for
from tests.support.worlds import START, world

pytestmark = pytest.mark.looptime

URL = "https://control.test/api/v1"


class Hands:
    """A performer without a run, and what it puts into the inbox."""

    def __init__(self, leases=None):
        self.clock = LoopClock()
        self.inbox = Inbox(self.clock)
        self.notices = []
        campaign = Campaign(plan_for(fleet_ids(4)), world(4))
        self.performer = Performer(
            campaign.plan,
            campaign.drive._performer._controller,
            self.clock,
            self.inbox,
            page_size=2,
            leases=leases,
            notice=self.notices.append,
        )


@pytest.fixture
def table():
    return MemoryLeaseTable(lambda: START)


async def test_devices_are_held_at_once_and_those_of_others_named(table):
    theirs, ours = MemoryLeases(table, URL, "night-2"), MemoryLeases(table, URL, "night-1")
    theirs.hold(1002)
    hands = Hands(ours)

    hands.performer.perform([HoldDevices((1001, 1002, 1003))])

    [held] = hands.inbox.take()
    assert held == DevicesHeld(START, (1001, 1003), ((1002, str(theirs)),), alone=False)


async def test_released_devices_are_free_for_others(table):
    ours, theirs = MemoryLeases(table, URL, "night-1"), MemoryLeases(table, URL, "night-2")
    hands = Hands(ours)
    hands.performer.perform([HoldDevices((1001, 1002)), ReleaseDevices((1001,))])

    assert theirs.hold(1001) is None
    assert theirs.hold(1002) == str(ours)


async def test_without_leases_every_device_is_ours_alone():
    hands = Hands()

    hands.performer.perform([HoldDevices((1001,)), ReleaseDevices((1001,))])

    assert hands.inbox.take() == [DevicesHeld(START, (1001,), (), alone=True)]


async def test_a_census_comes_into_the_inbox():
    hands = Hands()

    async with anyio.create_task_group() as tasks:
        hands.performer.start(tasks)
        hands.performer.perform([TakeCensus()])
        await anyio.sleep(5)
        tasks.cancel_scope.cancel()

    [census] = hands.inbox.take()
    assert isinstance(census, Census)
    assert census.devices == ()


async def test_a_notice_is_handed_on():
    hands = Hands()
    notice = SendNotice(1001, 0, "come and look")

    hands.performer.perform([notice])

    assert hands.notices == [notice]


async def test_two_runs_never_hold_one_device_and_the_second_waits_for_the_first(table):
    one_world = world(3)
    steps = (operation("reboot"),)
    first, second = (
        Campaign(plan_for(fleet_ids(3), *steps), one_world, leases=MemoryLeases(table, URL, name))
        for name in ("night-1", "night-2")
    )

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(first.to_the_end)
        await anyio.sleep(1)
        tasks.start_soon(second.to_the_end)

    assert first.verdicts == {"succeeded": 3}
    assert sum(second.verdicts.values()) == 3
    assert not one_world.settled_ledger(START).overlapping_operations()
    assert not table.held


async def test_a_limit_per_group_counts_what_is_down_already():
    plan = plan_for(
        fleet_ids(6),
        operation("reboot"),
        max_down=6,
        max_down_per=(GroupLimit(("location_name",), 1),),
    )

    campaign = await Campaign(plan, world(6)).to_the_end()

    assert campaign.verdicts == {"succeeded": 6}
    assert campaign.world.settled_ledger(campaign.clock.now()).peak_out_of_service() == 1


NOTIFY = Notify(("noc",), (Occasion.STARTED, Occasion.FINISHED))


def told_in(campaign):
    return [
        (type(event).__name__, event.about)
        for event in campaign.journal.read()
        if isinstance(event, events.NotificationSent | events.NotificationFailed)
    ]


async def test_people_are_told_and_it_is_recorded_also_of_the_end():
    messenger = MemoryMessenger(["noc"])
    plan = plan_for(fleet_ids(2), operation("reboot"), notify=NOTIFY)

    campaign = await Campaign(plan, world(2), messenger=messenger).to_the_end()

    assert told_in(campaign) == [("NotificationSent", "started"), ("NotificationSent", "finished")]
    assert [type(event) for event in campaign.journal.read()][-2:] == [
        events.RunFinished,
        events.NotificationSent,
    ]
    assert len(messenger.sent) == 2


async def test_a_step_can_tell_people():
    messenger = MemoryMessenger(["noc"])
    plan = plan_for(
        fleet_ids(3), NotifyStep("come and look"), operation("reboot"), notify=Notify(("noc",), ())
    )

    campaign = await Campaign(plan, world(3), messenger=messenger).to_the_end()

    assert campaign.verdicts == {"succeeded": 3}
    assert "come and look" in messenger.sent[0].body


async def test_somebody_who_is_never_reached_holds_the_end_up_for_a_moment_and_fails_nothing():
    class Deaf:
        async def send(self, to, title, body):
            await anyio.sleep_forever()

    plan = plan_for(fleet_ids(1), operation("reboot"), notify=NOTIFY)

    campaign = await Campaign(plan, world(1), messenger=Deaf()).to_the_end()

    assert campaign.verdicts == {"succeeded": 1}
    assert campaign.clock.now() - campaign.run.finished_at == pytest.approx(LAST_WORDS, abs=0.1)
    assert ("NotificationFailed", "finished") in told_in(campaign)


async def test_what_is_asked_for_while_a_round_is_read_becomes_one_round():
    hands, rounds = Hands(), []

    async def read(due):
        rounds.append(due)
        await anyio.sleep(1)
        return []

    hands.performer._watcher.read = read
    async with anyio.create_task_group() as tasks:
        hands.performer.start(tasks)
        hands.performer.perform([ReadDevices((1001,))])
        await anyio.sleep(0.5)
        hands.performer.perform([ReadDevices((1002,)), ReadDevices((1003, 1002))])
        await anyio.sleep(5)
        tasks.cancel_scope.cancel()

    assert rounds == [(1001,), (1002, 1003)]
