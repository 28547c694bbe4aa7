"""Whole campaigns in worlds that go wrong in every known way, judged by what really happened.

A few seeds of each kind run here; `SEEDS=200 pytest tests/scenarios` runs more of them.
"""

import os
from dataclasses import replace

import pytest

from orchestrator.model.operations import Operation
from orchestrator.simulator.endpoints import Rules
from orchestrator.simulator.faults import Faults, Rates
from orchestrator.simulator.fleet import FleetPlan
from tests.support.campaigns import (
    REBOOT,
    Setting,
    broken_promises,
    operation_step,
    run_campaign,
)

SEEDS = int(os.environ.get("SEEDS", "3"))
LOSSY = Faults(
    operations=Rates(rate_500=0.1, rate_502_html=0.1, reset_before=0.15, reset_after=0.15)
)
HIDING = Rules(shows_operations=False)
ODD = {
    "never_back": 0.2,
    "flapping": 0.2,
    "auto_firmware": 0.2,
    "late": 0.1,
    "busy_booting": 0.2,
    "double_contact": 0.1,
}
UNHURRIED = FleetPlan(frequencies=(60, 300, 600, 1800, 3600))
BASE = Setting(devices=24)

KINDS = {
    "a controller without faults": BASE,
    "every fault there is": replace(BASE, faults=Faults.harsh()),
    "half of the answers lost": replace(BASE, faults=LOSSY),
    "half of the answers to reboots lost": replace(BASE, faults=LOSSY, steps=REBOOT),
    "lost answers and hidden operations": replace(BASE, faults=LOSSY, rules=HIDING, steps=REBOOT),
    "every fault and hidden operations": replace(BASE, faults=Faults.harsh(), rules=HIDING),
    "devices that nobody can call": replace(
        BASE, faults=LOSSY, rules=HIDING, steps=REBOOT, fleet=FleetPlan(mix={"nat": 1.0})
    ),
    "devices that behave oddly": replace(
        BASE, faults=Faults.harsh(), fleet=FleetPlan(mix=ODD)
    ),
    "devices that seldom make contact": replace(BASE, faults=LOSSY, fleet=UNHURRIED),
    "a gentle step before a disruptive one": replace(
        BASE,
        faults=LOSSY,
        steps=(operation_step(Operation.SYNC), operation_step(Operation.REBOOT)),
    ),
    "one device at a time": replace(BASE, devices=8, max_down=1, faults=Faults.harsh()),
    "small pages and a low rate": replace(BASE, page_size=7, per_second=4.0),
}


@pytest.mark.parametrize("seed", range(1, SEEDS + 1))
@pytest.mark.parametrize("kind", KINDS)
def test_no_promise_is_broken_in_a_world_with(kind, seed):
    campaign = run_campaign(replace(KINDS[kind], seed=seed))

    assert broken_promises(campaign) == []


def test_a_seed_repeats_a_campaign_to_the_last_event():
    setting = replace(BASE, faults=Faults.harsh())

    assert run_campaign(setting).journal == run_campaign(setting).journal
