"""The audit log read aloud: a sentence for every kind of event."""

import pytest

from orchestrator.model.events import EVENTS, RunFinished, RunInterrupted
from orchestrator.report.telling import describe
from tests.support.histories import EVERY_KIND, T0, finished, intended

SENTENCES = """
ana on noc-1 started redeploy for 3 devices of https://control.example.com/api/v1
ben on noc-2 resumed the run (process 2)
the run was interrupted: Ctrl-C
the run pauses because of the token: the token is not accepted
the controller can be used again; the run goes on
the run was stopped (invalid request): the controller calls the request wrong; nothing new is started
the run is finished: 2 succeeded, 1 in doubt
sending waits until 2026-11-22 04:15:30Z and is 2 times slower afterwards: 429
device 1001, step 2: begins; may take 1m30s
device 1001, step 2: waits until 2026-11-22 04:25:00Z at the latest: status is Down
device 1001, step 1, attempt 1: factory is about to be requested
device 1001, step 1, attempt 1: the controller accepted the request (200); proof is awaited
device 1001, step 1, attempt 1: the controller refused the request (409): a session is under way
device 1001, step 1, attempt 1: the request was not sent: connection refused
device 1001, step 1, attempt 1: in doubt, no answer to the request came: no answer within 1m
device 1001, step 1: first contact since the request in doubt at 2026-11-22 04:14:59Z
device 1001, step 1, attempt 1: the request in doubt was not applied: nothing pending, no contact
device 1001, step 1, attempt 1: will be tried again, not before 2026-11-22 04:15:04Z: 409
device 1001, step 1: the command was delivered at 2026-11-22 04:14:59Z; the return is still to come
device 1001, step 1: out of service since 2026-11-22 04:14:59Z
device 1001, step 1: is back: contact after the outage
device 1001, step 1: went out of service again: Down again
device 1001, step 1: the time for the proof is over; one last look is taken
device 1001, step 1: succeeded: Up again and stable
device 1001, step 1: over without success (unconfirmed): no return within 20m
device 1001, step 1: verdict unconfirmed: no return within 20m
""".strip().splitlines()


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


def test_what_could_steer_a_terminal_is_left_out():
    assert describe(RunInterrupted(T0, "a\x1b[2Jb\nc")) == "the run was interrupted: a [2Jb c"
