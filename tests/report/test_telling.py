"""The audit log read aloud: a sentence for every kind of event."""

import pytest

from orchestrator.model.events import (
    EVENTS,
    ApprovalAsked,
    CancelOrdered,
    LimitOrdered,
    PauseOrdered,
    RunFinished,
    RunInterrupted,
    RunStopped,
    WaveFinished,
    WaveJudged,
    WindowClosed,
    WindowOpened,
)
from orchestrator.report.telling import describe
from tests.support.histories import EVERY_KIND, T0, finished, intended

SENTENCES = """
ana on noc-1 started redeploy for 3 devices of https://control.example.com/api/v1
ben on noc-2 resumed the run (process 2)
the run was interrupted: Ctrl-C
the run pauses because of the token: the token is not accepted
the controller can be used again; the run goes on
the run was stopped because of an invalid request: the controller calls the request wrong; nothing new is started
the run is finished: 2 succeeded, 1 in doubt
sending waits until 2026-11-22 04:15:30Z and is 2 times slower afterwards: 429
the window is open in America/Mexico_City: devices may be started until 2026-11-21 23:00 there (2026-11-22 05:00:00Z)
the window is closed in America/Mexico_City: nothing more is started there until it opens at 2026-11-28 22:15 there (2026-11-29 04:15:00Z)
wave 2 begins with 10 devices
wave 2 is finished: 9 succeeded, 1 failed; it is left alone until 2026-11-22 04:20:00Z, then it is judged
the gate behind wave 2: inconclusive, 8 of 10 succeeded; a person is asked
approval of wave 3 by another person than the one who started the run is asked for, and wave 3 does not begin without it: May wave 3 begin?
ben on noc-2 approved wave 3: looked at them
ben on noc-2 denied wave 3 (no reason was given)
alice on noc-2 paused the run; nothing new is started, chains once begun are finished: smoke in the data centre
alice on noc-2 took the pause back; the run goes on: false alarm
alice on noc-2 cancelled the run; nothing new is started ever, chains once begun are finished: enough for tonight
alice on noc-2 lowered max_down from 25 to 5: the night shift is thin
noc-chat was notified (wave finished)
noc-mail could not be notified (wave finished): connection refused; the run goes on
device 1001, step 2: begins; may take 1m30s
device 1001, step 2: waits until 2026-11-22 04:25:00Z at the latest: status is Down
device 1001, step 1, attempt 1: update is about to be requested: description 'old' -> 'new', password never shown -> fp:12ab34cd56ef; saved before: record
device 1001, step 1, attempt 1: factory is about to be requested
device 1001, step 1, attempt 1: the controller accepted the request (201), created as device 4321; proof is awaited
device 1001, step 1, attempt 1: the controller accepted the request (200); proof is awaited
device 1001, step 1: found again as device 4321 by its serial number: its id stayed silent after the reset
device 1001, step 1, attempt 1: the controller refused the request (409): a session is under way
device 1001, step 1, attempt 1: the request was not sent: connection refused
device 1001, step 1, attempt 1: in doubt, no answer to the request came: no answer within 1m
device 1001, step 1: first contact since the request in doubt at 2026-11-22 04:14:59Z
device 1001, step 1, attempt 1: the request in doubt was not applied: nothing pending, no contact
device 1001, step 1, attempt 1: will be tried again, not before 2026-11-22 04:15:04Z: 409
device 1001, step 1: the command was delivered at 2026-11-22 04:14:59Z; the return is still to come
device 1001, step 1: out of service since 2026-11-22 04:14:59Z
device 1001, step 1: the evidence is there: contact after the outage
device 1001, step 1: went out of service again: Down again
device 1001, step 1: the time for the proof is over; one last look is taken
device 1001, step 1: succeeded: Up again and stable
device 1001, step 1: over without success (unconfirmed): no return within 20m
device 1001, step 1: the playbook lets the device go on, and its verdict stays unconfirmed
device 1001, step 3: the playbook's rescue begins; the device's verdict stays unconfirmed
device 1001, step 1: verdict unconfirmed: no return within 20m
""".strip().splitlines()  # noqa: E501 - a sentence is one line


def test_every_kind_of_event_is_among_the_examples():
    assert {type(event) for event in EVERY_KIND} == set(EVENTS.values())


@pytest.mark.parametrize(
    ("event", "sentence"),
    list(zip(EVERY_KIND, SENTENCES, strict=True)),
    ids=[type(event).__name__ for event in EVERY_KIND],
)
def test_an_event_is_told_in_one_sentence(event, sentence):
    assert describe(event) == sentence


def test_devices_and_steps_are_told_by_the_names_that_are_given():
    told = describe(
        intended(),
        device_name=lambda device: f"router {device}",
        step_name=lambda step: f"act {step}",
    )

    assert told == "router 1001, act 0, attempt 1: factory is about to be requested"


def test_a_verdict_without_a_reason_ends_with_the_verdict():
    assert describe(finished()) == "device 1001, step 1: verdict succeeded"


def test_a_run_of_nobody_is_told_so():
    assert describe(RunFinished(T0, {})) == "the run is finished: no devices"


@pytest.mark.parametrize(
    ("event", "sentence"),
    [
        (
            WindowClosed(T0, "Europe/Madrid"),
            (
                "the window is closed in Europe/Madrid: nothing more is started there in this run,"
                " as it never opens again"
            ),
        ),
        (
            WindowOpened(T0, T0 + 30.75, "Asia/Kolkata"),
            (
                "the window is open in Asia/Kolkata: devices may be started until"
                " 2026-11-22 09:45:31 there (2026-11-22 04:15:31Z)"
            ),
        ),
        (
            WindowOpened(T0, T0, "Mars/Olympus_Mons"),
            (
                "the window is open in Mars/Olympus_Mons: devices may be started until"
                " 2026-11-22 04:15:00Z"
            ),
        ),
    ],
    ids=["never again", "seconds count", "a zone this machine does not know"],
)
def test_a_window_is_told_on_the_clocks_of_its_zone_and_in_utc(event, sentence):
    assert describe(event) == sentence


@pytest.mark.parametrize(
    ("event", "sentence"),
    [
        (WaveFinished(T0, 1, {"succeeded": 1}, T0), "wave 1 is finished: 1 succeeded"),
        (
            WaveJudged(T0, 1, "pass", "1 of 1 succeeded"),
            "the gate behind wave 1: passed, 1 of 1 succeeded",
        ),
        (
            WaveJudged(T0, 1, "fail", "0 of 1 succeeded"),
            "the gate behind wave 1: failed, 0 of 1 succeeded",
        ),
        (
            ApprovalAsked(T0, "step 3", "Is the room cool?"),
            (
                "approval of step 3 is asked for, and step 3 does not begin without it:"
                " Is the room cool?"
            ),
        ),
    ],
    ids=["no soak", "pass", "fail", "anybody may approve"],
)
def test_a_gate_is_told_with_what_it_found(event, sentence):
    assert describe(event) == sentence


@pytest.mark.parametrize(
    ("event", "sentence"),
    [
        (
            CancelOrdered(T0, "eve", "h", "fire", abandon=True),
            (
                "eve on h cancelled the run; nothing new is started ever, and devices in the middle"
                " of their chain are abandoned there: fire"
            ),
        ),
        (
            LimitOrdered(T0, "eve", "h", "delay", 0.2, 1.0, "x"),
            "eve on h lowered delay from 1s to 200ms: x",
        ),
        (
            LimitOrdered(T0, "eve", "h", "max_down_per.location", 2, 1, "x"),
            "eve on h raised max_down_per.location from 1 to 2: x",
        ),
        (
            LimitOrdered(T0, "eve", "h", "in_flight", 2, 2, "x"),
            "eve on h left in_flight at 2: x",
        ),
    ],
    ids=["abandon", "delay", "raised", "unchanged"],
)
def test_an_order_is_told_with_who_gave_it_and_why(event, sentence):
    assert describe(event) == sentence


@pytest.mark.parametrize(
    ("cause", "told"),
    [
        ("controller", "because of the controller"),
        ("budget", "by its budget"),
        ("wave", "by the gate behind a wave"),
        ("denied", "by a denied approval"),
        ("person", "by a person"),
        ("full_moon", "because of full moon"),
    ],
)
def test_it_is_told_what_stopped_the_run(cause, told):
    sentence = describe(RunStopped(T0, cause, "details"))

    assert sentence == f"the run was stopped {told}: details; nothing new is started"


def test_what_a_person_typed_cannot_steer_a_terminal():
    told = describe(PauseOrdered(T0, "eve\x1b[2J", "h", "a\nb"))

    assert told.startswith("eve [2J on h paused the run")
    assert told.endswith(": a b")


def test_what_could_steer_a_terminal_is_left_out():
    assert describe(RunInterrupted(T0, "a\x1b[2Jb\nc")) == "the run was interrupted: a [2Jb c"
