"""Imagined devices are told in one step what their events would come to, and nothing else."""

import random

import pytest

from orchestrator.engine.folding import fold
from orchestrator.engine.walking import concluding
from orchestrator.engine.walking.progressing import DeviceRun
from orchestrator.model import events
from orchestrator.model.devices import Status
from orchestrator.model.operations import Action, Operation
from orchestrator.model.plans import Plan, Wave
from orchestrator.model.policies import Allowance, Budget, GroupLimit
from orchestrator.model.verdicts import Verdict
from orchestrator.planning.foresight.experiencing import Experience, Outcomes
from orchestrator.planning.foresight.imagining import Campaign
from orchestrator.planning.foresight.shortening import FORESEEN, ImaginedRun
from orchestrator.planning.timing import WithContact
from tests.campaigns.drawing import draw
from tests.support.stories import T0, check, plan_of, sleep, step

REBOOT, FACTORY, RECONF, SYNC = map(step, ("reboot", "factory", "reconf", "sync"))
UNSEEN = events.Baseline(read_at=0.0, status=Status.UP.value)


class ToldByEvents(ImaginedRun):
    """The same run, whose every change is the fold of an event."""

    def leave(self, run: DeviceRun, at: float) -> None:
        what = run.operation.value
        where = (at, run.id, run.step, run.attempt + 1)
        fold(self, events.OperationIntended(*where, what, at, UNSEEN))

    def accept(self, run: DeviceRun, at: float) -> None:
        where = (at, run.id, run.step, run.attempt)
        fold(self, events.OperationAccepted(*where, 200, run.asked_after))

    def come_through(self, run: DeviceRun, at: float) -> None:
        for event in concluding.succeed(run, at, FORESEEN):
            fold(self, event)


class CampaignByEvents(Campaign):
    """An imagined campaign of such a run."""

    runs = ToldByEvents


def figures(of: type[Campaign], plan: Plan, experience: Experience, step: float) -> dict:
    """Give all that a forecast takes from a campaign, and how much chance it took."""
    chance, drawn = random.Random(5).random, []
    campaign = of(
        plan,
        experience,
        lambda: drawn.append(chance()) or drawn[-1],
        begins_at=plan.created_at,
        slowness=1.1,
        step=step,
    ).to_the_end()
    run = campaign.run
    return {
        "ends_at": campaign.ends_at,
        "requests": campaign.requests,
        "by_minute": campaign.by_minute,
        "peak_down": campaign.peak_down,
        "group_peaks": campaign.group_peaks,
        "wave_ends": campaign.wave_ends,
        "bound": campaign.bound,
        "asked": campaign.asked,
        "left_at_cutoff": campaign.left_at_cutoff,
        "is_cut_short": campaign.is_cut_short,
        "stopped": run.stopped,
        "verdicts": run.verdicts,
        "last_at": run.last_at,
        "drawn": drawn,
    }


def mixed() -> Experience:
    """Every operation succeeds, fails, stays unproven, stays in doubt and is skipped now and then."""
    outcomes = Outcomes(
        seconds=tuple(20.0 + each for each in range(60)),
        failures=((Verdict.FAILED, 300.0), (Verdict.UNCONFIRMED, 900.0), (Verdict.IN_DOUBT, 500.0)),
        skipped=5,
        requests=80,
    )
    kinds = [*Operation, *Action, *map(WithContact, Action)]
    return Experience(by_kind={(each, None): outcomes for each in kinds}, approval_seconds=100.0)


@pytest.mark.parametrize("step", [0.0, 5.0], ids=["every moment", "taken together"])
def test_drawn_campaigns_go_as_they_would_go_by_their_events(step):
    otherwise = []
    for seed in range(60):
        plan = draw(seed).plan()
        in_short = figures(Campaign, plan, mixed(), step)
        if in_short != figures(CampaignByEvents, plan, mixed(), step):
            otherwise.append(seed)

    assert otherwise == []


@pytest.mark.parametrize(
    "plan",
    [
        plan_of(FACTORY, RECONF, devices=80, max_down=8),
        plan_of(check(), FACTORY, sleep(30), RECONF, devices=40, max_down=8, delay=0.2),
        plan_of(SYNC, REBOOT, devices=40, max_down=4, rescue=(FACTORY, RECONF)),
        plan_of(FACTORY, RECONF, devices=60, max_down=9, waves=[Wave(10), Wave(50, 20)]),
        plan_of(REBOOT, devices=60, max_down=9, budget=Budget(failed=1)),
        plan_of(REBOOT, SYNC, devices=30, allowances=(Allowance(Operation.SYNC, 1, 3600.0),)),
        plan_of(
            REBOOT,
            devices=40,
            max_down=9,
            per=[GroupLimit(("location",), 1)],
            groups={each: (f"hall {each % 4}",) for each in range(1, 41)},
        ),
    ],
    ids=["chain", "steps without requests", "rescue", "waves", "budget", "allowance", "groups"],
)
def test_a_campaign_goes_as_it_would_go_by_its_events(plan):
    in_short = figures(Campaign, plan, mixed(), 1.0)

    assert in_short == figures(CampaignByEvents, plan, mixed(), 1.0)
    assert in_short["drawn"]


def test_a_device_through_its_steps_is_as_its_events_would_leave_it():
    plan = plan_of(FACTORY, RECONF)
    left = []
    for of in (Campaign, CampaignByEvents):
        run = of(plan, mixed(), random.Random(1).random, begins_at=T0).run
        device = run.begin(plan.devices[0])
        run.leave(device, T0 + 1)
        run.accept(device, T0 + 2)
        run.come_through(device, T0 + 50)
        run.leave(device, T0 + 60)
        run.accept(device, T0 + 61)
        left.append([getattr(device, each) for each in LASTING] + [run.pace, run.last_at])
        run.come_through(device, T0 + 90)
        left[-1] += [device.phase, device.verdict, run.waits.underway, run.admissions.down]

    assert left[0] == left[1]


LASTING = (
    "step",
    "phase",
    "attempt",
    "touched",
    "holds_slot",
    "unproven",
    "began_at",
    "idle_since",
    "held",
    "poll_at",
)
