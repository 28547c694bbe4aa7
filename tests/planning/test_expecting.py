"""Expected times come from earlier runs where there is enough of them, else from the playbook."""

import math
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.model.events import (
    OperationIntended,
    RunContinued,
    RunInterrupted,
    RunPaused,
    RunResumed,
    StepFailed,
    StepSucceeded,
)
from orchestrator.model.operations import Operation
from orchestrator.planning.expecting import expectations, measured, ninth_decile
from tests.support import histories
from tests.support.playbooks import minimal, playbook

REDEPLOY = playbook(
    minimal(
        steps="""
        - operation: factory
        - sleep: 90s
        - operation: reconf
          proof: {within: 10m}
        - check: {status: up}
          within: 5m
        - operation: reconf
        """
    )
)
STEPS = REDEPLOY.all_steps


def intended(at, device=1, step=0, attempt=1):
    operation = "factory" if step == 0 else "reconf"
    return OperationIntended(at, device, step, attempt, operation, at, histories.baseline())


def proven(at, device=1, step=0):
    return StepSucceeded(at, device, step, "back")


def test_nothing_measured_means_the_limits_of_the_steps_themselves():
    seconds, origin = expectations(REDEPLOY, {})

    # factory: 2 x 300 + 900; the last reconf: 2 x 300 + 300
    assert seconds == (1500, 90, 600, 300, 900)
    assert origin == "the steps' own limits, nothing measured yet"


def test_ten_measured_device_runs_are_believed_and_nine_are_not():
    seconds, origin = expectations(
        REDEPLOY,
        {
            Operation.FACTORY: [100.2, *range(1, 9), 400.0],
            Operation.RECONF: [20.0] * 9,
        },
    )

    assert seconds == (101, 90, 600, 300, 900)
    assert origin == (
        "factory: 9 of 10 of 10 device runs of earlier runs;"
        " reconf: the step's own limit, only 9 of 10 device runs measured yet"
    )


def test_what_was_never_measured_is_said_beside_what_was():
    origin = expectations(REDEPLOY, {Operation.FACTORY: [60.0] * 230})[1]

    assert origin == (
        "factory: 9 of 10 of 230 device runs of earlier runs;"
        " reconf: the step's own limit, nothing measured yet"
    )


def test_the_rescue_is_expected_behind_the_steps():
    rescued = replace(REDEPLOY, steps=STEPS[:2], rescue=STEPS[2:3])

    assert expectations(rescued, {})[0] == (1500, 90, 600)


def test_a_step_is_measured_from_its_first_request_to_its_proof():
    story = [
        intended(10.0),
        intended(20.0, device=2),
        intended(40.0, attempt=2),
        proven(110.0),
        intended(111.0, step=2),
        proven(121.0, step=2),
        proven(140.0, device=2),
    ]

    assert measured(story, STEPS) == {Operation.FACTORY: [100.0, 120.0], Operation.RECONF: [10.0]}


def test_only_operations_that_were_proven_are_measured():
    story = [
        intended(10.0),
        StepFailed(20.0, 1, 0, "unconfirmed", "no return"),
        proven(30.0),
        proven(40.0, step=1),
        intended(50.0, step=9),
        proven(60.0, step=9),
    ]

    assert measured(story, STEPS) == {}


@pytest.mark.parametrize(
    "absence",
    [
        [RunPaused(15.0, "controller", "gone"), RunContinued(3000.0)],
        [RunInterrupted(15.0, "Ctrl-C"), RunResumed(3000.0, 2, "ana", "noc-1")],
        [RunResumed(3000.0, 2, "ana", "noc-1")],
    ],
)
def test_a_step_that_nobody_watched_for_a_while_is_not_measured(absence):
    story = [
        intended(10.0),
        *absence,
        intended(3001.0, attempt=2),
        intended(3001.0, device=2),
        proven(3060.0),
        proven(3061.0, device=2),
    ]

    assert measured(story, STEPS) == {Operation.FACTORY: [60.0]}


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=200))
def test_the_ninth_decile_is_the_least_figure_that_nine_of_ten_do_not_exceed(seconds):
    decile = ninth_decile(seconds)

    assert decile in seconds
    assert sum(s <= decile for s in seconds) * 10 >= len(seconds) * 9
    assert sum(s < decile for s in seconds) * 10 < len(seconds) * 9


@given(st.lists(st.floats(0.001, 1e5), min_size=10, max_size=60))
def test_an_expectation_is_rounded_up(seconds):
    found = expectations(REDEPLOY, {Operation.FACTORY: seconds})[0][0]

    assert found == math.ceil(ninth_decile(seconds))


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=50))
def test_one_longer_run_never_makes_the_expectation_shorter(seconds):
    deciles = [ninth_decile([*seconds, more]) for more in (max(seconds), 2e6)]

    assert all(one <= other for one, other in pairwise([ninth_decile(seconds), *deciles]))
