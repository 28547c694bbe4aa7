"""A plan that goes on after another run: each device begins at the step where it stopped."""

import pytest

from orchestrator.model import events
from orchestrator.model.answers import Refusal
from orchestrator.model.orders import Cancel
from orchestrator.model.plans import Wave
from orchestrator.model.policies import GroupLimit
from orchestrator.model.selections import Below, Condition, Selection
from tests.support.stories import ANA, Story, check, step

FACTORY, RECONF, SYNC = step("factory"), step("reconf"), step("sync")


def test_a_device_begins_at_the_step_where_it_stopped():
    story = Story(FACTORY, RECONF, begins_at={1: 1}).settles()

    assert story.operations == [(1, "reconf")]


def test_what_comes_before_that_step_is_never_done():
    story = Story(FACTORY, RECONF, SYNC, begins_at={1: 1}).settles()

    story.accepts().shows(last_configuration=5, last_connection=5).until(60)
    story.accepts().shows(last_configuration=70, last_connection=70).until(160)

    assert story.operations == [(1, "reconf"), (1, "sync")]
    assert story.verdict() == "succeeded"


def test_a_device_that_only_needs_a_gentle_step_takes_no_place_among_those_down():
    story = Story(FACTORY, RECONF, devices=3, max_down=1, begins_at={1: 1, 2: 1}).settles()

    assert story.operations == [(1, "reconf"), (2, "reconf"), (3, "factory")]


def test_nor_does_it_wait_for_its_group():
    story = Story(
        FACTORY,
        RECONF,
        devices=2,
        max_down=2,
        per=[GroupLimit(("location",), 1)],
        groups={1: ("500",), 2: ("500",)},
        begins_at={2: 1},
    ).settles()

    assert sorted(story.operations) == [(1, "factory"), (2, "reconf")]


def test_a_stopped_run_does_not_begin_what_an_earlier_one_left_in_the_middle_of_its_chain():
    story = Story(FACTORY, RECONF, devices=2, in_flight=1, begins_at={1: 1, 2: 1}).settles()

    story.obeys(Cancel(ANA)).accepts().shows(last_configuration=5, last_connection=5).until(60)

    assert story.verdict(2) == "not_started"
    assert story.run.finished_at is not None


def test_once_its_configuration_was_asked_for_it_is_finished_in_spite_of_a_stop():
    story = Story(FACTORY, RECONF, SYNC, begins_at={1: 1}).settles()

    story.refuses(503, Refusal.BUSY).obeys(Cancel(ANA)).later(120)

    assert story.operations == [(1, "reconf"), (1, "reconf")]


@pytest.mark.parametrize("stopped", [False, True], ids=["goes through", "was stopped"])
def test_a_device_that_begins_behind_the_last_operation_ends_too(stopped):
    story = Story(FACTORY, RECONF, check(), devices=2, waves=[Wave(1), Wave(1)], begins_at={2: 2})
    story.settles()
    if stopped:
        story.obeys(Cancel(ANA))
    story.refuses(404, Refusal.GONE).later(60)

    assert story.verdict(2) == ("not_started" if stopped else "succeeded")
    assert story.run.finished_at is not None


def test_its_selection_is_not_asked_again_for_the_run_before_may_have_changed_that():
    old = Selection(where=(Condition("software_version", Below("2.0")),))

    first = Story(FACTORY, RECONF, selection=old).shows(software_version="2.4").settles()
    second = Story(FACTORY, RECONF, selection=old, goes_on_after="yesterday", begins_at={1: 1})
    second.shows(software_version="2.4").settles()

    assert first.verdict() == "skipped"
    assert second.operations == [(1, "reconf")]


def test_a_walk_that_began_in_the_middle_says_nothing_of_how_long_whole_walks_take():
    story = Story(FACTORY, RECONF, expected=(600, 300), begins_at={1: 1}).settles()
    story.accepts().shows(last_configuration=5, last_connection=5).until(60)

    assert story.events(events.DeviceFinished)
    assert not story.run.durations._newest


def test_what_a_reset_that_was_never_proven_left_pending_does_not_keep_a_device_out():
    """It reads `initial` after a factory reset; it is for such devices that a run is gone on with."""
    story = Story(FACTORY, RECONF, unproven=[1], goes_on_after="yesterday")

    story.shows(pending_settings="initial").settles()

    assert story.operations == [(1, "factory")]


def test_a_reset_that_is_pending_still_is_not_doubled():
    story = Story(FACTORY, RECONF, unproven=[1], goes_on_after="yesterday")

    story.shows(pending_settings="factory_requested").settles()

    assert story.operations == []
    assert story.verdict() == "unconfirmed"
    assert story.reason().startswith("the factory that was never proven is pending still")


@pytest.mark.parametrize("plan", [{"unproven": [1]}, {"begins_at": {1: 1}}])
def test_a_device_without_its_configuration_is_never_passed_over_as_skipped(plan):
    story = Story(FACTORY, RECONF, goes_on_after="yesterday", **plan)

    story.shows(status="Down").settles()

    assert story.verdict() == "unconfirmed"
    assert story.reason() == (
        "status is Down, not Up; an earlier run reset it, and nothing proved its configuration since"
    )
