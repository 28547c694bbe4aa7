"""A device in the middle of its chain is finished whatever happens; only `--abandon` leaves it there."""

from dataclasses import replace

import pytest

from orchestrator.engine.run import replayed
from orchestrator.engine.walking.progressing import Phase
from orchestrator.model import events
from orchestrator.model.answers import Refusal
from orchestrator.model.commands import HoldDevices
from orchestrator.model.devices import DeviceId
from orchestrator.model.orders import Approve, Cancel, Continue, Order, OrderRefusedError, Pause
from orchestrator.model.policies import Approver, Budget, GroupLimit
from orchestrator.model.steps import ApproveStep, NotifyStep, Step
from orchestrator.model.verdicts import Verdict
from orchestrator.model.windows import Window
from tests.support.stories import ANA, BEN, T0, Story, check, durable, sleep, step

REBOOT, SYNC, FACTORY, RECONF = (step(name) for name in ("reboot", "sync", "factory", "reconf"))
REDEPLOY = (FACTORY, sleep(100.0), RECONF)
ONE_AT_A_TIME = Budget(failed=0)
UNTOUCHABLE = step("reboot", attempts=1)
STOPS: dict[str, Order] = {
    "paused": Pause(ANA),
    "cancelled": Cancel(ANA),
}


def returns(story: Story, device: int = 1) -> Story:
    """A device that took its request goes down and comes back, and is proven back."""
    at, step = story.now - T0, story.device(device).step
    story.shows(device, status="Down", status_change=at + 10, last_connection=at + 5).later(20)
    story.shows(device, status="Up", status_change=at + 18, last_connection=at + 18)
    while story.device(device).step == step and story.verdict(device) is None:
        assert story.now < T0 + at + 600
        story.later(5)
    return story


def is_done(story: Story, device: int = 1) -> Story:
    """A gentle operation is carried out."""
    at = story.now - T0
    story.shows(device, last_connection=at + 1, last_configuration=at + 1)
    return story.later(30)


def proving(*steps: Step, **story: object) -> Story:
    return Story(*(steps or REDEPLOY), **story).settles().accepts()


def assert_replays(story: Story) -> None:
    again = replayed(story.plan, story.journal, patience=story.patience)

    assert durable(again) == durable(story.run)


# --- in the middle of a chain ---------------------------------------------------------------------


@pytest.mark.parametrize("order", STOPS.values(), ids=STOPS.keys())
@pytest.mark.parametrize("at", ["proof", "sleep"])
def test_a_device_in_the_middle_of_its_chain_is_finished(order, at):
    story = proving(devices=2, budget=ONE_AT_A_TIME)
    if at == "sleep":
        returns(story)
        assert story.device().phase is Phase.SLEEPING
    story.obeys(order)
    if at == "proof":
        returns(story)

    story.later(110).accepts()
    is_done(story)

    assert story.verdict() == "succeeded"
    assert story.operations == [(1, "factory"), (1, "reconf")]


def test_a_budget_that_stops_the_run_finishes_the_devices_in_their_chains():
    story = Story(*REDEPLOY, devices=3, max_down=2, budget=ONE_AT_A_TIME)
    story.settles().accepts()
    assert story.operations == [(1, "factory")]  # strict: one failure would be too many already

    returns(story).later(110).refuses(404, Refusal.GONE).later(10)

    assert story.last(events.RunStopped).cause == "budget"
    assert [story.verdict(n) for n in (1, 2, 3)] == ["failed", "not_started", "not_started"]


def test_abandoning_leaves_a_device_in_its_chain_and_says_so():
    story = returns(proving()).obeys(Cancel(ANA, abandon=True)).later(200)

    assert story.verdict() == "failed"
    assert story.reason().startswith("abandoned before reconf")
    assert "ana cancelled it: ticket 12" in story.reason()
    assert story.operations == [(1, "factory")]
    assert story.run.finished_at is not None


def test_a_cancelled_run_can_be_abandoned_later():
    story = returns(proving()).obeys(Cancel(ANA))
    assert story.verdict() is None

    story.obeys(Cancel(BEN, abandon=True)).later(200)

    assert story.verdict() == "failed"
    assert len(story.events(events.RunStopped)) == 1


def test_an_abandoned_device_is_not_given_to_the_rescue():
    story = returns(proving(rescue=(SYNC,))).obeys(Cancel(ANA, abandon=True)).later(200)

    assert story.operations == [(1, "factory")]
    assert story.events(events.RescueStarted) == []


@pytest.mark.parametrize("at", ["proof", "sleep", "restoring"])
@pytest.mark.parametrize("order", [*STOPS.values(), Cancel(BEN, abandon=True)])
def test_another_process_finishes_the_chain_all_the_same(order, at):
    story = proving(devices=2, budget=ONE_AT_A_TIME)
    if at != "proof":
        returns(story)
    if at == "restoring":
        story.later(110)
    story.obeys(order)
    assert_replays(story)

    story.crashes(later=10.0)
    if at == "proof":
        returns(story)
    story.later(1000)
    while story.open:
        story.accepts()
        is_done(story)
    story.later(3000)

    assert_replays(story)
    is_abandoned = getattr(order, "abandon", False)
    assert story.verdict(1) == ("failed" if is_abandoned else "succeeded")
    assert [op for op in story.operations if op[0] == 2] == []


# --- outside a chain ------------------------------------------------------------------------------


def between(order: Order, *steps: Step) -> Story:
    """The order comes while the device sleeps before a second operation that restores nothing."""
    story = returns(
        proving(*(steps or (REBOOT, sleep(100.0), REBOOT)), devices=2, budget=ONE_AT_A_TIME)
    )
    return story.obeys(order).later(500)


def test_a_pause_keeps_a_touched_device_from_its_next_operation_and_letting_go_resumes_it():
    story = between(Pause(ANA))
    assert (story.operations, story.verdict()) == ([(1, "reboot")], None)

    story.obeys(Continue(BEN)).later(5)

    assert (1, "reboot") in story.operations[1:]


def test_a_paused_run_sends_nothing_however_long_it_takes():
    story = between(Pause(ANA)).later(30 * 86_400)

    assert story.operations == [(1, "reboot")]
    assert not story.run.is_over


def test_a_cancel_fails_a_touched_device_before_its_next_operation():
    story = between(Cancel(ANA))

    assert story.verdict(1) == "failed"
    assert story.reason() == (
        "the run was stopped before reboot: ana cancelled it: ticket 12;"
        " whatever was done before is proven"
    )
    assert story.verdict(2) == "not_started"


def test_a_cancel_lets_a_device_end_that_has_no_operation_left():
    story = returns(proving(REBOOT, sleep(100.0), check())).obeys(Cancel(ANA)).later(500)

    assert story.verdict() == "succeeded"


def test_a_pause_takes_back_whoever_was_only_waiting_for_the_pace():
    story = Story(REBOOT, devices=3, max_down=3, delay=50.0).settles()
    story.obeys(Pause(ANA)).later(500)
    assert story.operations == [(1, "reboot")]
    assert (story.run.admissions.free_places, story.held) == (2, {1})

    story.obeys(Continue(ANA)).later(200)

    assert [device for device, _ in story.operations] == [1, 2, 3]


def test_a_pause_while_a_guard_is_being_read_sends_nothing():
    story = Story(REBOOT, devices=2, max_down=2)
    story.is_silent = True
    story.settles().obeys(Pause(ANA)).answer_reads().later(100)

    assert (story.operations, story.held) == ([], set())
    story.is_silent = False
    assert len(story.obeys(Continue(ANA)).later(60).operations) == 2


# --- rescue and continue_on -----------------------------------------------------------------------


def test_a_device_whose_step_failed_for_good_is_rescued_and_keeps_its_verdict():
    story = Story(UNTOUCHABLE, rescue=(SYNC,)).settles().refuses(422, Refusal.STATE)
    assert story.operations[-1] == (1, "sync")

    is_done(story.accepts())

    assert story.verdict() == "failed"
    assert story.reason() == ("the controller answered 422 (tried once); the rescue succeeded")


def test_a_rescue_that_does_not_succeed_is_told_with_the_verdict_that_led_to_it():
    story = Story(UNTOUCHABLE, rescue=(SYNC,)).settles().refuses(422, Refusal.STATE)
    story.refuses(404, Refusal.GONE).later(5)

    assert story.verdict() == "failed"
    assert story.reason() == (
        "the controller answered 422 (tried once); the rescue did not succeed:"
        " the controller answered 404"
    )


def test_a_device_in_doubt_is_never_rescued():
    story = Story(REBOOT, rescue=(SYNC,)).settles().drops()
    story.shows(pending_settings=7).later(9000)

    assert story.verdict() == "in_doubt"
    assert story.events(events.RescueStarted) == []


def test_an_unconfirmed_device_is_rescued():
    story = proving(SYNC, rescue=(sleep(10.0), check())).later(1000)

    assert story.verdict() == "unconfirmed"
    assert story.reason().endswith("; the rescue succeeded")


@pytest.mark.parametrize("order", STOPS.values(), ids=STOPS.keys())
def test_a_rescue_inside_a_chain_goes_on_after_a_stop(order):
    story = returns(proving(*REDEPLOY, rescue=(SYNC, RECONF))).later(110)
    story.obeys(order).refuses(404, Refusal.GONE)
    is_done(story.accepts())
    is_done(story.accepts())

    assert story.operations == [(1, "factory"), (1, "reconf"), (1, "sync"), (1, "reconf")]
    assert story.reason().endswith("; the rescue succeeded")


@pytest.mark.parametrize("order", STOPS.values(), ids=STOPS.keys())
def test_a_device_that_was_wiped_and_never_proven_back_is_rescued_to_the_end(order):
    story = proving(FACTORY, RECONF, rescue=(SYNC, RECONF)).obeys(order).later(3000)
    assert story.events(events.RescueStarted)

    for _ in range(2):
        is_done(story.accepts())

    assert story.operations == [(1, "factory"), (1, "sync"), (1, "reconf")]
    assert story.verdict() == "unconfirmed"


def test_a_rescue_outside_a_chain_is_not_begun_after_a_stop():
    story = proving(SYNC, rescue=(RECONF,)).obeys(Cancel(ANA)).later(1000)

    assert story.operations == [(1, "sync")]
    assert story.verdict() == "unconfirmed"
    assert "the rescue did not succeed: the run was stopped before reconf" in story.reason()


def forgiving(verdict: Verdict = Verdict.UNCONFIRMED) -> Step:
    return replace(SYNC, continue_on=(verdict,))


def test_a_device_goes_on_where_the_author_wants_it_and_its_verdict_stays():
    story = proving(forgiving(), RECONF).later(1000).accepts()
    is_done(story)

    assert story.operations == [(1, "sync"), (1, "reconf")]
    assert story.verdict() == "unconfirmed"
    assert story.reason().endswith("; the steps after it succeeded")


def test_only_the_verdicts_that_the_author_named_are_let_pass():
    story = Story(forgiving(), RECONF).settles().refuses(404, Refusal.GONE)

    assert (story.verdict(), story.operations) == ("failed", [(1, "sync")])


def test_a_failing_check_can_be_let_pass_too():
    story = Story(replace(check(), continue_on=(Verdict.FAILED,)), SYNC).settles()

    assert story.operations == [(1, "sync")]


def test_a_forgiven_device_counts_against_the_budget():
    story = proving(forgiving(), RECONF, devices=2, budget=Budget(unconfirmed=0)).later(1000)
    is_done(story.accepts())
    story.later(5)

    assert story.last(events.RunStopped).cause == "budget"
    assert story.verdict(2) == "not_started"


@pytest.mark.parametrize("then", ["rescue", "continue"])
def test_a_device_that_never_was_proven_back_counts_in_its_group_while_it_is_gone_on_with(then):
    """Nobody knows that it is back, so its neighbour has to wait."""
    first = replace(REBOOT, continue_on=(Verdict.UNCONFIRMED,) if then == "continue" else ())
    more = {"rescue": (sleep(3000.0),)} if then == "rescue" else {}
    steps = (first,) if then == "rescue" else (first, sleep(3000.0))
    story = Story(
        *steps,
        devices=2,
        max_down=2,
        per=(GroupLimit(("location",), 1),),
        groups={1: ("north",), 2: ("north",)},
        **more,
    )
    story.settles().later(1).accepts().later(1)
    story.shows(1, status="Down", status_change=10, last_connection=5).later(1500)
    assert story.device().phase is Phase.SLEEPING

    assert story.later(1000).operations == [(1, "reboot")]
    assert story.run.admissions.free_places == 1

    story.shows(1, status="Up", last_connection=story.now - T0).later(2000)
    assert story.verdict(1) == "unconfirmed"
    story.shows(1, last_connection=story.now - T0).later(180)
    assert story.operations == [(1, "reboot"), (2, "reboot")]


# --- approve and notify ---------------------------------------------------------------------------

ASK = ApproveStep("Is the first site well?")


def test_an_approve_step_asks_once_and_holds_for_every_device_after_it():
    story = Story(ASK, SYNC, devices=3, max_down=3).settles().later(86_400)
    asked = story.events(events.ApprovalAsked)
    assert [(e.what, e.question) for e in asked] == [("step 1", "Is the first site well?")]
    assert story.operations == []

    story.obeys(Approve(ANA)).later(5)

    assert len(story.operations) == 3
    assert len(story.events(events.ApprovalAsked)) == 1


def test_a_device_that_comes_later_passes_an_approval_that_was_given():
    story = Story(REBOOT, ASK, SYNC, devices=2).settles().accepts()
    returns(story).obeys(Approve(ANA)).accepts()
    returns(story, 2)

    assert (
        story.last(events.StepSucceeded).evidence == "approved by ana"
        or (
            2,
            "sync",
        )
        in story.operations
    )


def test_denying_a_step_stops_the_run():
    story = Story(ASK, SYNC, devices=2, max_down=2).settles()
    story.obeys(Approve(BEN, granted=False)).later(10)

    assert story.last(events.RunStopped).cause == "denied"
    assert [story.verdict(n) for n in (1, 2)] == ["not_started"] * 2
    assert story.run.finished_at is not None


def test_an_approval_by_another_is_not_taken_from_who_started_the_run():
    story = Story(ApproveStep("Go on?", Approver.ANOTHER), SYNC).settles()

    with pytest.raises(OrderRefusedError):
        story.obeys(Approve(ANA))

    assert story.obeys(Approve(BEN)).later(5).operations == [(1, "sync")]


def test_an_approval_inside_a_chain_is_not_asked_any_more_after_a_stop():
    """Nobody leaves a wiped device without its configuration by not answering."""
    story = returns(proving(FACTORY, ASK, RECONF)).obeys(Cancel(ANA)).later(5)
    assert story.run.approvals.open == {}

    is_done(story.accepts())

    assert story.verdict() == "succeeded"


def test_denying_inside_a_chain_stops_the_run_and_the_device_gets_its_configuration_back():
    story = returns(proving(FACTORY, ASK, RECONF)).obeys(Approve(BEN, granted=False)).later(10)
    assert story.run.stopped.cause == "denied"

    is_done(story.accepts())

    assert story.operations == [(1, "factory"), (1, "reconf")]
    assert story.verdict() == "succeeded"


def test_abandoning_leaves_a_device_that_waits_for_an_approval_inside_its_chain():
    story = returns(proving(FACTORY, ASK, RECONF)).obeys(Cancel(ANA, abandon=True)).later(10)

    assert story.verdict() == "failed"
    assert story.operations == [(1, "factory")]


@pytest.mark.parametrize("is_given", [False, True], ids=["asking", "given"])
def test_another_process_knows_what_was_asked_and_answered(is_given):
    story = Story(ASK, SYNC, devices=2, max_down=2).settles()
    if is_given:
        story.obeys(Approve(BEN))
    assert_replays(story)

    story.crashes(later=100.0).later(5)
    assert len(story.events(events.ApprovalAsked)) == 1
    if not is_given:
        story.obeys(Approve(BEN)).later(5)

    assert {device for device, _ in story.operations} == {1, 2}
    assert_replays(story)


def test_a_notify_step_succeeds_at_once_and_tells_people():
    story = Story(NotifyStep("site is next"), SYNC).settles()

    assert [(n.device, n.step, n.text) for n in story.notices] == [(1, 0, "site is next")]
    assert story.operations == [(1, "sync")]


def test_a_notify_step_at_the_end_ends_the_device():
    story = is_done(proving(SYNC, NotifyStep("done")))

    assert (story.verdict(), len(story.notices)) == ("succeeded", 1)


# --- windows --------------------------------------------------------------------------------------


def night(offset: float, *, lasts: float = 3600.0, cutoff: float | None = 0.0) -> Window:
    """A window that opens every day `offset` seconds after the story's beginning, to the minute."""
    minute = int((T0 + offset) // 60)
    return Window(f"{minute % 60} {minute // 60 % 24} * * *", lasts, "UTC", cutoff)


def test_a_chain_goes_on_after_its_window_has_closed():
    story = Story(*REDEPLOY, devices=2, window=night(0.0, lasts=600.0)).settles().accepts()
    story.later(700)
    returns(story).later(110)
    assert story.events(events.WindowClosed)

    is_done(story.accepts())

    assert story.verdict(1) == "succeeded"
    assert story.operations == [(1, "factory"), (1, "reconf")]


def test_a_touched_device_outside_a_chain_waits_for_the_next_opening():
    window = night(0.0, lasts=600.0)
    story = Story(REBOOT, sleep(600.0), REBOOT, window=window).settles().accepts()
    returns(story).later(3000)
    assert (story.verdict(), len(story.operations)) == (None, 1)

    story.later(86_400)

    assert len(story.operations) == 2


# --- leases ---------------------------------------------------------------------------------------


def held_elsewhere(*steps: Step, devices: int = 1, **story: object) -> Story:
    found = Story(*(steps or (REBOOT,)), devices=devices, max_down=devices, **story)
    found.elsewhere[1] = "run r7 (process 12 on noc-2)"
    return found


def test_a_device_that_another_run_holds_is_waited_for_and_nothing_is_sent():
    story = held_elsewhere(devices=2).settles().later(120)

    assert story.operations == [(2, "reboot")]
    held = story.events(events.StepHeld)
    assert [(e.device, e.reason) for e in held] == [(1, "held by run r7 (process 12 on noc-2)")]


def test_a_device_that_is_let_go_elsewhere_is_taken_in_the_next_round():
    story = held_elsewhere().settles().later(120)
    story.elsewhere.clear()

    assert story.later(20).operations == [(1, "reboot")]
    assert story.held == {1}


def test_an_untouched_device_that_stays_held_elsewhere_is_skipped_after_the_guards_time():
    story = held_elsewhere().settles().later(2000)

    assert story.verdict() == "skipped"
    assert story.reason() == "held by run r7 (process 12 on noc-2)"
    assert story.run.finished_at is not None


def test_a_touched_device_that_stays_held_elsewhere_fails():
    story = returns(proving(REBOOT, sleep(100.0), REBOOT)).obeys(Pause(ANA)).later(200)
    assert story.device().is_held
    story.crashes()
    story.elsewhere[1] = "run r7"

    story.obeys(Continue(ANA)).later(2000)

    assert story.verdict() == "failed"
    assert "held by run r7" in story.reason()


@pytest.mark.parametrize("is_alone", [True, False])
def test_a_record_read_before_the_device_was_taken_is_good_only_while_no_other_run_works(is_alone):
    story = Story(REBOOT)
    story.run.observe(story._reading(story.records[1], T0, is_detail=True), T0)
    story.is_alone = is_alone
    story.now += 5

    story.settles()

    assert story.operations == [(1, "reboot")]
    assert len(story.reads) == (0 if is_alone else 1)


def test_a_device_is_let_go_at_its_verdict():
    story = Story(REBOOT).settles()
    assert story.held == {1}

    story.refuses(404, Refusal.GONE).later(1)

    assert story.held == set()


def test_a_touched_device_is_not_let_go_while_a_pause_keeps_it():
    assert between(Pause(ANA)).held == {1}


def test_a_device_that_ended_before_it_was_taken_is_let_go():
    """The answer to taking it comes when a stop has given it up already."""
    story = Story(FACTORY, RECONF, devices=2, max_down=2)
    hold = story._hold
    story._hold = lambda _: hold(HoldDevices((DeviceId(1),)))
    story.settles().accepts().obeys(Cancel(ANA))
    assert (story.verdict(2), story.held) == ("not_started", {1})

    hold(HoldDevices((DeviceId(2),)))
    assert story.held == {1, 2}

    assert story.settles().held == {1}
