"""Campaigns over the simulated world, judged by its own ledger (issue: "It is done when").

`SEEDS=200 pytest tests/scenarios` runs every scenario with that many seeds.
"""

import os
from dataclasses import replace

import pytest

from orchestrator.model import events
from orchestrator.model.operations import Operation
from orchestrator.simulator.endpoints import Rules
from orchestrator.simulator.faults import Faults, Rates
from orchestrator.simulator.fleet import FleetPlan
from tests.support.campaigns import (
    REBOOT,
    Campaign,
    Setting,
    broken_promises,
    operation_step,
    run_campaign,
)

SEEDS = range(1, 1 + int(os.environ.get("SEEDS", "2")))

LOSSY = Faults(operations=Rates(rate_500=0.1, rate_502_html=0.1, reset_before=0.1, reset_after=0.1))
HIDDEN = Rules(shows_operations=False)
SYNC, RECONF = operation_step(Operation.SYNC), operation_step(Operation.RECONF)
ODD = {
    "never_back": 0.2,
    "flapping": 0.2,
    "auto_firmware": 0.2,
    "late": 0.1,
    "busy_booting": 0.2,
    "double_contact": 0.1,
}


def fleet(**mix: float) -> FleetPlan:
    return FleetPlan(mix=mix)


SCENARIOS = {
    "an ordinary night": Setting(),
    "every fault switched on": Setting(faults=Faults.harsh()),
    "every fault, and requests are not shown": Setting(faults=Faults.harsh(), rules=HIDDEN),
    "a storm of 502": Setting(faults=Faults(operations=Rates(rate_502_html=0.5))),
    "half of the answers lost": Setting(faults=LOSSY, steps=REBOOT),
    "half lost and nothing shown": Setting(faults=LOSSY, steps=REBOOT, rules=HIDDEN),
    "half lost in a fleet behind NAT": Setting(
        faults=LOSSY, steps=REBOOT, rules=HIDDEN, fleet=fleet(nat=1.0)
    ),
    "half lost after a sync": Setting(faults=LOSSY, steps=(SYNC, *REBOOT)),
    "odd devices": Setting(faults=Faults.harsh(), fleet=fleet(**ODD)),
    "devices that never come back": Setting(fleet=fleet(never_back=0.7), max_down=2),
    "flapping devices": Setting(fleet=fleet(flapping=1.0)),
    "firmware after every reset": Setting(fleet=fleet(auto_firmware=1.0)),
    "controller away, twice": Setting(faults=Faults(outages=((120.0, 300.0), (700.0, 1400.0)))),
    "token revoked while sending": Setting(faults=Faults(revoked=((2.0, 200.0), (500.0, 560.0)))),
    "restarts in the middle": Setting(faults=Faults(restarts=(1.5, 300.0, 600.0))),
    "periods from a minute to an hour": Setting(
        devices=12,
        faults=Faults.harsh(),
        fleet=FleetPlan(frequencies=(60, 300, 900, 3600)),
        max_down=12,
    ),
    "one after the other": Setting(devices=8, max_down=1, in_flight=1, faults=Faults.harsh()),
    "all at once": Setting(
        devices=40, max_down=40, delay=0.0, per_second=None, steps=REBOOT, faults=Faults.harsh()
    ),
    "small pages": Setting(devices=30, max_down=10, page_size=7, faults=Faults.harsh()),
    "provisioning": Setting(
        steps=(operation_step(Operation.DEVICE_FACTORY), RECONF), faults=Faults.harsh()
    ),
    "organizations that are not ours": Setting(rules=Rules(organizations=frozenset({123}))),
}


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_no_promise_is_broken(scenario, seed):
    campaign = run_campaign(replace(SCENARIOS[scenario], seed=seed))

    assert broken_promises(campaign) == []


# --- what the ledger of single scenarios must show -----------------------------------------------


def plain(temperament: str, **changes: object) -> Campaign:
    """A small healthy fleet whose devices all behave alike."""
    return run_campaign(
        Setting(devices=6, fleet=FleetPlan.plain(temperament), max_down=6, **changes)
    )


def only(campaign: Campaign) -> set[str]:
    assert broken_promises(campaign) == []
    return set(campaign.verdicts.values())


@pytest.mark.parametrize(
    "temperament", ["fast", "slow", "nat", "double_contact", "flapping", "auto_firmware"]
)
@pytest.mark.parametrize("operation", ["reboot", "factory"])
def test_trap_2_3_4_5_9_devices_of_every_kind_that_come_back_succeed(temperament, operation):
    steps = (operation_step(Operation(operation)), RECONF)

    assert only(plain(temperament, steps=steps)) == {"succeeded"}


def test_trap_2_and_5_outages_of_slow_devices_are_seen_and_fast_ones_are_not():
    assert plain("slow", steps=REBOOT).of(events.OutageSeen)
    assert not plain("fast", steps=REBOOT).of(events.OutageSeen)


def test_trap_6_a_device_that_is_down_is_skipped_and_nothing_reaches_it():
    campaign = run_campaign(Setting(devices=10, fleet=FleetPlan(down=0.5, mix={"fast": 1.0})))
    skipped = [device for device, verdict in campaign.verdicts.items() if verdict == "skipped"]

    assert skipped
    assert broken_promises(campaign) == []
    assert {each.device for each in campaign.ledger.operation_arrivals}.isdisjoint(skipped)


def test_trap_7_devices_that_never_return_are_unconfirmed_and_get_no_reconf():
    campaign = plain("never_back")

    assert only(campaign) == {"unconfirmed"}
    assert {each.operation for each in campaign.ledger.operation_arrivals} == {"factory"}


def test_trap_7_they_do_not_keep_the_others_from_their_turn():
    plan = FleetPlan.plain().with_temperaments({1001: "never_back", 1002: "never_back"})
    campaign = run_campaign(Setting(devices=6, fleet=plan, max_down=1))

    assert only(campaign) == {"unconfirmed", "succeeded"}
    assert list(campaign.verdicts.values()).count("succeeded") == 4


def test_trap_8_a_device_that_returns_under_another_serial_number_is_unconfirmed():
    campaign = started("fast")
    device = campaign.world.population.device(1001, campaign.now)
    changed = {**device.fields, "serial_number": "ZN-OTHER"}
    campaign.world.population.edit(device, changed, campaign.now)

    campaign.finish()

    assert campaign.verdicts[1001] == "unconfirmed"
    assert "another serial number" in campaign.run.devices[1001].reason


def test_trap_8_a_device_whose_silent_record_stays_behind_is_unconfirmed():
    """It came back under another id; the record that we know never hears of it again."""
    campaign = plain("never_back", steps=(operation_step(Operation.FACTORY),))

    assert only(campaign) == {"unconfirmed"}


def test_trap_9_the_upgrade_is_seen_and_its_second_boot_waited_for():
    campaign = plain("auto_firmware")

    assert any("firmware" in event.reason for event in campaign.of(events.DeviceRelapsed))
    for event in campaign.of(events.StepSucceeded):
        drops = campaign.world.population.device(event.device, campaign.now).own_outages
        if event.step == 0:
            assert all(until <= event.at for _, since, until in drops if since < event.at)


def test_trap_12_a_record_that_is_deleted_during_the_wait_is_unconfirmed():
    campaign = started("fast")
    campaign.world.population.remove(campaign.world.population.device(1001, campaign.now))

    campaign.finish()

    assert campaign.verdicts[1001] == "unconfirmed"


def test_trap_13_a_mass_reboot_keeps_its_rhythm():
    campaign = run_campaign(
        Setting(devices=60, fleet=FleetPlan.plain("nat"), max_down=60, steps=REBOOT)
    )

    assert only(campaign) == {"succeeded"}
    assert min(campaign.ledger.operation_gaps()) >= 0.2 - 1e-4


def test_trap_14_the_status_is_updated_once_for_each_last_look_and_never_else():
    campaign = plain("never_back")

    assert campaign.ledger.refreshes == 6


def test_trap_17_a_device_that_ignores_the_command_cannot_be_told_from_a_fast_one():
    """Documented: its contacts look like those of a fast reboot. What it leaves pending gives it away."""
    campaign = plain("ignores")

    assert set(campaign.verdicts.values()) == {"unconfirmed"}
    assert len(campaign.of(events.StepSucceeded)) == 6
    assert {event.step for event in campaign.of(events.StepFailed)} == {1}


def test_late_devices_are_unconfirmed_before_they_return_and_never_succeeded():
    assert only(plain("late", steps=REBOOT)) == {"unconfirmed"}


def test_a_busy_device_is_tried_again_until_it_can_be_configured():
    assert only(plain("busy_booting")) == {"succeeded"}


def test_a_revoked_token_pauses_and_fails_nobody():
    campaign = run_campaign(
        Setting(devices=6, fleet=FleetPlan.plain(), faults=Faults(revoked=((2.0, 700.0),)))
    )

    assert only(campaign) == {"succeeded"}
    assert {event.cause for event in campaign.of(events.RunPaused)} == {"token"}


def test_an_unreachable_controller_pauses_and_fails_nobody():
    campaign = run_campaign(
        Setting(devices=6, fleet=FleetPlan.plain(), faults=Faults(outages=((30.0, 1500.0),)))
    )

    assert only(campaign) == {"succeeded"}
    assert {event.cause for event in campaign.of(events.RunPaused)} == {"controller"}


def test_a_controller_that_stays_away_ends_in_an_interruption_that_can_be_resumed():
    setting = Setting(devices=6, fleet=FleetPlan.plain(), faults=Faults(outages=((30.0, 5000.0),)))
    campaign = run_campaign(setting)
    assert campaign.run.interrupted.cause == "controller"

    again = campaign.resumed(later=4000.0).finish()

    assert broken_promises(again) == []
    assert set(again.verdicts.values()) == {"succeeded"}


def test_the_same_seed_gives_the_same_journal():
    setting = SCENARIOS["every fault switched on"]

    assert run_campaign(setting).journal == run_campaign(setting).journal


def started(temperament: str) -> Campaign:
    """One device whose reset was accepted and has not come back yet."""
    campaign = Campaign(Setting(devices=1, fleet=FleetPlan.plain(temperament), max_down=1))
    while not campaign.of(events.DeliverySeen):
        campaign.turn()
    return campaign
