"""A run is taken up only as it was begun."""

from pathlib import Path

import anyio
import pytest
from msgspec import structs

from orchestrator.adapters.plans import plan_file
from orchestrator.adapters.plans.plan_file import read_stored
from orchestrator.adapters.runs.kept_run import taken_up
from orchestrator.model.errors import JournalError, RunError
from tests.support.recorded_runs import STORY, plan_of, record

VERSION_2 = Path(__file__).parents[1] / "support" / "plan_version_2.json"
PLAN = plan_of(1001, 1002, 1003)
BEGUN = [structs.replace(STORY[0], plan_digest=plan_file.digest(PLAN)), *STORY[1:]]


def test_plan_history_and_journal_come_together(tmp_path):
    folder = record(tmp_path, BEGUN, plan=PLAN)

    with taken_up(folder, None) as kept:
        assert (kept.plan, list(kept.history)) == (PLAN, BEGUN)
        assert kept.journal.seq == len(BEGUN)
        assert kept.torn_bytes == 0


def test_a_torn_tail_is_cut_off_and_counted(tmp_path):
    folder = record(tmp_path, BEGUN, plan=PLAN)
    with folder.journal_path.open("ab") as journal:
        journal.write(b'{"seq": 9, "half')

    with taken_up(folder, None) as kept:
        assert kept.torn_bytes == 16
        assert list(kept.history) == BEGUN


def test_a_journal_without_a_beginning_is_not_taken_up(tmp_path):
    folder = record(tmp_path, [], plan=PLAN)

    with (
        pytest.raises(RunError, match="its journal is empty; start it anew"),
        taken_up(folder, None),
    ):
        pass


def test_another_plan_is_not_the_runs_own(tmp_path):
    folder = record(tmp_path, BEGUN, plan=plan_of(1001))

    with (
        pytest.raises(RunError, match="not the one its journal was begun with"),
        taken_up(folder, None),
    ):
        pass


def test_the_journal_is_closed_behind_it(tmp_path):
    folder = record(tmp_path, BEGUN, plan=PLAN)
    with taken_up(folder, None) as kept:
        pass

    with pytest.raises(JournalError, match="is closed"):
        anyio.run(kept.journal.append, BEGUN[:1])


def test_a_run_of_a_plan_of_the_version_before_is_taken_up_by_the_digest_in_its_file(tmp_path):
    kept = read_stored(VERSION_2)
    begun = [structs.replace(STORY[0], plan_digest=kept.digest), *STORY[1:]]
    folder = record(tmp_path, begun, plan=PLAN)
    folder.plan_path.write_bytes(VERSION_2.read_bytes())

    assert plan_file.digest(kept.plan) != kept.digest
    with taken_up(folder, None) as taken:
        assert taken.plan == kept.plan
