"""Orders: obeyed by the process that drives the run, or recorded for the one that will."""

import anyio
import pytest

from orchestrator.adapters.memory.memory_journal import MemoryJournal
from orchestrator.adapters.memory.memory_orders import MemoryOrders
from orchestrator.engine.run import replayed
from orchestrator.engine.walking.deciding import Decision
from orchestrator.model import events
from orchestrator.model.commands import SendNotice
from orchestrator.model.devices import DeviceId
from orchestrator.model.errors import JournalError
from orchestrator.model.orders import (
    Approve,
    Ask,
    Cancel,
    ChangeLimit,
    Continue,
    OrderRefusedError,
    Pause,
    Person,
)
from orchestrator.model.policies import Notify, Occasion
from orchestrator.runtime import obeying as obeying_module
from orchestrator.runtime.obeying import how_it_stands, is_too_late, obey_undriven, told_of
from tests.support.virtual import Campaign, fleet_ids, operation, plan_for
from tests.support.worlds import START, world

ALICE = Person("alice", "ops-1", "too many calls")
WHERE = ("alice", "ops-1", "too many calls")


def campaign_of(count, *steps, **changes):
    orders = MemoryOrders()
    plan = plan_for(fleet_ids(count), *(steps or (operation("reboot"),)), **changes)
    return Campaign(plan, world(count), orders=orders), orders


def times_of(campaign, kind):
    return [event.at - START for event in campaign.journal.read() if isinstance(event, kind)]


class TestDriven:
    """By the loop, in virtual time."""

    pytestmark = pytest.mark.looptime

    async def test_a_paused_run_starts_nothing_until_it_is_continued(self):
        campaign, orders = campaign_of(6, max_down=1)

        async def give():
            await anyio.sleep(30)
            paused = orders.place(Pause(ALICE))
            await anyio.sleep(3600)
            assert paused.told.startswith("the run is paused; nothing new is started")
            assert orders.place(Continue(ALICE)) is not None

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(give)
            await campaign.to_the_end()

        sent = times_of(campaign, events.OperationIntended)
        assert campaign.verdicts == {"succeeded": 6}
        assert not [at for at in sent if 31 < at < 3630]
        assert [at for at in sent if at < 31]
        assert [at for at in sent if at > 3630]

    async def test_an_order_is_obeyed_within_a_second_however_long_the_run_waits(self):
        campaign, orders = campaign_of(2, max_down=1)

        async def give():
            await anyio.sleep(40)
            orders.place(Pause(ALICE))
            orders.place(Continue(ALICE))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(give)
            await campaign.to_the_end()

        [paused] = times_of(campaign, events.PauseOrdered)
        [continued] = times_of(campaign, events.ContinueOrdered)
        assert 40 <= paused <= continued < 41

    async def test_the_answer_comes_after_it_is_durable(self):
        class Witness(MemoryJournal):
            early = ()

            async def append(self, batch):
                self.early += (placed.told,) if (placed := waiting) else ()
                await super().append(batch)

        journal = Witness()
        campaign, orders = campaign_of(1)
        campaign = Campaign(campaign.plan, campaign.world, journal=journal, orders=orders)
        waiting = orders.place(Pause(ALICE))
        orders.place(Continue(ALICE))

        await campaign.to_the_end()

        kinds = [type(event) for event in journal.read()]
        assert set(journal.early[: kinds.index(events.PauseOrdered)]) == {None}
        assert waiting.told is not None

    async def test_a_refusal_is_answered_with_its_sentence_and_changes_nothing(self):
        campaign, orders = campaign_of(2)
        refused = orders.place(Continue(ALICE))

        await campaign.to_the_end()

        assert (refused.refused, refused.told) == (True, "the run is not paused")
        assert times_of(campaign, events.ContinueOrdered) == []
        assert campaign.verdicts == {"succeeded": 2}

    async def test_a_question_about_another_runs_device_is_refused_and_the_run_goes_on(self):
        campaign, orders = campaign_of(2)
        known, foreign = orders.place(Ask(ALICE, 1001)), orders.place(Ask(ALICE, 424242))

        await campaign.to_the_end()

        assert (foreign.refused, foreign.told) == (True, "there is no device 424242 in this run")
        assert not known.refused
        assert campaign.verdicts == {"succeeded": 2}

    async def test_what_cannot_be_recorded_is_answered_so_and_ends_the_drive(self):
        campaign, orders = campaign_of(2)
        campaign = Campaign(
            campaign.plan, campaign.world, journal=MemoryJournal(room=1), orders=orders
        )
        first, second = orders.place(Pause(ALICE)), orders.place(Cancel(ALICE))
        for placed in orders.take():
            campaign.inbox.put_order(placed)

        with pytest.raises(JournalError):
            await campaign.to_the_end()

        assert (first.refused, second.refused) == (True, True)
        assert first.told.startswith("it could not be recorded: ")
        assert "just ending; give the order again" in second.told

    async def test_a_cancelled_run_ends_by_itself(self):
        campaign, orders = campaign_of(8, operation("factory"), operation("reconf"), max_down=1)

        async def give():
            await anyio.sleep(30)
            orders.place(Cancel(ALICE))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(give)
            await campaign.to_the_end()

        truths = {campaign.world.truth(each, campaign.clock.now()) for each in fleet_ids(8)}
        assert campaign.run.finished_at is not None
        assert campaign.run.stopped.cause == "person"
        assert campaign.verdicts["not_started"] >= 5
        assert truths == {"in_service_configured", "untouched"}

    async def test_two_orders_side_by_side_are_judged_one_after_the_other(self):
        campaign, orders = campaign_of(2)
        first, second = orders.place(Cancel(ALICE)), orders.place(Cancel(ALICE))

        await campaign.to_the_end()

        assert (first.refused, second.refused) == (False, True)

    async def test_an_order_that_comes_while_the_process_ends_is_turned_away(self):
        campaign, orders = campaign_of(1)

        class Slow:
            async def send(self, to, title, body):
                placed.append(orders.place(Pause(ALICE)))
                await anyio.sleep(3)

        placed = []
        plan = plan_for(fleet_ids(1), operation("reboot"), notify=notify_of("finished"))
        campaign = Campaign(plan, campaign.world, orders=orders, messenger=Slow())

        await campaign.to_the_end()

        [late] = placed
        assert late.refused
        assert late.told == "the run is finished; there is nothing to pause"


def notify_of(*occasions):
    return Notify(("noc",), tuple(Occasion(each) for each in occasions))


async def left_after(campaign, seconds):
    """Drive for a while, then have the process end; give the run as the next one finds it."""
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(campaign.to_the_end)
        await anyio.sleep(seconds)
        campaign.drive.interrupt("somebody pressed Ctrl-C")
    return replayed(campaign.plan, campaign.journal.read())


async def killed_after(campaign, seconds):
    with anyio.move_on_after(seconds):
        await campaign.to_the_end()
    return replayed(campaign.plan, campaign.journal.read())


def obeying(campaign, run, order, *, after=3600.0):
    now = campaign.clock.now() + after
    return obey_undriven(run, order, journal=campaign.journal, now=now, chance=lambda: 0.5)


class TestUndriven:
    """By whoever gives the order, under the run's lock."""

    pytestmark = pytest.mark.looptime

    async def test_a_pause_is_recorded_and_the_run_left_as_it_was(self):
        campaign, _ = campaign_of(4, max_down=1)
        run = await left_after(campaign, 30)

        happened = await obeying(campaign, run, Pause(ALICE))

        resumed, paused, interrupted = happened
        assert isinstance(resumed, events.RunResumed)
        assert (resumed.resumed_by, resumed.host) == ("alice", "ops-1")
        assert paused == events.PauseOrdered(paused.at, *WHERE)
        assert interrupted.reason == "somebody pressed Ctrl-C"
        assert list(campaign.journal.read())[-3:] == happened
        assert "holds when it is resumed" in how_it_stands(run)

    async def test_what_was_recorded_holds_when_the_run_is_resumed(self):
        campaign, _ = campaign_of(4, max_down=1)
        run = await left_after(campaign, 30)
        await obeying(campaign, run, Pause(ALICE))

        again = replayed(campaign.plan, campaign.journal.read())

        assert again.pause is not None
        assert again.interrupted is not None

    async def test_the_hours_in_which_nobody_drove_count_for_no_deadline(self):
        campaign, _ = campaign_of(4, max_down=1)
        run = await killed_after(campaign, 30.5)
        before = run.active(run.last_at)

        await obeying(campaign, run, Pause(ALICE), after=100_000)

        assert run.active(run.last_at) == pytest.approx(before)

    async def test_a_request_of_a_killed_process_is_in_doubt_from_then_on(self):
        campaign, _ = campaign_of(4, max_down=1)
        run = await killed_after(campaign, 30)
        story = list(campaign.journal.read())
        sent = max(n for n, each in enumerate(story) if isinstance(each, events.OperationIntended))
        journal = MemoryJournal(story[: sent + 1])
        campaign = Campaign(campaign.plan, campaign.world, journal=journal)
        run = replayed(campaign.plan, journal.read())

        happened = await obeying(campaign, run, Pause(ALICE))

        assert [type(each).__name__ for each in happened] == [
            "RunResumed",
            "OperationLost",
            "PauseOrdered",
            "RunInterrupted",
        ]
        assert happened[-1].reason == "the process that drove it ended without a word"

    async def test_a_refusal_leaves_no_trace(self):
        campaign, _ = campaign_of(4, max_down=1)
        run = await left_after(campaign, 30)
        story = list(campaign.journal.read())

        with pytest.raises(OrderRefusedError, match="the run is not paused"):
            await obeying(campaign, run, Continue(ALICE))

        assert list(campaign.journal.read()) == story

    async def test_a_finished_run_takes_no_orders(self):
        campaign, _ = campaign_of(1)
        await campaign.to_the_end()
        run = replayed(campaign.plan, campaign.journal.read())

        with pytest.raises(OrderRefusedError, match="finished; there is nothing to cancel"):
            await obeying(campaign, run, Cancel(ALICE))

    async def test_a_run_cancelled_before_anything_was_sent_is_finished(self):
        campaign, orders = campaign_of(3000)
        orders.place(Pause(ALICE))
        run = await left_after(campaign, 0)
        assert not run.devices

        happened = await obeying(campaign, run, Cancel(ALICE))

        assert isinstance(happened[-1], events.RunFinished)
        assert run.verdicts == {"not_started": 3000}
        assert how_it_stands(run) == "nothing was under way, so the run is finished"

    async def test_a_cancelled_run_keeps_the_devices_that_are_in_the_middle_of_their_chain(self):
        campaign, _ = campaign_of(6, operation("factory"), operation("reconf"), max_down=2)
        run = await left_after(campaign, 30)
        requests = campaign.world.settled_ledger(campaign.clock.now()).methods.copy()

        await obeying(campaign, run, Cancel(ALICE))

        left = len(campaign.plan.devices) - run.ended
        assert 1 <= left <= 2
        assert run.finished_at is None
        assert isinstance(list(campaign.journal.read())[-1], events.RunInterrupted)
        assert f"{left} device" in how_it_stands(run)
        assert campaign.world.settled_ledger(campaign.clock.now()).methods == requests

    async def test_an_abandoned_run_still_has_to_see_what_became_of_what_was_sent(self):
        campaign, _ = campaign_of(6, operation("factory"), operation("reconf"), max_down=2)
        run = await left_after(campaign, 30)

        await obeying(campaign, run, Cancel(ALICE, abandon=True))

        assert run.is_abandoned
        assert run.finished_at is None
        assert how_it_stands(run).endswith("resume it to see what became of what was sent")
        with pytest.raises(OrderRefusedError, match="stopped already"):
            await obeying(campaign, run, Cancel(ALICE, abandon=True))

    async def test_a_cancelled_run_can_still_be_abandoned(self):
        campaign, _ = campaign_of(6, operation("factory"), operation("reconf"), max_down=2)
        run = await left_after(campaign, 30)
        await obeying(campaign, run, Cancel(ALICE))

        await obeying(campaign, run, Cancel(ALICE, abandon=True))

        assert run.is_abandoned


async def test_what_has_to_be_performed_is_left_to_whoever_resumes_the_run():
    class Eager:
        is_over = False

        def decide(self, now, chance):
            succeeded = events.StepSucceeded(now, 1001, 0, "told")
            return Decision([succeeded], [SendNotice(DeviceId(1001), 0, "come and look")])

    recorded = []

    async def record(happened):
        recorded.extend(happened)

    await obeying_module._come_to_rest(Eager(), START, lambda: 0.5, record)

    assert recorded == []


@pytest.mark.parametrize(
    ("event", "told"),
    [
        (events.ContinueOrdered(START, *WHERE), "the run goes on"),
        (events.CancelOrdered(START, *WHERE), "are finished"),
        (events.CancelOrdered(START, *WHERE, abandon=True), "are left as they are"),
        (events.ApprovalGiven(START, "wave 2", *WHERE), "wave 2 is approved"),
        (events.ApprovalDenied(START, "wave 2", *WHERE), "wave 2 is denied, which stops the run"),
        (
            events.LimitOrdered(START, "alice", "ops-1", "max_down", 5, 10),
            "max_down is 5 now; it was 10",
        ),
        (
            events.LimitOrdered(START, "alice", "ops-1", "delay", 1.5, 0.2),
            "delay is 1.5s now; it was 200ms",
        ),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_person_is_told_what_an_order_has_done(event, told):
    stopped = events.RunStopped(START, "person", "alice cancelled it")

    assert told in told_of([event, stopped])


@pytest.mark.parametrize(
    ("order", "verb"),
    [
        (Pause(ALICE), "pause"),
        (Continue(ALICE), "continue"),
        (Cancel(ALICE), "cancel"),
        (Approve(ALICE), "approve"),
        (ChangeLimit(ALICE, "delay", 1), "limit"),
    ],
)
def test_it_can_be_too_late_for_any_order(order, verb):
    assert is_too_late(order, "run 7") == f"run 7 is finished; there is nothing to {verb}"
