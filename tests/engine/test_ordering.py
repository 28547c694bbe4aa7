"""The hand on the switch: what every order does, and every sentence that refuses one."""

import math

import pytest

from orchestrator.engine.run import replayed
from orchestrator.model import events
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
from orchestrator.model.policies import Approver, GroupLimit
from orchestrator.model.readings import ReadingFailed
from orchestrator.model.steps import ApproveStep
from tests.support.stories import ANA, BEN, Story, durable, step

REBOOT = step("reboot")
BY_LOCATION = GroupLimit(("location",), 2)
BY_BOTH = GroupLimit(("organization_id", "type"), 5)


def running(count: int = 5, **story: object) -> Story:
    settings = {"max_down": 4, "in_flight": 20, "delay": 0.2, "per": (BY_LOCATION, BY_BOTH)}
    groups = dict.fromkeys(range(1, count + 1), ("north", "5, 15"))
    return Story(REBOOT, devices=count, **{**settings, "groups": groups, **story}).settles()


def simple(count: int = 3, **story: object) -> Story:
    return Story(REBOOT, devices=count, **{"max_down": count, **story}).settles()


def finished() -> Story:
    story = simple(1).refuses(404, Refusal.GONE)
    assert story.run.finished_at is not None
    return story


def stopped() -> Story:
    story = Story(step("factory"), step("reconf"), devices=2, max_down=1).settles().accepts()
    return story.obeys(Cancel(ANA))


def asking(*, by: Approver = Approver.ANYBODY) -> Story:
    return Story(ApproveStep("Go on?", by), REBOOT, devices=2, max_down=2).settles()


def refusal(story: Story, order: Order) -> str:
    """Give the sentence that refuses an order, having made sure that it changed nothing."""
    journal, before = list(story.journal), durable(story.run)
    with pytest.raises(OrderRefusedError) as refused:
        story.obeys(order)
    assert (story.journal, durable(story.run)) == (journal, before)
    return str(refused.value)


# --- who, when and why ----------------------------------------------------------------------------


def test_every_order_is_recorded_with_who_where_and_why():
    story = simple().obeys(Pause(ANA)).obeys(Continue(BEN)).obeys(ChangeLimit(BEN, "max_down", 2))
    story.obeys(Cancel(ANA, abandon=True))

    kinds = (events.PauseOrdered, events.ContinueOrdered, events.LimitOrdered, events.CancelOrdered)
    told = [(e.by, e.host, e.why) for e in story.events(*kinds)]
    ana, ben = ("ana", "noc-1", "ticket 12"), ("ben", "noc-2", "")
    assert told == [ana, ben, ben, ana]
    assert story.last(events.CancelOrdered).abandon


def test_an_order_is_never_recorded_before_what_happened_already():
    story = simple()
    story.later(10)
    (event,) = story.run.obey(Pause(ANA), story.now - 1000)

    assert event.at >= story.run.last_at


def test_what_was_ordered_survives_the_process():
    story = running().obeys(ChangeLimit(BEN, "max_down_per.location", 1)).obeys(Pause(ANA))
    story.crashes(later=60.0)

    assert story.run.pause.by == "ana"
    assert story.run.limits.max_down_per[0].at_most == 1
    assert durable(replayed(story.plan, story.journal)) == durable(story.run)


# --- finished -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("order", "verb"),
    [
        (Pause(ANA), "pause"),
        (Continue(ANA), "continue"),
        (Cancel(ANA), "cancel"),
        (Approve(ANA), "approve"),
        (Approve(ANA, granted=False), "deny"),
        (ChangeLimit(ANA, "max_down", 1), "limit"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_finished_run_takes_no_order(order, verb):
    assert refusal(finished(), order) == (
        f"the run is finished since 2026-11-22 04:15:00Z; there is nothing to {verb}"
    )


# --- pause and continue ---------------------------------------------------------------------------


def test_a_paused_run_is_not_paused_again():
    story = simple().obeys(Pause(ANA)).later(600)

    assert refusal(story, Pause(BEN)) == (
        "the run is paused already, by ana since 2026-11-22 04:15:00Z"
    )


def test_a_stopped_run_is_neither_paused_nor_continued():
    assert refusal(stopped(), Pause(BEN)) == (
        "the run was stopped (ana cancelled it: ticket 12);"
        " it starts nothing any more, so there is nothing to pause"
    )
    assert refusal(stopped(), Continue(BEN)) == (
        "the run was stopped (ana cancelled it: ticket 12);"
        " a stopped run is never continued; make a new one"
    )


def test_what_nobody_paused_is_not_continued():
    assert refusal(simple(), Continue(ANA)) == "the run is not paused"


def test_who_wants_to_continue_a_run_that_asks_is_told_what_it_waits_for():
    assert refusal(asking(), Continue(ANA)) == (
        "nobody paused the run: it waits for an approval of step 1"
    )


def test_who_wants_to_continue_while_the_controller_is_gone_is_told_that_it_goes_on_by_itself():
    story = simple()
    story.is_usable = False
    for _ in range(3):
        story.run.observe(ReadingFailed((), "refused", unreachable=True), story.now)
    story.settles()

    assert refusal(story, Continue(ANA)) == (
        "nobody paused the run: it waits for the controller and goes on by itself"
    )


def test_a_run_that_waits_for_the_controller_can_be_paused_by_a_person_too():
    story = simple(2, max_down=1)
    story.is_usable = False
    for _ in range(3):
        story.run.observe(ReadingFailed((), "refused", unreachable=True), story.now)
    story.settles().obeys(Pause(ANA)).refuses(404, Refusal.GONE)
    story.is_usable = True

    assert story.later(600).operations == [(1, "reboot")]
    assert story.obeys(Continue(ANA)).later(60).operations == [(1, "reboot"), (2, "reboot")]


def test_a_run_is_paused_and_continued_as_often_as_wanted():
    story = simple(3, max_down=3, delay=10.0)
    for _ in range(5):
        story.obeys(Pause(ANA)).later(60).obeys(Continue(BEN))

    assert [device for device, _ in story.later(60).operations] == [1, 2, 3]


# --- cancel ---------------------------------------------------------------------------------------


def test_a_cancelled_run_is_not_cancelled_again_but_can_be_abandoned():
    story = stopped()

    assert refusal(story, Cancel(BEN)) == (
        "the run was stopped already (ana cancelled it: ticket 12); 1 device is finished still"
    )
    story.obeys(Cancel(BEN, abandon=True))
    assert refusal(story, Cancel(BEN, abandon=True)).startswith("the run was stopped already")


def test_a_paused_run_can_be_cancelled():
    story = simple(2, max_down=1).obeys(Pause(ANA)).obeys(Cancel(BEN)).refuses(404, Refusal.GONE)

    assert story.last(events.RunStopped).detail == "ben cancelled it"
    assert story.run.finished_at is not None


# --- approve --------------------------------------------------------------------------------------


def test_where_nothing_is_asked_nothing_is_answered():
    assert refusal(simple(), Approve(ANA)) == (
        "the run asks nothing now, so there is nothing to answer"
    )


def test_what_is_not_asked_is_not_answered():
    assert refusal(asking(), Approve(ANA, "wave 2")) == (
        "the run does not ask about 'wave 2' now; it asks about step 1"
    )


def test_the_name_of_a_question_is_taken_however_it_is_spaced_and_cased():
    assert asking().obeys(Approve(ANA, " Step  1 ")).events(events.ApprovalGiven)


@pytest.mark.parametrize("granted", [True, False])
def test_who_started_the_run_does_not_answer_what_another_has_to(granted):
    assert refusal(asking(by=Approver.ANOTHER), Approve(ANA, granted=granted)) == (
        "step 1 has to be answered by another person than ana, who started the run"
    )


def test_when_two_things_are_asked_one_has_to_be_named():
    story = Story(ApproveStep("A?"), REBOOT, ApproveStep("B?"), step("sync"), devices=1).settles()
    story._record([events.ApprovalAsked(story.now, "step 3", "B?")])

    assert refusal(story, Approve(ANA)) == (
        "the run asks more than one thing; name one of them: step 1, step 3"
    )
    assert story.obeys(Approve(ANA, "step 3")).run.approvals.open.keys() == {"step 1"}


def test_an_answer_is_given_once():
    story = asking().obeys(Approve(ANA))

    assert refusal(story, Approve(BEN, granted=False)) == (
        "the run asks nothing now, so there is nothing to answer"
    )


# --- limits ---------------------------------------------------------------------------------------


def test_a_limit_that_the_run_does_not_have_is_told_with_those_it_has():
    assert refusal(running(), ChangeLimit(ANA, "max_dwon", 3)) == (
        "there is no limit 'max_dwon' to change in this run; there are max_down, in_flight, delay,"
        " max_down_per.location, max_down_per.organization_id, type"
    )
    assert refusal(simple(), ChangeLimit(ANA, "max_down_per.location", 1)) == (
        "there is no limit 'max_down_per.location' to change in this run;"
        " there are max_down, in_flight, delay"
    )


@pytest.mark.parametrize(
    ("limit", "value", "sentence"),
    [
        ("max_down", 5, "max_down 5 is above the plan's 4; a run never goes beyond its plan"),
        ("in_flight", 21, "in_flight 21 is above the plan's 20; a run never goes beyond its plan"),
        (
            "max_down_per.location",
            3,
            "max_down_per.location 3 is above the plan's 2; a run never goes beyond its plan",
        ),
        (
            "max_down",
            0,
            "max_down is a whole number from 1 on, not 0; to start nothing at all, pause the run",
        ),
        ("max_down", -1, "max_down is a whole number from 1 on, not -1"),
        ("max_down", 1.5, "max_down is a whole number from 1 on, not 1.5"),
        ("max_down", 4, "max_down is 4 already"),
        ("delay", 0.2, "delay is 200ms already"),
        (
            "delay",
            0.1,
            "delay 100ms is shorter than the plan's 200ms; a run never goes beyond its plan",
        ),
        ("delay", math.inf, "delay has to be a number, not inf"),
        ("delay", math.nan, "delay has to be a number, not nan"),
        ("max_down", math.inf, "max_down has to be a number, not inf"),
    ],
)
def test_a_limit_is_never_set_beyond_the_plan_or_to_nonsense(limit, value, sentence):
    assert refusal(running(), ChangeLimit(ANA, limit, value)) == sentence


def test_a_lowered_limit_keeps_devices_back_and_takes_none_from_those_under_way():
    story = simple(4, max_down=3)
    assert len(story.operations) == 3
    story.obeys(ChangeLimit(ANA, "max_down", 1)).refuses(404, Refusal.GONE)
    assert len(story.refuses(404, Refusal.GONE).later(5).operations) == 3

    assert len(story.refuses(404, Refusal.GONE).later(5).operations) == 4


def test_a_limit_can_be_raised_again_up_to_the_plan_and_counts_at_once():
    story = simple(6, max_down=4).obeys(ChangeLimit(ANA, "max_down", 1))
    for _ in range(4):
        story.refuses(404, Refusal.GONE)
    assert len(story.operations) == 5

    story.obeys(ChangeLimit(ANA, "max_down", 4))

    assert len(story.operations) == 6
    changes = [(e.before, e.value) for e in story.events(events.LimitOrdered)]
    assert changes == [(4.0, 1), (1.0, 4)]


def test_a_longer_delay_holds_from_the_next_request_on():
    story = simple(4, max_down=4, delay=1.0).obeys(ChangeLimit(ANA, "delay", 60.0))

    assert len(story.later(59).operations) == 1
    assert len(story.later(61).operations) == 3


def test_fewer_in_flight_hold_back_the_next_request():
    story = simple(4, max_down=4, in_flight=3)
    assert len(story.open) == 3
    story.obeys(ChangeLimit(ANA, "in_flight", 1))

    assert len(story.accepts().accepts().operations) == 3
    assert len(story.accepts().operations) == 4


def test_a_group_limit_that_is_raised_lets_those_who_wait_go_on():
    north = dict.fromkeys((1, 2, 3), ("north",))
    story = Story(REBOOT, devices=3, max_down=3, per=(BY_LOCATION,), groups=north)
    story.obeys(ChangeLimit(ANA, "max_down_per.location", 1)).settles()
    assert len(story.operations) == 1

    story.obeys(ChangeLimit(ANA, "max_down_per.location", 2))

    assert len(story.operations) == 2


def test_a_limit_of_several_fields_is_named_by_them():
    story = running().obeys(ChangeLimit(ANA, "max_down_per.organization_id,type", 1))

    assert story.run.limits.max_down_per == (BY_LOCATION, GroupLimit(BY_BOTH.fields, 1))
