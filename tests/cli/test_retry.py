"""`retry` refuses in one sentence what cannot be tried again, before anything is asked."""

from dataclasses import replace
from pathlib import Path

import pytest
from msgspec import structs

from orchestrator.adapters.plans import plan_file
from tests.support import histories
from tests.support.recorded_runs import ENDING, STORY, plan_of, record

RUNS = Path("logs/runs")
PLAN = plan_of(1001, 1002, 1003)
BEGUN = [structs.replace(STORY[0], plan_digest=plan_file.digest(PLAN)), *STORY[1:]]
BASE = PLAN.controller


@pytest.fixture
def over(monkeypatch, cli):
    monkeypatch.setenv("ORCHESTRATOR_BASE_URL", BASE)
    monkeypatch.setenv("ORCHESTRATOR_TOKEN", "a-token-for-tests")
    return record(RUNS, [*BEGUN, *ENDING], plan=PLAN)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ("--verdicts faild", "this is 'faild'; did you mean 'failed'?"),
        ("--verdicts succeeded", "a device that succeeded is not tried again"),
        ("--verdicts already_ok", "a device that was already ok is not tried again"),
        ("-o plan.yaml", "a plan is kept in a file named *.json"),
        ("-o no/such/plan.json", "there is no folder no/such"),
    ],
)
def test_what_cannot_be_asked_is_answered_in_one_sentence(cli, over, options, sentence):
    ended = cli("retry", "night-1", *options.split())

    assert (ended.code, ended.out) == (2, "")
    assert sentence in ended.err.splitlines()[0]


def test_with_nobody_to_take_up_it_says_so_and_nothing_is_written(cli, over):
    ended = cli("retry", "night-1", "--verdicts", "failed,not_started", "-o", "again.json")

    assert (ended.code, ended.out) == (0, "")
    assert ended.err == (
        "There is nothing to retry in run night-1: 1 device ended unconfirmed, 1 succeeded and"
        " 1 was skipped; --verdicts takes up others.\n"
    )
    assert not Path("again.json").exists()


def test_a_run_that_is_not_over_is_refused(cli, over):
    record(RUNS, BEGUN, plan=PLAN, run_id="night-2")

    ended = cli("retry", "night-2")

    assert (ended.code, ended.out) == (2, "")
    assert ended.err == (
        "error: run night-2 is not over: take it up with `resume`, or cancel it, first\n"
    )


def test_a_run_that_somebody_drives_is_refused(cli, over):
    with over.locked(now=histories.T0):
        ended = cli("retry", "night-1")

    assert ended.code == 2
    assert ended.err.startswith("error: run night-1 is being driven by process ")


def test_a_run_against_another_controller_is_refused(cli, over, monkeypatch):
    monkeypatch.setenv("ORCHESTRATOR_BASE_URL", "https://other.example.com/api/v1")

    ended = cli("retry", "night-1")

    assert ended.code == 2
    assert f"run night-1 was made against {BASE}, the settings say https://other" in ended.err


def test_an_edited_journal_is_refused(cli, over):
    text = over.journal_path.read_text()
    over.journal_path.write_text(text.replace("unconfirmed", "succeeded"))

    ended = cli("retry", "night-1")

    assert (ended.code, ended.out) == (2, "")
    assert "does not match the hash chain" in ended.err


@pytest.mark.parametrize(
    ("skipped", "told"),
    [
        ((1001, 1002), "2 devices were skipped and 1 succeeded; --verdicts takes up others"),
        ((), "3 devices succeeded"),
    ],
)
def test_how_devices_ended_that_are_not_taken_up_reads_as_a_sentence(cli, over, skipped, told):
    ends = [
        histories.finished(device, verdict="skipped", reason="status is Down")
        if device in skipped
        else histories.finished(device, step=1)
        for device in (1001, 1002, 1003)
    ]
    record(RUNS, [BEGUN[0], *ends, ENDING[-1]], plan=PLAN, run_id="night-2")

    ended = cli("retry", "night-2")

    assert (ended.code, ended.err) == (0, f"There is nothing to retry in run night-2: {told}.\n")


def went_on(run_id, *devices, over=True):
    """Leave a run behind that took devices of night-1 up."""
    plan = replace(plan_of(*devices), goes_on_after="night-1")
    begun = structs.replace(STORY[0], plan_digest=plan_file.digest(plan))
    record(RUNS, [begun, *(ENDING if over else ())], plan=plan, run_id=run_id)


@pytest.mark.parametrize(("over_too", "word"), [(True, "retry"), (False, "resume")])
def test_what_another_run_has_taken_up_is_retried_there(cli, over, over_too, word):
    went_on("night-2", 1002, over=over_too)

    ended = cli("retry", "night-1", "-o", "again.json")

    assert (ended.code, ended.out) == (2, "")
    assert ended.err == (
        "error: 1 device of run night-1 that could be tried again was taken up by run night-2"
        f" already; go on with `orchestrator {word} night-2`\n"
    )
    assert not Path("again.json").exists()


def test_what_two_others_have_taken_up_is_retried_in_both(cli, over):
    went_on("night-2", 1002)
    went_on("night-3", 1003)

    ended = cli("retry", "night-1", "--verdicts", "unconfirmed,skipped")

    assert ended.code == 2
    assert "2 devices of run night-1 that could be tried again were taken up by runs" in ended.err
    assert "`orchestrator retry night-2`" in ended.err
    assert "`orchestrator retry night-3`" in ended.err
