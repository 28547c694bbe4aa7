"""One wave after the other: each is finished, left to soak, judged, and perhaps approved."""

from collections import Counter

import pytest

from orchestrator.engine.rollout.waving import LOOKS, Finding, Outcome, judge
from orchestrator.engine.run import replayed
from orchestrator.model import events
from orchestrator.model.answers import Refusal
from orchestrator.model.orders import Approve, OrderRefusedError
from orchestrator.model.plans import Wave
from orchestrator.model.policies import Approver, BetweenWaves, Rollout
from orchestrator.model.readings import ReadingFailed
from orchestrator.model.verdicts import Verdict
from tests.support.stories import ANA, BEN, Story, durable, step

SYNC = step("sync")
WORDS = {
    "good": Verdict.SUCCEEDED,
    "failed": Verdict.FAILED,
    "unconfirmed": Verdict.UNCONFIRMED,
    "in_doubt": Verdict.IN_DOUBT,
    "skipped": Verdict.SKIPPED,
    "deferred": Verdict.DEFERRED,
}


def finding(*, gone: int = 0, unread: int = 0, **counts: int) -> Finding:
    return Finding(Counter({WORDS[word]: n for word, n in counts.items()}), gone, unread)


# --- the table of the gate ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("found", "outcome"),
    [
        (finding(good=10), "pass"),
        (finding(good=8, failed=2), "pass"),
        (finding(good=7, failed=3), "fail"),
        (finding(good=8, unconfirmed=2), "pass"),
        (finding(good=7, unconfirmed=3), "inconclusive"),
        (finding(good=7, in_doubt=3), "inconclusive"),
        (finding(good=7, failed=2, unconfirmed=1), "inconclusive"),
        (finding(good=6, failed=3, unconfirmed=1), "fail"),
        (finding(good=10, gone=2), "pass"),
        (finding(good=10, gone=3), "fail"),
        (finding(good=9, failed=1, gone=2), "fail"),
        (finding(good=10, unread=2), "pass"),
        (finding(good=10, unread=3), "inconclusive"),
        (finding(good=10, gone=2, unread=1), "inconclusive"),
        (finding(good=1, skipped=9), "pass"),
        (finding(failed=1, skipped=9), "pass"),
        (finding(failed=3, skipped=7), "fail"),
        (finding(skipped=10), "inconclusive"),
        (finding(deferred=6, skipped=4), "inconclusive"),
    ],
)
def test_of_ten_devices_eight_must_have_succeeded(found, outcome):
    assert judge(Wave(10, must_succeed=8), found)[0] == outcome


def test_when_all_must_have_succeeded_one_failure_fails_the_wave():
    assert judge(Wave(1, must_succeed=1), finding(failed=1)) == (
        Outcome.FAIL,
        "0 of 1 succeeded; 0 may be missing",
    )


def test_what_was_found_is_told_in_one_sentence():
    found = finding(good=9, failed=1, gone=2, unread=1)

    assert judge(Wave(10, must_succeed=8), found)[1] == (
        "6 of 10 succeeded, 2 more did and went out of service afterwards,"
        " 1 more did and cannot be read now; 2 may be missing"
    )


# --- the course of a run --------------------------------------------------------------------------


def waves(
    *sizes: int, soak: float = 0.0, must: int | None = None, by: Approver | None = None, **story
) -> Story:
    between = BetweenWaves(soak, must, by)
    count = sum(sizes)
    return Story(
        SYNC,
        devices=count,
        rollout=Rollout(count, between_waves=between),
        waves=tuple(Wave(n, min(n, must or 0)) for n in sizes),
        **story,
    )


def succeeding(story: Story) -> Story:
    """Accept what is open and show that it was done."""
    while story.open:
        device = story.open[0].device
        at = story.now - story.plan.created_at + 1
        story.accepts().shows(device, last_connection=at, last_configuration=at)
    return story.later(30)


def failing(story: Story, count: int = 1) -> Story:
    for _ in range(count):
        story.refuses(404, Refusal.GONE)
    return story


def outcomes(story: Story) -> list[str]:
    return [judged.outcome for judged in story.events(events.WaveJudged)]


def begun(story: Story) -> int:
    return len(story.operations)


def test_nobody_of_the_next_wave_begins_before_the_last_of_this_one_has_its_verdict():
    story = waves(2, 3).settles()
    assert begun(story) == 2
    story.accepts().shows(1, last_connection=1, last_configuration=1).later(30)
    assert (story.verdict(1), begun(story)) == ("succeeded", 2)

    succeeding(story)

    assert begun(story) == 5
    assert [(e.wave, e.devices) for e in story.events(events.WaveStarted)] == [(1, 2), (2, 3)]


def test_a_wave_soaks_before_it_is_judged():
    story = succeeding(waves(1, 2, soak=300.0, must=1).settles())
    finished = story.last(events.WaveFinished)
    assert finished.until_at == pytest.approx(finished.at + 300)
    assert outcomes(story) == []

    story.later(301)

    assert outcomes(story) == ["pass"]
    assert story.last(events.WaveJudged).at == pytest.approx(finished.until_at, abs=1)
    assert begun(story) == 3


def test_a_soak_stands_still_while_the_controller_cannot_be_used():
    story = succeeding(waves(1, 1, soak=300.0, must=1).settles())
    story.is_usable = False
    for _ in range(3):
        story.run.observe(ReadingFailed((), "refused", unreachable=True), story.now)
    story.settles().later(1000)
    assert (story.run.is_paused, outcomes(story)) == (True, [])

    story.is_usable = True
    story.later(200)
    assert outcomes(story) == []

    story.later(200)
    assert outcomes(story) == ["pass"]


def test_without_a_share_that_must_succeed_the_next_wave_follows_whatever_became_of_this_one():
    story = failing(waves(1, 1).settles())

    assert outcomes(story) == ["pass"]
    assert begun(story) == 2


def test_a_wave_that_fails_its_gate_stops_the_run_and_the_rest_is_not_started():
    story = failing(waves(2, 3, must=2).settles())
    succeeding(story).later(60)

    assert outcomes(story) == ["fail"]
    stopped = story.last(events.RunStopped)
    assert (stopped.cause, stopped.detail) == (
        "wave",
        "wave 1 did not pass its gate: 1 of 2 succeeded; 0 may be missing",
    )
    assert [story.verdict(n) for n in (3, 4, 5)] == ["not_started"] * 3
    assert story.run.finished_at is not None


def test_the_last_wave_is_never_judged_and_ends_the_run():
    story = failing(succeeding(waves(1, 2, must=1).settles()), 2)

    assert outcomes(story) == ["pass"]
    assert len(story.events(events.WaveFinished)) == 1
    assert story.run.finished_at is not None


def test_of_a_plan_without_waves_nothing_is_told_of_any():
    story = Story(SYNC, devices=2, max_down=2).settles()

    assert story.events(events.WaveStarted, events.WaveFinished, events.WaveJudged) == []
    assert begun(story) == 2


# --- the look after the soak ----------------------------------------------------------------------


def test_after_the_soak_those_that_succeeded_are_read_again_and_nobody_else():
    story = failing(waves(3, 1, soak=60.0, must=1).settles())
    succeeding(story)
    reads = len(story.reads)

    story.later(61)

    assert [sorted(read.devices) for read in story.reads[reads : reads + 1]] == [[2, 3]]


def test_a_device_that_went_down_in_the_soak_counts_against_the_wave():
    story = succeeding(waves(2, 1, soak=60.0, must=2).settles())
    story.shows(2, status="Down").later(70)

    assert outcomes(story) == ["fail"]
    assert "1 more did and went out of service afterwards" in story.last(events.RunStopped).detail


def test_a_device_whose_record_is_gone_counts_as_gone():
    story = succeeding(waves(2, 1, soak=60.0, must=2).settles())
    story.loses(2).later(70)

    assert outcomes(story) == ["fail"]


def test_a_device_that_cannot_be_read_is_tried_again_and_then_a_person_is_asked():
    story = succeeding(waves(2, 1, soak=60.0, must=2).settles())
    story.reads_fail = ReadingFailed((), "500")
    reads = len(story.reads)
    story.later(1200)

    assert len(story.reads) - reads == LOOKS
    assert outcomes(story) == ["inconclusive"]
    assert "2 more did and cannot be read now" in story.last(events.ApprovalAsked).question


def test_a_device_that_can_be_read_at_a_later_try_counts_as_what_it_is():
    story = succeeding(waves(2, 1, soak=60.0, must=2).settles())
    story.reads_fail = ReadingFailed((), "500")
    story.later(65)
    assert outcomes(story) == []

    story.reads_fail = None
    story.later(60)

    assert outcomes(story) == ["pass"]


def test_as_soon_as_all_are_read_the_wave_is_judged():
    story = succeeding(waves(1, 1, soak=60.0, must=1).settles())
    story.later(61)

    finished, judged = story.last(events.WaveFinished), story.last(events.WaveJudged)
    assert judged.at - finished.until_at < 1


def test_a_record_asked_for_before_the_soak_was_over_says_nothing_about_its_end():
    story = succeeding(waves(1, 1, soak=60.0, must=1).settles())
    story.is_silent = True
    story.later(61)
    story.observes(1, asked=story.now - story.plan.created_at - 30, status="Up")
    assert outcomes(story) == []

    story.is_silent = False
    story.shows(1, status="Down").answer_reads().later(1)

    assert outcomes(story) == ["fail"]


# --- people ---------------------------------------------------------------------------------------


def asked(**story: object) -> Story:
    return succeeding(waves(1, 2, must=1, by=Approver.ANYBODY, **story).settles()).later(5)


def test_a_wave_that_passed_waits_for_its_approval_as_long_as_it_takes():
    story = asked().later(7 * 86_400)

    assert outcomes(story) == ["pass"]
    question = story.last(events.ApprovalAsked)
    assert (question.what, question.by) == ("wave 2", "anybody")
    assert question.question == ("wave 1: 1 of 1 succeeded; 0 may be missing. May wave 2 begin?")
    assert begun(story) == 1
    assert len(story.events(events.ApprovalAsked)) == 1


def test_an_approval_lets_the_next_wave_begin_at_once():
    story = asked().obeys(Approve(ANA))

    given = story.last(events.ApprovalGiven)
    assert (given.what, given.by, given.host, given.why) == ("wave 2", "ana", "noc-1", "ticket 12")
    assert begun(story) == 3


def test_a_denial_stops_the_run_and_says_who_denied():
    story = asked().obeys(Approve(ANA, granted=False)).later(5)

    stopped = story.last(events.RunStopped)
    assert (stopped.cause, stopped.detail) == ("denied", "ana did not approve wave 2: ticket 12")
    assert [story.verdict(n) for n in (2, 3)] == ["not_started"] * 2
    assert story.run.finished_at is not None


def test_an_inconclusive_wave_asks_even_when_no_approval_was_planned():
    story = waves(2, 1, must=2).settles().shows(2, status="Down")
    story.accepts().shows(1, last_connection=1, last_configuration=1)
    story.accepts().later(5000)
    assert (story.verdict(2), outcomes(story)) == ("unconfirmed", ["inconclusive"])
    assert begun(story) == 2

    story.obeys(Approve(BEN, "Wave  2"))

    assert begun(story) == 3


def test_a_wave_of_which_nobody_was_attempted_asks_a_person():
    story = waves(2, 1, must=1).shows(1, status="Down").shows(2, status="Down").settles().later(5)

    assert outcomes(story) == ["inconclusive"]
    assert story.last(events.ApprovalAsked).question.startswith(
        "wave 1: no device of the wave was attempted (2 skipped)"
    )


def test_a_failed_wave_is_nobodys_question():
    story = failing(waves(1, 1, must=1, by=Approver.ANYBODY).settles()).later(5)

    assert story.events(events.ApprovalAsked) == []
    assert story.run.finished_at is not None


def test_another_person_has_to_approve_when_the_playbook_says_so():
    story = succeeding(waves(1, 1, must=1, by=Approver.ANOTHER).settles()).later(5)

    with pytest.raises(OrderRefusedError, match="another person than ana, who started the run"):
        story.obeys(Approve(ANA))

    assert begun(story.obeys(Approve(BEN))) == 2


# --- another process takes over -------------------------------------------------------------------


@pytest.mark.parametrize(
    "at",
    ["running", "soaking", "looking", "asking", "denied", "between"],
)
def test_a_run_is_taken_over_wherever_its_waves_stand(at):
    story = waves(1, 2, soak=60.0, must=1, by=Approver.ANYBODY).settles()
    if at != "running":
        succeeding(story)
    if at == "looking":
        story.is_silent = True
        story.later(61)
        story.is_silent = False
    if at in ("asking", "denied", "between"):
        story.later(90)
    if at == "between":
        story.obeys(Approve(BEN))
    if at == "denied":
        story.obeys(Approve(BEN, granted=False))

    from_journal = replayed_durable(story)
    assert from_journal == durable(story.run)

    story.crashes(later=3600.0)
    if at == "running":
        at_now = story.now - story.plan.created_at
        story.shows(1, last_connection=at_now + 1, last_configuration=at_now + 1)
        succeeding(story.later(60))
        succeeding(story)
    story.later(120)
    if at in ("running", "soaking", "looking", "asking"):
        assert list(story.run.approvals.open) == ["wave 2"]
        story.obeys(Approve(BEN))
    succeeding(story).later(2000)

    if at == "denied":
        assert begun(story) == 1
    else:
        assert {2, 3} <= {device for device, _ in story.operations}
    assert len(story.events(events.WaveStarted)) == (1 if at == "denied" else 2)


def replayed_durable(story: Story) -> dict[str, object]:
    return durable(replayed(story.plan, story.journal, patience=story.patience))
