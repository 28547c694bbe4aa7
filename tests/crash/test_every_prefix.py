"""kill -9 at any moment, then resume: the same verdicts, and nothing accepted is asked for again.

A campaign is recorded; then it is run again in fresh, identical worlds, killed wherever its
journal can be cut, and taken over by another brain that knows the journal and nothing else. Cuts
lie between batches: an append that was not finished is never read back (adapters/journal_reading).
`CUTS=all pytest tests/crash` tries every cut; without it every few and one of each kind of event.
"""

import os
from dataclasses import replace
from functools import cache

import pytest

from orchestrator.model import events
from orchestrator.model.operations import Operation
from orchestrator.model.orders import Approve, Cancel, ChangeLimit, Continue, Pause
from orchestrator.model.plans import Wave
from orchestrator.model.policies import Approver, BetweenWaves
from orchestrator.model.steps import ApproveStep, NotifyStep, SleepStep
from orchestrator.model.verdicts import Verdict
from orchestrator.model.windows import Window
from orchestrator.simulator.endpoints import Rules
from orchestrator.simulator.faults import Faults, Rates
from orchestrator.simulator.fleet import FleetPlan
from tests.support.campaigns import (
    REBOOT,
    REDEPLOY,
    Campaign,
    Setting,
    broken_promises,
    operation_step,
    run_campaign,
)
from tests.support.stories import ANA, BEN, durable

KINDS = dict(
    enumerate(
        (
            "fast",
            "slow",
            "nat",
            "double_contact",
            "never_back",
            "flapping",
            "late",
            "busy_booting",
            "auto_firmware",
            "ignores",
        ),
        start=1001,
    )
)
PACED = FleetPlan(unpaced=0.0)
"""Of a device that does not say how often it makes contact, a crash may leave what cannot be told."""
MIXED = PACED.with_temperaments(KINDS)
LOSSY = Faults(
    operations=Rates(rate_502_html=0.15, rate_429=0.05, reset_before=0.15, reset_after=0.1),
    reads=Rates(rate_500=0.02),
)

PATIENT, PATIENT_REBOOT = (
    tuple(replace(step, attempts=12) for step in steps) for steps in (REDEPLOY, REBOOT)
)
"""So many attempts that the one which a crash may use up is never the last."""

FORGIVING = replace(REDEPLOY[0], continue_on=(Verdict.UNCONFIRMED,))
STEPWISE = (
    NotifyStep("it begins"),
    FORGIVING,
    ApproveStep("shall it be configured again?"),
    REDEPLOY[1],
    SleepStep(30.0),
)
APPROVED = BetweenWaves(soak=60.0, approval=Approver.ANYBODY)

STORIES = {
    "waves and orders": Setting(
        seed=6,
        devices=8,
        fleet=PACED.with_temperaments({1002: "never_back"}),
        steps=STEPWISE,
        waves=(Wave(2), Wave(4), Wave(2)),
        between_waves=APPROVED,
        answers={
            "step 3": (Approve(ANA),),
            "wave 2": (Pause(BEN), ChangeLimit(ANA, "max_down", 2), Continue(BEN), Approve(ANA)),
            "wave 3": (Cancel(BEN),),
        },
    ),
    "windows and a rescue": Setting(
        seed=7,
        devices=8,
        fleet=PACED.with_temperaments({1001: "never_back"}),
        rescue=(SleepStep(60.0), operation_step(Operation.SYNC)),
        max_down=2,
        waves=(Wave(4), Wave(4)),
        between_waves=APPROVED,
        window=Window("0,30 * * * *", 1200.0, "UTC", cutoff=300.0),
        answers={"wave 2": (Approve(BEN, granted=False),)},
    ),
    "quiet": Setting(seed=1, devices=15, fleet=MIXED),
    "harsh": Setting(seed=2, devices=16, fleet=MIXED, faults=Faults.harsh()),
    "lossy": Setting(
        seed=5,
        devices=12,
        fleet=PACED,
        faults=replace(LOSSY, outages=((2.0, 40.0),)),
        steps=PATIENT,
    ),
    "lossy reboots, nothing shown": Setting(
        seed=4,
        devices=12,
        fleet=PACED,
        faults=LOSSY,
        steps=PATIENT_REBOOT,
        rules=Rules(shows_operations=False),
    ),
}
CUTS_PER_STORY = 5


@cache
def undisturbed(story: str) -> Campaign:
    return run_campaign(STORIES[story])


def cuts_of(story: str) -> list[int]:
    """Give lengths of the journal at which it is cut: every few, and after each kind of event."""
    whole = undisturbed(story)
    cuts = whole.batches[:-1]
    if os.environ.get("CUTS") == "all":
        return cuts
    chosen = set(cuts[:: max(1, len(cuts) // CUTS_PER_STORY)])
    for number in first_of_its_kind(story):
        chosen.add(next(cut for cut in cuts if cut >= number))
    return sorted(chosen)


def first_of_its_kind(story: str) -> list[int]:
    """Give where a story tells of a kind of event of which no story before it did."""
    seen: set[type] = {events.RunFinished}
    found = []
    for name in STORIES:
        for number, event in enumerate(undisturbed(name).journal, start=1):
            if type(event) not in seen:
                seen.add(type(event))
                if name == story:
                    found.append(number)
    return found


def killed_at(story: str, cut: int) -> list[Campaign]:
    """Give the campaign killed at a cut; after an intention, once before it is sent and once after."""
    sends = isinstance(undisturbed(story).journal[cut - 1], events.OperationIntended)
    return [
        Campaign(STORIES[story]).kill_at(cut, sends_last=sends_last)
        for sends_last in ((False, True) if sends else (False,))
    ]


def differences(campaign: Campaign, whole: Campaign) -> dict[int, tuple[str, str]]:
    return {
        device: (verdict, campaign.verdicts[device])
        for device, verdict in whole.verdicts.items()
        if campaign.verdicts[device] != verdict
    }


@pytest.mark.timeout(0 if os.environ.get("CUTS") else 60)
@pytest.mark.parametrize("story", STORIES)
def test_resumed_from_any_prefix_it_ends_in_the_same_verdicts(story):
    whole = undisturbed(story)
    wrong = {}
    for cut in cuts_of(story):
        for killed in killed_at(story, cut):
            assert killed.journal == whole.journal[:cut]
            again = killed.resumed().finish()
            found = [differences(again, whole), broken_promises(again)]
            if any(found):
                wrong[cut] = found

    assert wrong == {}


@pytest.mark.parametrize("story", STORIES)
def test_the_recorded_campaigns_keep_their_promises_and_hold_what_can_happen(story):
    assert broken_promises(undisturbed(story)) == []


def test_the_stories_together_tell_of_every_kind_of_event_that_a_simulated_run_can_have():
    told = {type(event) for story in STORIES for event in undisturbed(story).journal}

    elsewhere = {events.RunResumed, events.RunInterrupted}  # what a kill or Ctrl-C leads to
    runtime = {events.NotificationSent, events.NotificationFailed}  # nobody is told in a rehearsal
    records = {events.DeviceFound}  # test_changes_of_records cuts the journals that tell of it
    assert told >= set(events.EVENTS.values()) - elsewhere - runtime - records


@pytest.mark.parametrize("story", STORIES)
def test_what_is_replayed_is_what_was_lived(story):
    whole = undisturbed(story)
    again = Campaign(STORIES[story], journal=whole.journal[:-1], now=whole.now)
    again.run.after(whole.journal[-1])
    lived, replayed = durable(whole.run), durable(again.run)

    assert lived["verdicts"] == replayed["verdicts"]
    assert lived["devices"] == replayed["devices"]


_MAY_BECOME = {
    "succeeded": ("in_doubt", "skipped"),
    "skipped": ("succeeded",),
    "unconfirmed": ("in_doubt", "succeeded"),
}
"""What a device's verdict may be instead when hours have passed: it went down or came up meanwhile."""


@pytest.mark.parametrize("later", [90.0, 20_000.0])
@pytest.mark.parametrize("story", STORIES)
def test_resumed_much_later_nothing_is_repeated_and_what_cannot_be_told_is_said_so(story, later):
    """Contacts that nobody watched may have been the delivery or not: then a person has to look."""
    whole = undisturbed(story)
    for cut in cuts_of(story)[1:-1:7]:
        for killed in killed_at(story, cut):
            again = killed.resumed(later=later).finish()

            assert broken_promises(again) == []
            for device, (before, after) in differences(again, whole).items():
                assert after in _MAY_BECOME.get(before, ()), (cut, device, before, after)


def test_a_device_that_keeps_its_rhythm_to_itself_is_at_worst_in_doubt():
    """Its request never left; without a known period its contacts cannot tell."""
    setting = Setting(seed=3, devices=6, fleet=FleetPlan.plain())
    setting = replace(setting, fleet=replace(setting.fleet, unpaced=1.0))
    whole = run_campaign(setting)
    cuts = [
        cut
        for cut in whole.batches[:-1]
        if isinstance(whole.journal[cut - 1], events.OperationIntended)
    ]
    ends = set()
    for cut in cuts:
        again = Campaign(setting).kill_at(cut, sends_last=False).resumed().finish()

        assert broken_promises(again) == []
        ends |= set(differences(again, whole).values())

    assert ends == {("succeeded", "in_doubt")}


@pytest.mark.parametrize("story", STORIES)
def test_a_run_that_is_killed_again_and_again_still_comes_to_its_end(story):
    whole = undisturbed(story)
    campaign = Campaign(STORIES[story])
    for _ in range(200):
        length = len(campaign.journal) + 9
        campaign.kill_at(length, sends_last=length % 2 == 0)
        if campaign.run.is_over:
            break
        campaign = campaign.resumed()
    campaign.finish()

    assert broken_promises(campaign) == []
    for device, (before, after) in differences(campaign, whole).items():
        assert after in ("in_doubt", "failed"), (device, before, after)  # attempts were used up
