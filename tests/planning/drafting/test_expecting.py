"""Expected times come from earlier runs where there is enough of them, else from the playbook."""

import math
from dataclasses import replace
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.model.operations import Operation
from orchestrator.planning.drafting.expecting import expectations, ninth_decile
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
