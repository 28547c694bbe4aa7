"""A campaign in virtual time: the brain over the simulated world, without sockets and without waiting."""

import random
from dataclasses import replace

import pytest

from orchestrator.model import commands, events
from orchestrator.model.selections import Selection
from orchestrator.planning.foresight.rehearsing import Rehearsal
from orchestrator.simulator.faults import Faults, Rates
from orchestrator.simulator.fleet import FleetPlan
from tests.support.campaigns import START, Setting, operation_step

QUIET = Setting(devices=6, fleet=FleetPlan.plain(), max_down=6)


def rehearsal(setting: Setting = QUIET, **changes: object) -> Rehearsal:
    details = {
        "plan": setting.plan(),
        "world": setting.world(),
        "now": START + 1,
        "chance": random.Random(1).random,
        "page_size": setting.page_size,
        **changes,
    }
    return Rehearsal(**details)


def test_a_campaign_goes_to_its_end_and_its_journal_tells_it():
    rehearsed = rehearsal()
    run = rehearsed.to_the_end()

    assert run.finished_at is not None
    assert isinstance(rehearsed.journal[0], events.RunStarted)
    assert rehearsed.journal[-1] == events.RunFinished(run.finished_at, {"succeeded": 6})
    assert [event.at for event in rehearsed.journal] == sorted(e.at for e in rehearsed.journal)


def test_every_request_it_counts_arrived_in_the_world():
    rehearsed = rehearsal()
    rehearsed.to_the_end()

    assert rehearsed.requests == sum(rehearsed.world.ledger.methods.values())


def test_it_can_be_watched_until_a_moment():
    rehearsed = rehearsal()
    run = rehearsed.to_the_end(until=START + 60)

    assert not run.is_over
    assert START + 60 <= rehearsed.now < START + 80


def test_waiting_devices_are_read_by_pages_where_those_are_fewer():
    setting = replace(QUIET, devices=40, max_down=40)
    rehearsed = rehearsal(setting)
    rehearsed.to_the_end(until=START + 60)
    pages = [each for each in rehearsed.world.ledger.arrivals if each.path.endswith("device/")]

    assert len(pages) >= 5
    assert not any(each.refreshed for each in rehearsed.world.ledger.arrivals)


def test_devices_that_a_page_does_not_hold_are_read_one_by_one():
    """They left the organization of the selection: the listing has them no more, the run still waits."""
    setting = replace(QUIET, devices=30, max_down=30)
    plan = setting.plan()
    playbook = replace(plan.playbook, selection=Selection(organizations=(123,)))
    world = setting.world()
    ours = {
        device.id
        for device in plan.devices
        if world.population.device(device.id, START).fields["organization_id"] == 123
    }
    devices = tuple(device for device in plan.devices if device.id in ours)
    plan = replace(plan, playbook=playbook, devices=devices)
    rehearsed = rehearsal(setting, plan=plan, world=world)
    rehearsed.to_the_end(until=START + 30)
    moved = world.population.device(devices[0].id, rehearsed.now)
    world.population.edit(moved, {**moved.fields, "organization_id": 456}, rehearsed.now)

    run = rehearsed.to_the_end()

    assert run.devices[devices[0].id].verdict == "succeeded"
    assert run.verdicts.total() == len(devices)


@pytest.mark.parametrize("page_size", [7, 500])
def test_pages_that_fail_are_read_again(page_size):
    faults = Faults(reads=Rates(rate_500=0.2, rate_502_html=0.1, truncated=0.1))
    setting = replace(QUIET, devices=30, max_down=30, faults=faults, page_size=page_size)
    rehearsed = rehearsal(setting)

    assert rehearsed.to_the_end().verdicts == {"succeeded": 30}


def test_nothing_that_is_decided_lies_in_the_future_of_what_is_performed():
    """A decision's moment is rounded up; a read asked for before it would prove nothing."""
    rehearsed = rehearsal(replace(QUIET, fleet=FleetPlan.plain("never_back")))
    rehearsed.to_the_end()

    arrivals = rehearsed.world.ledger.arrivals
    ends = {e.device: e.at for e in rehearsed.journal if isinstance(e, events.StepFailed)}
    refreshed = {each.device: each for each in arrivals if each.refreshed}
    assert len(ends) == len(refreshed) == 6
    for device, end in ends.items():
        assert [each for each in arrivals if each.device == device][-1] is refreshed[device]
        assert end >= refreshed[device].answered_at


def test_a_journal_can_be_taken_over():
    first = rehearsal()
    first.to_the_end(until=START + 100)
    second = rehearsal(world=first.world, now=first.now, journal=first.journal)

    run = second.to_the_end()

    assert run.verdicts == {"succeeded": 6}
    assert any(isinstance(event, events.RunResumed) for event in second.journal)
    assert second.journal[: len(first.journal)] == first.journal


def test_a_run_that_nobody_will_ever_wake_is_an_error_and_no_endless_loop():
    class Deaf(Rehearsal):
        def _perform(self, command: commands.Command) -> None:
            """Every request disappears."""

    setting = replace(QUIET, steps=(operation_step(QUIET.steps[0].operation),))
    deaf = Deaf(setting.plan(), setting.world(), START + 1, lambda: 0.5)

    with pytest.raises(RuntimeError, match="stands still"):
        deaf.to_the_end()
