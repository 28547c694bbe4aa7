"""What a run came to is kept beside its journal, and believed only of that very journal."""

import json
import os

import pytest

from orchestrator.adapters.runs.kept_outcome import keep_at_end, kept, outcome_of
from orchestrator.model.errors import JournalError
from orchestrator.report.standing import Outcome
from orchestrator.report.summary import Summary
from tests.support.recorded_runs import ENDING, STORY, plan_of, record

KEY = b"open-sesame-open"
WHOLE = [*STORY, *ENDING]
UNKNOWN = "not checked: chained with an audit key"


def told(folder, key=None, *, driven=False):
    return outcome_of(folder, key, driven=driven)


def test_what_a_finished_run_came_to_is_kept_when_it_was_read(tmp_path):
    folder = record(tmp_path, WHOLE)
    assert kept(folder, None) is None

    found, note = told(folder)

    assert (kept(folder, None), note) == (found, "")
    assert found == Outcome.of(Summary.of(plan_of(1001, 1002, 1003), WHOLE))
    assert (found.state, found.devices, found.verdicts["skipped"]) == ("finished", 3, 1)
    assert folder.outcome_path.stat().st_mode & 0o777 == 0o600


def test_what_is_kept_is_told_without_reading_the_journal_again(tmp_path, monkeypatch):
    folder = record(tmp_path, WHOLE)
    found, _ = told(folder)
    monkeypatch.setattr("orchestrator.adapters.runs.kept_outcome.read_records", None)

    assert told(folder) == (found, "")


def test_a_run_that_is_not_over_is_never_kept(tmp_path):
    folder = record(tmp_path, STORY)

    assert told(folder)[0].state == "interrupted"
    assert told(folder, driven=True)[0].state == "running"
    keep_at_end(folder, Summary.of(plan_of(1001), STORY), None)
    assert not folder.outcome_path.exists()


def test_who_drove_a_run_to_its_end_keeps_what_came_of_it(tmp_path):
    folder = record(tmp_path, WHOLE, key=KEY)

    keep_at_end(folder, Summary.of(plan_of(1001, 1002, 1003), WHOLE), KEY)

    assert kept(folder, KEY) == told(folder, KEY)[0]


def test_an_edit_of_the_journal_that_hides_its_time_is_found(tmp_path):
    folder = record(tmp_path, WHOLE)
    told(folder)
    before = folder.journal_path.stat()
    text = folder.journal_path.read_text()
    folder.journal_path.write_text(text.replace("unconfirmed", "succeeded__"))
    os.utime(folder.journal_path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert folder.journal_path.stat().st_size == before.st_size

    with pytest.raises(JournalError, match="does not match the hash chain"):
        told(folder)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text.replace('"skipped":1', '"skipped":2'),
        lambda text: text.replace('"v":1', '"v":2'),
        lambda text: text[:40],
        lambda _: "[]",
        lambda _: "\x00",
        lambda text: text.replace('"digest":"', '"digest":"é'),
    ],
    ids=["edited", "newer", "cut", "other", "noise", "odd"],
)
def test_a_kept_outcome_that_is_not_ours_is_passed_over_and_made_again(tmp_path, spoil):
    folder = record(tmp_path, WHOLE)
    found, _ = told(folder)
    folder.outcome_path.write_text(spoil(folder.outcome_path.read_text()))

    assert kept(folder, None) is None
    assert told(folder)[0] == found
    assert kept(folder, None) == found


def test_with_the_key_only_what_was_sealed_with_it_is_believed(tmp_path):
    folder = record(tmp_path, WHOLE, key=KEY)
    assert told(folder) == (told(folder)[0], UNKNOWN)
    assert kept(folder, None) is not None
    assert kept(folder, KEY) is None

    assert told(folder, KEY)[1] == ""

    assert kept(folder, KEY) is not None
    assert kept(folder, b"another-key-altogether") is None
    assert told(folder)[1] == UNKNOWN


def test_another_key_is_still_refused_whatever_is_kept(tmp_path):
    folder = record(tmp_path, WHOLE, key=KEY)
    told(folder, KEY)

    with pytest.raises(JournalError):
        told(folder, b"another-key-altogether")


def test_a_forged_outcome_does_not_pass_before_the_key(tmp_path):
    folder = record(tmp_path, WHOLE, key=KEY)
    told(folder, KEY)
    members = json.loads(folder.outcome_path.read_text())
    members["outcome"]["verdicts"]["unconfirmed"] = 0
    folder.outcome_path.write_text(json.dumps(members))

    assert kept(folder, KEY) is None
    assert told(folder, KEY)[0].verdicts["unconfirmed"] == 1


def test_that_nothing_can_be_kept_is_no_error(tmp_path):
    folder = record(tmp_path, WHOLE)
    folder.outcome_path.mkdir()

    assert told(folder)[0].state == "finished"
    assert told(folder)[0].state == "finished"


def test_a_journal_that_is_gone_is_said_to_be_so(tmp_path):
    folder = record(tmp_path, WHOLE)
    folder.journal_path.unlink()

    with pytest.raises(JournalError, match=r"journal\.jsonl cannot be read"):
        told(folder)
