"""Two runs held against each other: what makes them different first, then what came of them."""

from dataclasses import replace

from msgspec import structs

from orchestrator.model.events import RunStopped, StepSucceeded
from orchestrator.report.contrasting import Pair, contrast
from tests.support.histories import (
    T0,
    accepted,
    finished,
    intended,
    planned,
    run_started,
    succeeded,
)
from tests.support.recorded_runs import plan_of
from tests.support.reported import ENDED, careful_report, reported

TITLES = ("factory", "reconf")


def run(*events, devices=(1, 2), started=None, **given):
    begun = started or run_started(devices=len(devices))
    details = {"planned": planned(*devices), "titles": TITLES, "max_down": 2} | given
    return reported(begun, *events, **details)


def walk(device, seconds=60.0):
    return (
        intended(device),
        accepted(device),
        succeeded(device, at=T0 + seconds),
        finished(device, at=T0 + seconds),
    )


def test_equal_runs_have_no_differences():
    one = run(*walk(1), *walk(2), ENDED)
    found = contrast(one, replace(one, run_id="night-2"))

    assert found.differences == ()
    assert found.took == Pair(1_700, 1_700)
    assert found.took.change == 0
    assert found.devices.differing == []


def test_what_makes_runs_different_is_named():
    other = structs.replace(run_started(devices=1), playbook="reboot")
    found = contrast(
        run(*walk(1), ENDED),
        run(RunStopped(T0 + 9, "person", "enough"), ENDED, started=other, devices=(3,)),
    )

    assert found.differences == (
        "the playbooks are different ones: redeploy and reboot",
        "the device sets are different ones: 0 devices are in both, 2 only in A, 1 only in B",
        "B was stopped before its end: enough",
    )


def test_a_playbook_whose_text_was_changed_is_named():
    changed = structs.replace(run_started(devices=2), playbook_digest="c" * 64)

    assert contrast(run(ENDED), run(ENDED, started=changed)).differences == (
        "the text of the playbook redeploy was changed between them",
    )


def test_devices_of_different_controllers_are_not_held_against_each_other():
    elsewhere = structs.replace(run_started(devices=2), controller="https://lab.example.com/api/v1")
    found = contrast(run(ENDED), run(*walk(1), ENDED, started=elsewhere))

    assert found.devices is None
    (told,) = found.differences
    assert told == (
        "the controllers are different ones, https://control.example.com/api/v1 and"
        " https://lab.example.com/api/v1, so devices are not compared one by one"
    )
    assert found.verdicts == {"succeeded": Pair(0, 1)}


def test_a_run_that_goes_on_is_compared_as_far_as_it_is():
    going_on = replace(run(*walk(1)), driven=True)
    found = contrast(run(*walk(1), ENDED), going_on)

    assert found.differences == ("B is not over: running",)
    assert found.took == Pair(1_700, 60)


def test_figures_stand_side_by_side():
    first = run(intended(2), *walk(1), ENDED)
    found = contrast(first, run(*walk(1), *walk(2), ENDED, max_down=None))

    assert found.verdicts == {"succeeded": Pair(1, 2)}
    assert found.figures["requests"] == Pair(2, 2)
    assert found.figures["peak_down"] == Pair(2, 1)
    assert found.figures["max_down"] == Pair(2, None)
    assert found.figures["max_down"].change is None


def test_devices_that_ended_otherwise_are_named_and_counted():
    first = run(*walk(1), finished(2, verdict="failed", reason="404"), devices=(1, 2, 3))
    second = run(finished(1, verdict="unconfirmed"), *walk(2), finished(4), devices=(1, 2, 4))

    found = contrast(first, second).devices

    assert (found.both, found.only_first, found.only_second) == (2, 1, 1)
    assert [pair.first.device for pair in found.differing] == [1, 2]
    assert found.turns == {("succeeded", "unconfirmed"): 1, ("failed", "succeeded"): 1}


def test_the_commonest_turn_comes_first():
    first = run(finished(1, verdict="failed"), *walk(2), *walk(3), devices=(1, 2, 3))
    second = run(*walk(1), *(finished(n, verdict="failed") for n in (2, 3)), devices=(1, 2, 3))

    assert list(contrast(first, second).devices.turns.values()) == [2, 1]


def test_steps_are_paired_by_what_they_do():
    def proven(step, seconds):
        return (intended(1, step=step), StepSucceeded(T0 + seconds, 1, step, "x"))

    first = run(*proven(0, 60), *proven(1, 30), titles=("sync", "reboot"))
    second = run(*proven(0, 50), *proven(1, 9), titles=("reboot", "reboot"))

    steps = contrast(first, second).steps

    assert [step.title for step in steps] == ["sync", "reboot", "reboot (the 2. of its kind)"]
    assert (steps[0].first.median, steps[0].second) == (60, None)
    assert (steps[1].first.median, steps[1].second.median) == (30, 50)
    assert (steps[2].first, steps[2].second.median) == (None, 9)


def test_without_plans_steps_are_paired_by_their_number():
    def bare(seconds):
        return reported(run_started(), *walk(1, seconds), ENDED)

    (step,) = contrast(bare(60), bare(90)).steps

    assert (step.title, step.first.median, step.second.median) == ("step 1", 60, 90)


def test_waves_are_compared_by_when_they_were_finished():
    found = contrast(careful_report(ENDED), run(ENDED))

    assert found.waves == {1: Pair(260, None), 2: Pair(1_021, None)}
    assert found.figures["waves"] == Pair(3, None)


def test_each_run_is_held_against_its_own_forecast():
    other = reported(run_started(), ENDED, plan=plan_of(1, 2, 3))

    assert contrast(careful_report(ENDED), other).lateness == Pair(1.7, None)
