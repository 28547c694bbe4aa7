"""Whatever happens to a run, it sleeps only while it waits for somebody, and in the end it ends."""

import random
from collections.abc import Callable
from contextlib import suppress

import pytest

from orchestrator.engine.run import replayed
from orchestrator.model import events
from orchestrator.model.amounts import Share
from orchestrator.model.answers import Refusal
from orchestrator.model.orders import (
    Approve,
    Cancel,
    ChangeLimit,
    Continue,
    Order,
    OrderRefusedError,
    Pause,
)
from orchestrator.model.plans import Wave
from orchestrator.model.policies import Approver, BetweenWaves, Budget, GroupLimit, Rollout
from orchestrator.model.readings import ReadingFailed
from orchestrator.model.steps import ApproveStep, NotifyStep
from orchestrator.model.verdicts import Verdict
from orchestrator.model.windows import Window
from tests.support.stories import ANA, BEN, T0, Story, check, durable, sleep, step

DEVICES = 9
SEQUENCES = (
    (step("reboot"),),
    (step("factory", attempts=2), sleep(60.0), step("reconf")),
    (check(), step("sync", attempts=2), ApproveStep("Go on?"), step("reboot")),
    (step("reboot", attempts=1), NotifyStep("half"), sleep(600.0), step("reboot", attempts=2)),
)
ORDERS: tuple[Order, ...] = (
    Pause(ANA),
    Continue(BEN),
    Approve(BEN),
    Approve(BEN),
    Approve(BEN, granted=False),
    Cancel(ANA),
    Cancel(ANA, abandon=True),
    ChangeLimit(ANA, "max_down", 1),
    ChangeLimit(ANA, "max_down_per.location", 1),
    ChangeLimit(ANA, "max_down_per.location", 2),
)


def some_story(rng: random.Random) -> Story:
    waves, between = (), BetweenWaves()
    if rng.random() < 0.5:
        waves = (Wave(1, 1), Wave(3, 2), Wave(5))
        approval = rng.choice((None, Approver.ANYBODY))
        between = BetweenWaves(rng.choice((0.0, 120.0)), Share.of_percent("50"), approval)
    per = rng.choice(((), (GroupLimit(("location",), 2),)))
    window = Window("0 * * * *", 2400.0, "UTC", rng.choice((None, 600.0)))
    return Story(
        *rng.choice(SEQUENCES),
        devices=DEVICES,
        max_down=rng.choice((1, 3, DEVICES)),
        delay=rng.choice((0.0, 5.0)),
        chance=rng.random(),
        rescue=rng.choice(((), (step("sync"),))),
        rollout=Rollout(DEVICES, between_waves=between, ramp=rng.random() < 0.3),
        waves=waves,
        budget=rng.choice((Budget(), Budget(failed=3, unconfirmed=3))),
        per=per,
        groups={n: (f"place {n % 3}",) for n in range(1, DEVICES + 1)} if per else {},
        window=rng.choice((None, window)),
        zones=dict.fromkeys((2, 5), "Asia/Kolkata"),
        expected=(300, 60, 300, 300),
    )


def answer(story: Story, rng: random.Random) -> None:
    device = story.open[0].device
    match rng.randrange(8):
        case 0:
            story.drops()
        case 1:
            story.refuses(503, Refusal.BUSY, 20.0)
        case 2:
            story.refuses(422, Refusal.STATE)
        case 3:
            story.cannot_connect()
        case _:
            at = story.now - T0
            story.shows(device, status="Down", status_change=at + 3, last_connection=at + 2)
            story.accepts()


def contact(story: Story, rng: random.Random) -> None:
    """Some devices make contact, and most of those that were down come back with it."""
    at = story.now - T0
    for device in range(1, DEVICES + 1):
        if rng.random() < 0.5:
            seen = {"last_connection": at, "last_configuration": at, "status": "Up"}
            story.shows(device, **seen)


def trouble(story: Story, rng: random.Random) -> None:
    match rng.randrange(5):
        case 0:
            story.shows(rng.randrange(1, DEVICES + 1), status="Down")
        case 1:
            story.another(77, status="Down", location=f"place {rng.randrange(3)}")
        case 2:
            story.elsewhere = {rng.randrange(1, DEVICES + 1): "run r7"}
        case 3:
            story.is_usable = False
            story.reads_fail = ReadingFailed((), "refused", unreachable=True)
        case _:
            story.crashes(later=rng.choice((0.0, 30.0, 5000.0)))


def mend(story: Story) -> None:
    story.is_usable, story.reads_fail, story.elsewhere = True, None, {}
    story.another(77)


def order(story: Story, rng: random.Random) -> None:
    with suppress(OrderRefusedError):
        story.obeys(rng.choice(ORDERS))


def assert_somebody_is_waited_for(story: Story) -> None:
    """A run that would sleep for ever waits for an answer, or for a person."""
    run = story.run
    if run.is_over or run.next_wake() is not None:
        return
    assert story.open or run.approvals.open or run.pause is not None


def lives(story: Story, rng: random.Random) -> None:
    doings: list[Callable[[], None]] = [
        lambda: answer(story, rng) if story.open else None,
        lambda: answer(story, rng) if story.open else None,
        lambda: contact(story, rng),
        lambda: contact(story, rng),
        lambda: trouble(story, rng),
        lambda: mend(story),
        lambda: order(story, rng),
    ]
    for _ in range(60):
        if story.run.is_over:
            return
        rng.choice(doings)()
        story.later(rng.choice((0.0, 1.0, 20.0, 200.0, 1000.0)))
        assert_somebody_is_waited_for(story)
        again = replayed(story.plan, story.journal, patience=story.patience)
        assert durable(again) == durable(story.run)


def comes_to_its_end(story: Story, rng: random.Random) -> None:
    """Everything is well from now on, and whoever is asked agrees."""
    for _ in range(3000):
        if story.run.finished_at is not None:
            return
        if story.run.interrupted is not None:
            story.crashes()
        mend(story)
        if story.run.pause is not None and story.run.stopped is None:
            story.obeys(Continue(BEN))
        if story.run.approvals.open:
            story.obeys(Approve(BEN, next(iter(story.run.approvals.open))))
        while story.open:
            story.accepts()
        story.later(40.0)
        contact(story, rng)
    raise AssertionError("the run never comes to its end")


@pytest.mark.parametrize("seed", range(40))
def test_a_run_never_sleeps_for_ever_and_comes_to_its_end(seed):
    rng = random.Random(seed)
    story = some_story(rng).settles()
    lives(story, rng)
    comes_to_its_end(story, rng)

    assert story.run.ended == DEVICES
    assert {device.verdict for device in story.run.devices.values()} <= set(Verdict)
    finished = [event.device for event in story.events(events.DeviceFinished)]
    assert sorted(finished) == list(range(1, DEVICES + 1))
    run = story.run
    assert (run.admissions.down, run.admissions.in_flight) == (0, 0)
    assert run.admissions.free_places == run.limits.max_down
