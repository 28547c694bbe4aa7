"""The whole brain as a dialogue: answers, pauses, stops, limits, order, replay (design 5 and 6)."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.engine.run import Run, replayed, resuming
from orchestrator.engine.walking.deciding import BATCH
from orchestrator.engine.walking.progressing import Phase
from orchestrator.model import commands, events
from orchestrator.model.answers import Refusal
from orchestrator.model.devices import DeviceId, Status
from orchestrator.model.policies import Guard
from orchestrator.model.readings import Probed, ReadingFailed
from orchestrator.model.selections import Condition, Equals, Selection
from tests.support.stories import T0, Story, check, durable, plan_of, sleep, step

REBOOT = step("reboot")
SYNC = step("sync")
UNREACHABLE = ReadingFailed((), "connection refused", unreachable=True)
REJECTED = ReadingFailed((), "401: invalid token", unauthorised=True)


def many(count: int = 3, *steps: object, **story: object) -> Story:
    """Several devices that may all be down at once."""
    return Story(*(steps or (REBOOT,)), devices=count, **{"max_down": count, **story})


# --- design 6.4: what follows from each answer ----------------------------------------------------


def test_200_waits_for_evidence():
    story = Story(REBOOT).settles().accepts()

    assert story.device().phase is Phase.PROVING
    assert story.run.admissions.down == 1


def test_400_stops_the_run_at_once_and_nothing_more_is_sent():
    story = many(3, REBOOT, delay=10.0).settles().refuses(400, Refusal.INVALID).until(5000)

    assert story.operations == [(1, "reboot")]
    assert story.last(events.RunStopped).cause == "invalid_request"
    assert [story.verdict(n) for n in (1, 2, 3)] == ["failed", "not_started", "not_started"]
    assert story.run.finished_at is not None


def test_after_a_stop_what_is_under_way_is_seen_through():
    story = many(3).settles().accepts().refuses(400, Refusal.INVALID).accepts()
    for device in (1, 3):
        story.shows(device, last_connection=5)
    story.until(70)
    for device in (1, 3):
        story.shows(device, last_connection=70)
    story.until(300)

    assert [story.verdict(n) for n in (1, 2, 3)] == ["succeeded", "failed", "succeeded"]


def test_a_stop_fails_a_device_in_the_middle_of_its_chain_and_says_before_which_step():
    story = many(2, REBOOT, SYNC).settles().accepts().refuses(400, Refusal.INVALID)
    story.shows(last_connection=5).until(70).shows(last_connection=70).until(300)

    assert story.verdict(1) == "failed"
    assert "stopped before sync" in story.reason(1)


def test_a_stop_gives_up_devices_in_every_place_where_they_may_wait():
    """In the queues, at their guard, ready for the pace, resting, and not begun."""
    story = many(6, REBOOT, max_down=5, delay=30.0)
    story.settles().refuses(422, Refusal.STATE)
    story.until(31).is_silent = True
    story.until(95).accepts().refuses(400, Refusal.INVALID)

    verdicts = [story.verdict(n) for n in range(1, 7)]

    assert verdicts == ["not_started", None, "failed", "not_started", "not_started", "not_started"]
    assert story.run.admissions.free_places == 4


def test_a_large_run_is_given_up_in_batches():
    count = BATCH + 10
    story = Story(REBOOT, devices=count).settles().refuses(400, Refusal.INVALID)

    assert story.run.finished_at is not None
    assert story.run.ended == count


def test_a_device_whose_doubted_request_was_not_applied_is_not_called_untouched_by_a_stop():
    story = many(2).settles().drops().accepts().until(199).shows(1, last_connection=198)
    story.until(499).shows(1, last_connection=498).until(501)
    assert story.operations[-1] == (1, "reboot")

    story.refuses(429, Refusal.BUSY, 60.0).shows(2, last_connection=505)
    story.run.after(events.RunStopped(story.now, "person", "enough"))

    assert story.until(5000).verdict(1) == "failed"


def test_401_pauses_the_run_fails_nobody_and_goes_on_with_the_same_device():
    story = many(3, REBOOT, delay=1.0)
    story.is_usable, story.probe_detail = False, {"unauthorised": True, "detail": "401"}
    story.settles().refuses(401, Refusal.UNAUTHORISED).until(100)
    assert story.last(events.RunPaused).cause == "token"
    assert story.operations == [(1, "reboot")]

    story.is_usable = True
    story.until(200)

    assert story.events(events.RunContinued)
    assert sorted(story.operations[1:]) == [(1, "reboot"), (2, "reboot"), (3, "reboot")]
    assert story.run.verdicts.total() == 0


def test_a_read_that_is_answered_401_pauses_the_run_too():
    story = Story(REBOOT).settles().accepts()
    story.reads_fail, story.is_usable = REJECTED, False
    story.until(100)

    assert story.last(events.RunPaused).cause == "token"


def test_a_token_that_may_read_and_not_operate_ends_the_run_after_the_patience():
    """Every probe succeeds and every operation is answered 401: without an end it would go round for ever."""
    story = Story(REBOOT, patience=300.0).settles()
    while not story.run.is_over:
        assert story.now < T0 + 3600
        if story.open:
            story.refuses(401, Refusal.UNAUTHORISED)
        story.later(1.0)

    assert story.run.interrupted.cause == "controller"


def test_403_for_one_device_fails_that_device_after_a_probe():
    story = many(2, REBOOT, delay=1.0).settles().refuses(403, Refusal.FORBIDDEN)

    assert story.probes == 1
    assert story.verdict(1) == "failed"
    assert "403" in story.reason(1)
    assert story.until(2).operations == [(1, "reboot"), (2, "reboot")]


def test_403_for_everything_is_the_tokens_fault_and_fails_nobody():
    story = many(2, REBOOT, delay=1.0)
    story.is_usable, story.probe_detail = False, {"unauthorised": True, "detail": "403"}
    story.settles().refuses(403, Refusal.FORBIDDEN).until(60)
    assert story.last(events.RunPaused).cause == "token"

    story.is_usable = True
    story.until(120)

    assert story.run.verdicts.total() == 0
    assert (1, "reboot") in story.operations[1:]


def test_a_probe_asked_before_the_403_says_nothing_about_it():
    story = many(2).settles().refuses(403, Refusal.FORBIDDEN)
    assert story.verdict(1) == "failed"
    story.now += 5
    story._record([])  # nothing happened meanwhile
    story.is_usable = False
    story.refuses(403, Refusal.FORBIDDEN)
    story.run.observe(Probed(story.now - 1, usable=True), story.now)
    story.settles()

    assert story.verdict(2) is None
    assert story.device(2).phase is Phase.SUSPECT


def test_404_fails_the_device_and_only_it():
    story = many(2, REBOOT, delay=1.0).settles().refuses(404, Refusal.GONE).until(2)

    assert story.verdict(1) == "failed"
    assert story.operations == [(1, "reboot"), (2, "reboot")]


@pytest.mark.parametrize("status", [429, 503])
def test_a_refusal_for_load_holds_all_sending_as_long_as_the_controller_says(status):
    story = many(3, REBOOT, delay=1.0).settles().refuses(status, Refusal.BUSY, retry_after=40.0)
    assert story.until(39).operations == [(1, "reboot")]
    assert story.last(events.SendingSlowed).until_at == T0 + 40

    story.until(60)

    assert sorted(story.operations[1:]) == [(1, "reboot"), (2, "reboot"), (3, "reboot")]


def test_refusals_for_load_stretch_the_gaps_and_accepted_requests_shrink_them_again():
    story = many(40, REBOOT, delay=1.0).settles()
    story.refuses(429, Refusal.BUSY, retry_after=1.0).until(1.5).refuses(429, Refusal.BUSY, 1.0)
    assert story.run.pace.factor > 2

    while story.run.pace.factor > 1.0:
        story.later(1.0)
        while story.open:
            story.accepts()
        assert story.now < T0 + 120

    moments = [event.at - T0 for event in story.events(events.OperationIntended)]
    gaps = [later - earlier for earlier, later in pairwise(moments)]
    assert max(gaps[2:]) > 1.5
    assert gaps[-1] < max(gaps)
    assert min(gaps) >= 1.0 - 1e-6


def test_a_refusal_for_load_never_spends_an_attempt():
    story = Story(step("reboot", attempts=1)).settles()
    for _ in range(10):
        story.refuses(429, Refusal.BUSY, retry_after=5.0).later(60.0)

    assert len(story.operations) == 11
    assert story.verdict() is None


def test_a_controller_that_refuses_for_load_on_and_on_fails_the_device_in_the_end():
    story = Story(REBOOT, patience=600.0).settles()
    while story.verdict() is None:
        assert story.now < T0 + 3600
        if story.open:
            story.refuses(503, Refusal.BUSY, retry_after=30.0)
        story.later(1.0)

    assert story.verdict() == "failed"
    assert story.reason().startswith("refused for 10m")


@pytest.mark.parametrize("then", ["state", "unsent"])
def test_only_an_unbroken_row_of_refusals_for_load_counts(then):
    """A 422 after a 429 must neither slow the others nor count as more of the 429."""
    story = many(2, REBOOT, patience=100.0).settles().refuses(429, Refusal.BUSY, 5.0)
    story.accepts().until(7)
    if then == "state":
        story.refuses(422, Refusal.STATE).until(400).refuses(429, Refusal.BUSY, 5.0)
    else:
        story.cannot_connect().until(120).refuses(429, Refusal.BUSY, 5.0)

    assert story.verdict(1) is None
    assert len(story.events(events.SendingSlowed)) == 2
    assert story.last(events.SendingSlowed).until_at <= story.now + 5


def test_a_request_that_never_left_is_repeated_and_spends_no_attempt():
    story = Story(step("reboot", attempts=1)).settles().cannot_connect().until(2)

    assert story.operations == [(1, "reboot")] * 2
    assert story.last(events.RetryScheduled).reason == "not sent: connection refused"
    assert story.run.admissions.down == 1


def test_an_intention_that_grew_too_old_is_decided_anew():
    story = Story(REBOOT).settles().cannot_connect(stale=True)

    assert story.operations == [(1, "reboot")] * 2
    assert [e.attempt for e in story.events(events.OperationIntended)] == [1, 2]


def test_three_connections_that_fail_in_a_row_pause_the_run():
    story = many(3).settles()
    story.is_usable = False
    story.cannot_connect().cannot_connect()
    assert story.events(events.RunPaused) == []

    story.cannot_connect().until(60)

    assert story.last(events.RunPaused).cause == "controller"
    assert len(story.operations) == 3


def test_an_answer_in_between_breaks_the_row_of_failed_connections():
    story = many(6).settles()
    for _ in range(2):
        story.cannot_connect().cannot_connect().accepts()

    assert story.events(events.RunPaused) == []


def test_nothing_is_sent_or_read_while_the_run_is_paused():
    story = many(4, REBOOT, max_down=2).settles().accepts().accepts()
    story.reads_fail, story.is_usable = UNREACHABLE, False
    story.until(200)
    assert story.run.is_paused
    reads, sent = len(story.reads), len(story.operations)

    story.until(1000)

    assert (len(story.reads), len(story.operations)) == (reads, sent)
    assert story.probes > 10


def test_deadlines_stand_still_in_a_pause():
    story = Story(REBOOT).settles().accepts().until(5).shows(last_connection=5).until(600)
    story.reads_fail, story.is_usable = UNREACHABLE, False
    story.until(2000)
    assert story.run.is_paused

    story.reads_fail, story.is_usable = None, True
    story.until(2150).shows(last_connection=2150).until(2300)

    assert story.verdict() == "succeeded"


def test_the_end_of_a_pause_does_not_bring_a_deadline_forward():
    story = Story(REBOOT).settles().accepts().until(600)
    story.reads_fail, story.is_usable = UNREACHABLE, False
    story.until(1500)
    story.reads_fail, story.is_usable = None, True
    paused = story.last(events.RunPaused).at - T0
    story.until(3000)

    waited = story.last(events.LastLookTaken).at - story.last(events.RunContinued).at
    assert waited == pytest.approx(900 - paused, abs=1)


def test_a_sleep_and_a_rest_stand_still_in_a_pause_too():
    story = many(3, sleep(100.0), REBOOT).until(10)
    story.is_usable = False
    for _ in range(3):
        story.run.observe(ReadingFailed((DeviceId(1),), "refused", unreachable=True), story.now)
    story.until(500)
    assert story.run.is_paused
    story.is_usable = True

    assert story.until(640).operations != []
    assert story.events(events.OperationIntended)[0].at > story.last(events.RunContinued).at + 89


def test_patience_with_an_unusable_controller_ends_in_an_interruption():
    story = Story(REBOOT, patience=300.0).settles().accepts()
    story.reads_fail, story.is_usable = UNREACHABLE, False
    story.until(2000)

    assert story.run.interrupted.cause == "controller"
    assert story.verdict() is None
    assert story.run.is_over


def test_an_interrupted_run_can_be_resumed_and_finished():
    story = Story(REBOOT, patience=300.0).settles().accepts().until(5).shows(last_connection=5)
    story.until(20)
    story.reads_fail, story.is_usable = UNREACHABLE, False
    story.until(2000)

    story.reads_fail, story.is_usable = None, True
    story.crashes(later=5000.0).later(30)
    story.shows(last_connection=story.now - T0).later(100)

    assert story.verdict() == "succeeded"
    assert story.operations == [(1, "reboot")]


# --- design 6.3: the guard ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shown", "why"),
    [
        ({"status": "Down"}, "status is Down"),
        ({"status": None}, "status"),
        ({"is_active": False}, "is_active"),
        ({"pending_settings": "wifi_config"}, "settings are pending: wifi_config"),
        ({"pending_settings": 7}, "pending_settings"),
        ({"serial_number": "SN9"}, "serial number is SN9"),
        ({"serial_number": None}, "serial number is not known"),
        ({"organization_id": 7}, "organization_id"),
    ],
)
def test_trap_6_a_device_that_has_changed_is_skipped_and_nothing_is_sent(shown, why):
    story = Story(REBOOT, selection=Selection(organizations=(5,)))
    story.shows(organization_id=5).shows(**shown).settles()

    assert story.verdict() == "skipped"
    assert why in story.reason()
    assert story.operations == []


def test_a_device_that_is_gone_is_skipped():
    story = many(2).loses(1).settles()

    assert story.verdict(1) == "skipped"
    assert story.operations == [(2, "reboot")]


def test_a_device_whose_record_cannot_be_read_is_skipped_and_its_place_is_free_again():
    story = many(2, REBOOT, max_down=1)
    story.reads_fail = ReadingFailed((), "500")
    story.until(1000)
    assert story.verdict(1) == "skipped"

    story.reads_fail = None
    story.until(1200)

    assert story.operations == [(2, "reboot")] or story.verdict(2) == "skipped"
    assert story.run.admissions.free_places == (0 if story.operations else 1)


def test_a_reading_older_than_a_minute_is_not_trusted():
    story = many(3, REBOOT, delay=100.0).settles().until(100)
    readings = len(story.reads)
    story.shows(3, status="Down").until(201)

    assert len(story.reads) > readings
    assert story.verdict(3) == "skipped"


def test_a_guard_on_a_field_that_list_pages_lack_reads_every_record_in_full():
    firmware = Condition("firmware_image_is_pending", Equals((False,)))
    story = Story(REBOOT, guard=Guard(disruptive=(firmware,)), by_pages=True)
    story.observes().settles()

    assert story.operations == [(1, "reboot")]
    assert all(isinstance(read, commands.ReadDevice) for read in story.reads)


def test_a_list_row_does_not_stand_in_for_the_full_record_that_a_guard_needs():
    firmware = Condition("firmware_image_is_pending", Equals((False,)))
    story = Story(REBOOT, guard=Guard(disruptive=(firmware,)))
    story.is_silent = True
    story.settles()
    reads = len(story.reads)

    story.now += 1
    story.observes().observes()

    assert len(story.reads) == reads
    story.is_silent = False
    assert story.answer_reads().operations == [(1, "reboot")]


def test_a_list_row_does_not_take_the_place_of_the_full_record_that_was_read_for_the_guard():
    firmware = Condition("firmware_image_is_pending", Equals((False,)))
    story = many(2, REBOOT, delay=30.0, guard=Guard(disruptive=(firmware,))).settles()
    reads = len(story.reads)

    story.later(20).observes(2).later(15)

    assert [device for device, _ in story.operations] == [1, 2]
    assert [read for read in story.reads[reads:] if read == commands.ReadDevice(2)] == []


def test_a_guard_that_asks_for_down_devices_can_reboot_them():
    """OP-8: reboot unresponsive devices; what was sent and may still fire is said so."""
    down = Condition("status", Equals((Status.DOWN,)))
    story = Story(REBOOT, guard=Guard(disruptive=(down,)))
    story.shows(status="Down", status_change=-500).settles().accepts()
    assert story.operations == [(1, "reboot")]

    story.until(100).shows(status="Up", status_change=95, last_connection=95).until(130)
    assert story.events(events.DeviceReturned) == []

    story.until(160).shows(last_connection=160).until(250)
    assert story.verdict() == "succeeded"


# --- design 6.7: limits ---------------------------------------------------------------------------


def test_a_place_among_the_down_is_held_from_intent_to_evidence():
    story = many(2, REBOOT, max_down=1).settles().accepts().until(5).shows(last_connection=5)
    story.until(70).shows(last_connection=70).until(80)
    assert story.events(events.DeviceReturned)
    assert story.operations == [(1, "reboot")]

    story.until(130)

    assert story.verdict(1) == "succeeded"
    assert story.operations == [(1, "reboot"), (2, "reboot")]


@pytest.mark.parametrize("end", ["refused", "unconfirmed", "gone", "unsent"])
def test_the_place_is_free_again_however_the_attempt_ends(end):
    story = many(2, REBOOT, max_down=1).settles()
    if end == "refused":
        story.refuses(422, Refusal.STATE)
    elif end == "gone":
        story.refuses(404, Refusal.GONE)
    elif end == "unsent":
        story.cannot_connect()
    else:
        story.accepts().until(1000)

    assert (2, "reboot") in story.until(1100).operations


def test_a_device_that_is_held_in_the_middle_of_its_chain_keeps_no_place():
    story = many(2, REBOOT, step("factory"), max_down=1).settles().accepts().until(5)
    story.shows(last_connection=5).until(70).shows(last_connection=70).until(102)
    story.shows(1, is_active=False).until(140)

    assert story.events(events.StepHeld)
    assert story.operations == [(1, "reboot"), (2, "reboot")]


def test_gentle_operations_need_no_place_among_the_down():
    story = many(5, SYNC, max_down=1).settles()

    assert len(story.operations) == 5
    assert story.run.admissions.down == 0


def test_devices_in_their_chain_go_before_those_not_yet_begun():
    story = many(4, REBOOT, SYNC, max_down=2, delay=1.0).settles().accepts().until(1).accepts()
    for device in (1, 2):
        story.shows(device, last_connection=5)
    story.until(70)
    for device in (1, 2):
        story.shows(device, last_connection=70)
    story.until(125)

    assert story.operations[2:6] == [(1, "sync"), (2, "sync"), (3, "reboot"), (4, "reboot")]


def test_devices_that_will_need_a_place_do_not_begin_before_there_is_one():
    story = many(4, check(), REBOOT, max_down=2).settles()

    assert len(story.events(events.StepStarted)) == 2
    assert story.operations == [(1, "reboot"), (2, "reboot")]


def test_devices_start_in_the_order_of_the_plan():
    story = many(5, REBOOT, delay=1.0).until(10)

    assert [device for device, _ in story.operations] == [1, 2, 3, 4, 5]


def test_the_delay_lies_between_any_two_operation_requests():
    story = many(6, REBOOT, delay=0.2).until(30)
    moments = [event.at for event in story.events(events.OperationIntended)]

    gaps = [later - earlier for earlier, later in pairwise(moments)]
    assert len(gaps) == 5
    assert min(gaps) >= 0.2 - 1e-6
    assert max(gaps) <= 0.21


def test_no_more_requests_are_in_flight_than_allowed():
    story = many(10, REBOOT, in_flight=3).settles()
    assert len(story.open) == 3

    story.accepts().accepts()

    assert len(story.open) == 3
    assert len(story.operations) == 5


# --- design 6.10: interruption --------------------------------------------------------------------


def test_an_interruption_waits_for_requests_in_flight_and_starts_nothing_new():
    story = many(3, REBOOT, delay=1.0).settles()
    story.run.interrupt("Ctrl-C")
    story.until(30)
    assert story.run.next_wake() is None
    assert not story.run.is_over

    story.accepts()

    assert story.run.interrupted.reason == "Ctrl-C"
    assert story.operations == [(1, "reboot")]


def test_an_interruption_with_nothing_in_flight_is_at_once():
    story = Story(REBOOT).settles().accepts()
    story.run.interrupt("Ctrl-C")

    assert story.settles().run.is_over


def test_a_stop_that_was_not_recorded_yet_is_recorded_by_the_next_process():
    story = many(2, REBOOT, delay=1.0).settles()
    story.run.interrupt("Ctrl-C")
    story.refuses(400, Refusal.INVALID)
    assert story.events(events.RunStopped) == []

    story.crashes().until(60)

    assert story.events(events.RunStopped)
    assert story.verdict(2) == "not_started"


def test_a_resumed_run_takes_requests_without_an_answer_for_lost():
    story = many(2).settles().accepts().crashes(later=1.0)

    assert [event.device for event in story.events(events.OperationLost)] == [2]
    assert story.last(events.RunResumed).epoch == 2
    assert story.operations == [(1, "reboot"), (2, "reboot")]


def test_time_between_two_processes_does_not_count_against_a_device():
    story = Story(REBOOT).settles().accepts().until(5).shows(last_connection=5).until(30)
    story.crashes(later=10_000.0).later(30).shows(last_connection=10_060).later(100)

    assert story.verdict() == "succeeded"


def test_a_device_whose_403_was_not_explained_yet_is_explained_by_the_next_process():
    story = Story(REBOOT).settles()
    story.is_usable = False
    story.refuses(403, Refusal.FORBIDDEN).until(1)
    story.is_usable = True

    assert story.crashes().verdict() == "failed"


def test_a_last_look_is_not_repeated_by_the_next_process():
    story = Story(REBOOT).settles().accepts().until(899)
    story.is_silent = True
    story.until(901)
    assert story.refreshes == 1
    story.is_silent = False

    story.crashes().later(60)

    assert story.verdict() == "unconfirmed"
    assert story.refreshes == 1


# --- nothing is forgotten, nothing spins ----------------------------------------------------------


def test_a_moment_that_the_active_clock_cannot_hold_exactly_does_not_make_the_loop_spin():
    """Floats near now are a quarter of a microsecond apart; a sum can round to before the deadline."""
    for pause in (0.123457, 7.654321, 1234.567891, 99.999999):
        story = Story(sleep(33.333333), sleep(0.1), REBOOT).until(1.000001)
        story.run.after(events.RunPaused(round(story.now, 6), "controller", "x"))
        story.now += pause
        story.run.after(events.RunContinued(round(story.now, 6)))

        assert story.later(60).operations == [(1, "reboot")]


def test_readings_of_devices_that_are_not_in_the_plan_are_ignored():
    story = Story(REBOOT)
    story.records[DeviceId(99)] = {**story.records[DeviceId(1)], "id": 99}
    story.observes(99)

    assert story.operations == [(1, "reboot")]


def test_a_failed_read_of_a_device_that_is_not_begun_is_ignored():
    story = Story(REBOOT).settles()
    story.run.observe(ReadingFailed((DeviceId(7),), "500"), story.now)

    assert story.settles().operations == [(1, "reboot")]


def test_a_finished_run_has_nothing_more_to_say():
    story = Story(check()).settles()
    assert story.run.is_over

    assert story.run.decide(story.now + 10, lambda: 0.5).events == []


def test_a_run_without_events_has_not_begun():
    run = Run(plan_of(REBOOT))

    assert run.started_at is None
    assert not run.is_over


ANSWERS = st.sampled_from(
    ["accept", "drop", "busy", "state", "unsent", "stale", "forbidden", "gone", "401", "crash"]
)
WORLD = st.sampled_from(
    [
        "contact",
        "down",
        "up",
        "firmware",
        "clear",
        "initial",
        "pending",
        "other serial",
        "own serial",
        "row",
        "reads fail",
        "unreachable",
        "reads work",
        "silence",
        "reads are answered",
        "unusable",
        "usable",
    ]
)


def act(story: Story, answer: str) -> None:
    match answer:
        case "accept":
            story.accepts()
        case "drop":
            story.drops()
        case "busy":
            story.refuses(429, Refusal.BUSY, 3.0)
        case "state":
            story.refuses(422, Refusal.STATE)
        case "unsent" | "stale":
            story.cannot_connect(stale=answer == "stale")
        case "forbidden":
            story.refuses(403, Refusal.FORBIDDEN)
        case "gone":
            story.refuses(404, Refusal.GONE)
        case "401":
            story.refuses(401, Refusal.UNAUTHORISED)
        case "crash":
            story.crashes(later=7.25)


def change(story: Story, device: int, what: str) -> None:
    at = story.now - T0
    match what:
        case "contact":
            story.shows(device, last_connection=at)
        case "down" | "up":
            story.shows(device, status=what.title(), status_change=at)
        case "firmware":
            story.shows(device, firmware_image_is_pending=True)
        case "clear":
            story.shows(device, firmware_image_is_pending=False, pending_settings="none")
        case "initial" | "pending":
            story.shows(device, pending_settings=what)
        case "other serial" | "own serial":
            story.shows(device, serial_number="SN99" if what == "other serial" else f"SN{device}")
        case _:
            change_reads(story, device, what)


def change_reads(story: Story, device: int, what: str) -> None:
    match what:
        case "row":
            story.observes(device)
        case "reads fail" | "unreachable":
            story.reads_fail = ReadingFailed((), "no", unreachable=what == "unreachable")
        case "silence":
            story.is_silent = True
        case "reads work" | "reads are answered":
            works(story)
        case "unusable" | "usable":
            story.is_usable = what == "usable"


def works(story: Story) -> None:
    """From here on every read is answered."""
    story.reads_fail, story.is_silent = None, False
    story.answer_reads()


STORIES = st.lists(
    st.tuples(st.floats(0.1, 400.0), ANSWERS, st.integers(1, 4), WORLD), min_size=5, max_size=60
)


@settings(max_examples=40, deadline=None)
@given(STORIES)
def test_whatever_happens_the_limits_hold_and_every_device_ends_with_one_verdict(acts):
    steps = (check(), step("factory"), sleep(20.0), step("sync", stable_for=20.0))
    story = many(4, *steps, max_down=2, in_flight=2, delay=0.5, by_pages=True)
    for seconds, answer, device, what in acts:
        story.until(story.now - T0 + seconds)
        change(story, device, what)
        if story.open and not story.run.is_over:
            act(story, answer)
        assert story.run.admissions.down <= 2
        assert story.run.admissions.in_flight == len(story.open) <= 2
        assert story.run.admissions.free_places >= 0
        assert durable(replayed(story.plan, story.journal)) == durable(story.run)
    story.is_usable = True
    works(story)
    if story.run.interrupted:
        story.crashes()
    while not story.run.is_over:
        assert story.now < T0 + 500_000
        while story.open:
            story.refuses(404, Refusal.GONE)
        story.later(300.0)

    ended = [event.device for event in story.events(events.DeviceFinished)]
    assert sorted(ended) == [1, 2, 3, 4]
    assert story.run.admissions.down == story.run.admissions.in_flight == 0
    assert story.run.admissions.free_places == 2


@settings(max_examples=25, deadline=None)
@given(STORIES, st.floats(0.0, 1.0))
def test_any_prefix_of_a_journal_can_be_resumed_and_comes_to_an_end(acts, share):
    story = many(3, step("factory"), SYNC, max_down=2)
    for seconds, answer, device, what in acts:
        story.until(story.now - T0 + seconds)
        change(story, 1 + device % 3, what)
        if story.open and not story.run.is_over:
            act(story, answer)
    story.is_usable = True
    works(story)
    story.journal = story.journal[: max(1, round(share * len(story.journal)))]
    if isinstance(story.journal[-1], events.RunFinished):
        return
    story.crashes()
    while not story.run.is_over:
        assert story.now < T0 + 500_000
        while story.open:
            story.refuses(404, Refusal.GONE)
        story.later(300.0)

    assert story.run.ended == 3


def test_resuming_is_said_first_of_all():
    plan = plan_of(REBOOT)
    story = Story(REBOOT).settles()
    run = replayed(plan, story.journal)

    first, *rest = resuming(run, 0.0, by="ana", host="noc-1", torn_bytes=12)

    assert first == events.RunResumed(run.last_at, 2, "ana", "noc-1", 12)
    assert [type(event) for event in rest] == [events.OperationLost]


def test_devices_that_were_only_synced_are_no_wave_of_returns():
    story = many(30, SYNC, in_flight=30).settles()
    for _ in range(30):
        story.accepts()
    for device in range(1, 31):
        story.shows(device, last_connection=5, last_configuration=5)

    story.until(30)

    assert story.run.pace.hold_until == float("-inf")
