"""A process may die after any event: whoever takes over ends in the same verdicts, nothing twice."""

from dataclasses import replace
from functools import cache

import pytest

from orchestrator.engine.run import replayed
from orchestrator.model.operations import Operation
from orchestrator.simulator.faults import Faults
from orchestrator.simulator.fleet import FleetPlan
from tests.support.campaigns import (
    Campaign,
    Setting,
    broken_promises,
    operation_step,
    run_campaign,
)

STEPS = (
    operation_step(Operation.FACTORY, attempts=4),
    operation_step(Operation.RECONF, attempts=6),
)
CALM = Setting(seed=3, devices=6, steps=STEPS, max_down=3, fleet=FleetPlan.plain())
ROUGH = replace(CALM, seed=5, devices=8, faults=Faults.harsh(), fleet=FleetPlan())
SETTINGS = {"calm": CALM, "rough": ROUGH}


@cache
def undisturbed(name: str) -> Campaign:
    return run_campaign(SETTINGS[name])


def places(name: str) -> list[int]:
    """Every place where a crash can cut the journal: the ends of its batches."""
    return undisturbed(name).batches


@pytest.mark.parametrize("sends_last", [False, True], ids=["unsent", "sent"])
@pytest.mark.parametrize("name", SETTINGS)
def test_a_run_killed_anywhere_ends_as_if_it_had_not_been(name, sends_last):
    expected = undisturbed(name).verdicts
    different = {}
    for length in places(name):
        killed = Campaign(SETTINGS[name]).kill_at(length, sends_last=sends_last)
        if killed.run.is_over:
            continue
        resumed = killed.resumed(later=5.0).finish()

        assert broken_promises(resumed) == [], f"killed after event {length}"
        if resumed.verdicts != expected:
            different[length] = {
                device: (expected[device], verdict)
                for device, verdict in resumed.verdicts.items()
                if verdict != expected[device]
            }

    assert different == {}


@pytest.mark.parametrize("name", SETTINGS)
def test_a_run_killed_again_and_again_still_comes_to_its_end(name):
    campaign = Campaign(SETTINGS[name])
    for _ in range(60):
        campaign = campaign.kill_at(len(campaign.journal) + 7, sends_last=True)
        if campaign.run.is_over:
            break
        campaign = campaign.resumed(later=2.0)
    campaign.finish()

    assert broken_promises(campaign) == []
    assert campaign.verdicts == undisturbed(name).verdicts


@pytest.mark.parametrize("name", SETTINGS)
def test_replaying_the_journal_gives_the_state_of_the_live_run(name):
    campaign = undisturbed(name)
    replay = replayed(campaign.plan, campaign.journal)

    assert replay.verdicts == campaign.run.verdicts
    assert replay.admissions.down == campaign.run.admissions.down == 0
    assert replay.active(replay.last_at) == pytest.approx(campaign.run.active(replay.last_at))
