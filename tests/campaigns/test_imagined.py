"""The campaigns of drawn plans, imagined: the brain comes to an end there too."""

import random

import pytest

from orchestrator.engine.rollout.sparing import PATIENCE
from orchestrator.model.plans import Plan
from orchestrator.planning.foresight.experiencing import Experience
from orchestrator.planning.foresight.imagining import Campaign
from tests.campaigns.drawing import draw

SEEDS = 150


def is_endless(plan: Plan) -> bool:
    """A place that stays shut is waited for longer than such a window is ever open (PATIENCE)."""
    window = plan.playbook.window
    return bool(plan.limits.max_down_per) and window is not None and window.lasts < PATIENCE


@pytest.mark.parametrize("step", [0.0, 5.0], ids=["every moment", "taken together"])
def test_every_imagined_campaign_ends_with_a_verdict_for_every_device(step):
    unended = []
    for seed in range(100, 100 + SEEDS):
        plan = draw(seed).plan()
        chance = random.Random(seed).random
        campaign = Campaign(plan, Experience(), chance, begins_at=plan.created_at, step=step)
        campaign.to_the_end()
        if is_endless(plan):
            continue
        if campaign.is_cut_short or campaign.run.verdicts.total() != len(plan.devices):
            unended.append(seed)

    assert unended == []
