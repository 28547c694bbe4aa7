"""Only a run that is over is gone on after, and only by the plan it began with."""

import pytest
from msgspec import structs

from orchestrator.adapters.plans import plan_file
from orchestrator.adapters.runs.ended_run import read_ended
from orchestrator.model.errors import JournalError, RunError, RunLockedError
from orchestrator.model.verdicts import Verdict
from orchestrator.planning.drafting.following import Stop
from tests.support.histories import T0
from tests.support.recorded_runs import ENDING, STORY, plan_of, record

PLAN = plan_of(1001, 1002, 1003)
WHOLE = [structs.replace(STORY[0], plan_digest=plan_file.digest(PLAN)), *STORY[1:], *ENDING]


def test_a_run_that_is_over_tells_where_it_left_each_device(tmp_path):
    ended = read_ended(record(tmp_path, WHOLE, plan=PLAN), None)

    assert (ended.run_id, ended.plan, ended.note) == ("night-1", PLAN, "")
    assert ended.left == {
        1001: Stop(Verdict.SUCCEEDED, 1),
        1002: Stop(Verdict.UNCONFIRMED, 0, unproven=True),
        1003: Stop(Verdict.SKIPPED, 0),
    }


def test_how_the_audit_log_was_checked_is_said(tmp_path):
    folder = record(tmp_path, WHOLE, plan=PLAN, key=b"open-sesame-open")

    assert read_ended(folder, None).note == "not checked: chained with an audit key"
    assert read_ended(folder, b"open-sesame-open").note == ""


@pytest.mark.parametrize(
    ("events", "plan", "words"),
    [
        (WHOLE[:-1], PLAN, "run night-1 is not over: take it up with `resume`, or cancel it"),
        ([], PLAN, "run night-1 never began"),
        (WHOLE, plan_of(1001), "the plan of run night-1 is not the one its journal was begun with"),
    ],
    ids=["not over", "never began", "another plan"],
)
def test_any_other_run_is_refused_in_one_sentence(tmp_path, events, plan, words):
    with pytest.raises(RunError, match=words):
        read_ended(record(tmp_path, events, plan=plan), None)


def test_a_run_that_somebody_drives_is_refused_naming_who(tmp_path):
    folder = record(tmp_path, WHOLE, plan=PLAN)

    with (
        folder.locked(now=T0),
        pytest.raises(RunLockedError, match=r"run night-1 is being driven by process \d+ on"),
    ):
        read_ended(folder, None)


def test_a_journal_that_was_edited_is_refused(tmp_path):
    folder = record(tmp_path, WHOLE, plan=PLAN)
    text = folder.journal_path.read_text()
    folder.journal_path.write_text(text.replace("unconfirmed", "succeeded"))

    with pytest.raises(JournalError, match="does not match the hash chain"):
        read_ended(folder, None)
