"""Driving: decisions become durable facts, facts become requests, in virtual time."""

import anyio
import pytest

from orchestrator.adapters.memory.memory_journal import MemoryJournal
from orchestrator.adapters.simulated.simulated_controller import SimulatedController
from orchestrator.engine.run import replayed
from orchestrator.model.errors import JournalError
from orchestrator.model.events import (
    OperationIntended,
    OperationUnsent,
    RunContinued,
    RunFinished,
    RunInterrupted,
    RunPaused,
)
from orchestrator.model.policies import RequestLimits
from orchestrator.simulator.faults import Faults, Rates
from tests.support.virtual import Campaign, fleet_ids, operation, plan_for
from tests.support.worlds import FIRST, START, world

pytestmark = pytest.mark.looptime


async def test_a_redeployment_ends_with_every_device_proven():
    campaign = await Campaign(plan_for(fleet_ids(12), max_down=3), world(12)).to_the_end()

    assert campaign.verdicts == {"succeeded": 12}
    assert isinstance(list(campaign.journal.read())[-1], RunFinished)
    truths = {campaign.world.truth(each, campaign.clock.now()) for each in fleet_ids(12)}
    assert truths == {"in_service_configured"}


async def test_the_limits_hold_on_the_wire():
    campaign = await Campaign(plan_for(fleet_ids(12), max_down=3), world(12, "slow")).to_the_end()
    ledger = campaign.world.settled_ledger(campaign.clock.now())

    assert ledger.peak_out_of_service() <= 3
    assert min(ledger.operation_gaps()) >= 0.2 - 1e-6
    assert not ledger.overlapping_operations()


async def test_no_request_leaves_before_its_intention_is_durable():
    class Watched(MemoryJournal):
        async def append(self, events):
            await anyio.sleep(0.05)  # a slow disk
            await super().append(events)

    journal = Watched()
    early = []

    class Suspicious(SimulatedController):
        async def start_operation(self, device, operation, *, intended):
            intents = [e for e in journal.read() if isinstance(e, OperationIntended)]
            if not any(e.device == device and e.operation == operation for e in intents):
                early.append(device)
            return await super().start_operation(device, operation, intended=intended)

    campaign = Campaign(plan_for(fleet_ids(5)), world(5), journal=journal)
    campaign.drive._performer._controller = Suspicious(campaign.world, campaign.clock)
    await campaign.to_the_end()

    assert campaign.verdicts == {"succeeded": 5}
    assert early == []


async def test_what_cannot_be_recorded_is_not_done():
    campaign = Campaign(plan_for(fleet_ids(3)), world(3), journal=MemoryJournal(room=1))

    with pytest.raises(JournalError):
        await campaign.to_the_end()

    assert campaign.world.settled_ledger(campaign.clock.now()).operation_gaps() == ()
    assert not any(campaign.world.settled_ledger(START).touched())


async def test_an_interrupted_drive_answers_for_its_requests_and_can_be_taken_up():
    campaign = Campaign(plan_for(fleet_ids(6), max_down=2), world(6))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(campaign.to_the_end)
        await anyio.sleep(30)
        campaign.drive.interrupt("somebody pressed Ctrl-C")

    history = list(campaign.journal.read())
    assert isinstance(history[-1], RunInterrupted)
    assert campaign.run.admissions.in_flight == 0
    assert replayed(campaign.plan, history).admissions.down == campaign.run.admissions.down > 0


async def test_an_outage_of_the_controller_pauses_the_run_and_fails_no_device():
    faults = Faults(outages=((20.0, 400.0),))
    campaign = await Campaign(
        plan_for(fleet_ids(4), max_down=4), world(4, faults=faults)
    ).to_the_end()

    kinds = [type(event) for event in campaign.journal.read()]
    assert campaign.verdicts == {"succeeded": 4}
    assert RunPaused in kinds
    assert RunContinued in kinds


async def test_a_revoked_token_pauses_the_run_until_it_works_again():
    faults = Faults(revoked=((5.0, 120.0),))
    campaign = await Campaign(
        plan_for(fleet_ids(4), max_down=1), world(4, faults=faults)
    ).to_the_end()

    paused = [e for e in campaign.journal.read() if isinstance(e, RunPaused)]
    assert campaign.verdicts == {"succeeded": 4}
    assert paused[0].cause == "token"


async def test_a_lost_answer_is_asked_about_and_the_reset_not_repeated():
    faults = Faults(operations=Rates(reset_after=1.0))
    plan = plan_for([FIRST], operation("factory"))
    campaign = await Campaign(plan, world(1, faults=faults)).to_the_end()

    ledger = campaign.world.settled_ledger(campaign.clock.now())
    assert campaign.verdicts == {"succeeded": 1}
    assert len(ledger.arrived(FIRST, "factory")) == 1


async def test_a_listener_that_raises_is_dropped_and_the_run_goes_on():
    class Rude:
        heard = 0

        def hear(self, events):
            self.heard += 1
            raise ValueError("not my day")

    rude = Rude()
    campaign = await Campaign(plan_for(fleet_ids(2)), world(2), listeners=[rude]).to_the_end()

    assert campaign.verdicts == {"succeeded": 2}
    assert rude.heard == 1


async def test_waiting_devices_share_list_pages_instead_of_single_reads():
    campaign = await Campaign(
        plan_for(fleet_ids(60), operation("sync"), max_down=1), world(60)
    ).to_the_end()
    ledger = campaign.world.settled_ledger(campaign.clock.now())

    assert campaign.verdicts == {"succeeded": 60}
    assert ledger.methods["GET"] < 30


class Counting(SimulatedController):
    """Counts the operation requests that are on the wire at once."""

    on_wire = most = sent = 0

    async def start_operation(self, device, operation, *, intended):
        self.on_wire += 1
        self.sent += 1
        self.most = max(self.most, self.on_wire)
        await anyio.sleep(0.02)
        try:
            return await super().start_operation(device, operation, intended=intended)
        finally:
            self.on_wire -= 1


def gentle(devices, in_flight=4):
    limits = RequestLimits(delay=0.0, in_flight=in_flight, per_second=None)
    return plan_for(fleet_ids(devices), operation("sync"), requests=limits)


def counted(plan):
    campaign = Campaign(plan, world(len(plan.devices)))
    controller = Counting(campaign.world, campaign.clock)
    campaign.drive._performer._controller = controller
    return campaign, controller


async def test_intentions_made_ahead_wait_for_their_place_in_flight():
    campaign, controller = counted(gentle(60))
    intended = []

    class Onlooker:
        def hear(self, events):
            intended.append(campaign.run.admissions.in_flight)

    campaign.drive._listeners.append(Onlooker())

    await campaign.to_the_end()

    assert campaign.verdicts == {"succeeded": 60}
    assert controller.most == 4
    assert max(intended) > 4


async def test_an_interrupted_drive_sends_nothing_that_only_waited_for_its_place():
    campaign, controller = counted(gentle(60))
    at_interrupt = []

    class Impatient:
        def hear(self, events):
            if campaign.run.admissions.in_flight > 4 and not at_interrupt:
                at_interrupt.append(controller.sent)
                campaign.drive.interrupt("Ctrl-C")

    campaign.drive._listeners.append(Impatient())
    await campaign.to_the_end()
    unsent = [e for e in campaign.journal.read() if isinstance(e, OperationUnsent)]

    assert [controller.sent] == at_interrupt
    assert unsent
    assert all(each.stale for each in unsent)
    assert campaign.run.interrupted is not None
