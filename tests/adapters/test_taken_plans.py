"""A plan becomes a run once, whoever asks, and whatever dies in between."""

import errno
import os
import stat
from dataclasses import replace

import orjson
import pytest

from orchestrator.adapters import taken_plans
from orchestrator.adapters.run_folder import RunsFolder
from orchestrator.adapters.taken_plans import check_untaken, taking
from orchestrator.model.errors import RunError, RunLockedError, UnrecordedError
from tests.support.recorded_runs import STORY, record

DIGEST = "a1" * 32
NOW = 1_790_000_000.0
BEGUN = replace(STORY[0], plan_digest=DIGEST)


@pytest.fixture
def locks(tmp_path):
    return tmp_path / "locks"


@pytest.fixture
def runs(tmp_path):
    return RunsFolder(tmp_path / "runs")


def mark(locks):
    [found] = locks.glob("*.plan")
    return found


def take(locks, runs, run="night-1", digest=DIGEST):
    """Take a plan as a process does that dies before its journal begins."""
    with taking(locks, runs, digest, run, NOW):
        pass


def test_a_plan_that_nobody_took_can_be_taken_and_asking_leaves_no_trace(locks, runs):
    check_untaken(locks, runs, DIGEST)

    assert not locks.exists()
    take(locks, runs)
    assert stat.S_IMODE(locks.stat().st_mode) == 0o1777
    assert stat.S_IMODE(mark(locks).stat().st_mode) == 0o666


def test_of_two_who_take_it_at_once_one_gets_it_and_the_other_is_told_by_whom(locks, runs):
    with taking(locks, runs, DIGEST, "night-1", NOW):
        expected = rf"is being carried out by run night-1 \(process {os.getpid()}, "
        with pytest.raises(RunLockedError, match=expected):
            take(locks, runs, "night-2")
        with pytest.raises(RunLockedError, match=expected):
            check_untaken(locks, runs, DIGEST, what="the plan p.json")
        take(locks, runs, "other", digest="b2" * 32)


def test_one_that_has_not_said_yet_who_it_is_keeps_others_out_all_the_same(locks, runs):
    take(locks, runs)
    mark(locks).write_bytes(b"")
    descriptor = taken_plans._locked_mark(locks, DIGEST, "the plan")

    with pytest.raises(RunLockedError, match="by another process"):
        take(locks, runs, "night-2")

    os.close(descriptor)


@pytest.mark.parametrize("left", [b"", b"{", b"[]", b'{"run": 1}', b"\x00" * 50])
def test_whoever_died_before_writing_its_name_took_nothing(locks, runs, left):
    take(locks, runs)
    mark(locks).write_bytes(left)

    check_untaken(locks, runs, DIGEST)
    take(locks, runs, "night-2")


def test_a_run_that_never_began_is_taken_over(locks, runs):
    take(locks, runs)
    check_untaken(locks, runs, DIGEST)

    take(locks, runs, "night-2")

    record(runs.path, [])
    take(locks, runs, "night-3")
    assert orjson.loads(mark(locks).read_bytes())["run"] == "night-3"


def test_a_run_that_began_is_named_with_its_moment(locks, runs):
    take(locks, runs)
    record(runs.path, [BEGUN])

    for asked in (check_untaken, lambda *given: take(*given[:2])):
        with pytest.raises(RunError, match=r"was carried out already by run night-1 \(.+\), begun"):
            asked(locks, runs, DIGEST)


def test_the_journal_of_another_folder_for_runs_counts_as_well(locks, runs, tmp_path):
    take(locks, runs)
    record(runs.path, [BEGUN])

    with pytest.raises(RunError, match="carried out already by run night-1"):
        check_untaken(locks, RunsFolder(tmp_path / "elsewhere"), DIGEST)


def test_the_journal_counts_where_the_mark_was_cleaned_away(locks, runs):
    record(runs.path, [BEGUN])

    with pytest.raises(RunError, match="carried out already by run night-1"):
        check_untaken(locks, runs, DIGEST)
    with pytest.raises(RunError, match="carried out already by run night-1"):
        take(locks, runs, "night-2")
    check_untaken(locks, runs, "b2" * 32)


def test_a_run_of_another_plan_that_has_the_name_now_is_no_hindrance(locks, runs):
    take(locks, runs)
    record(runs.path, [replace(BEGUN, plan_digest="b2" * 32)])

    take(locks, runs, "night-2")


def test_once_begun_it_is_taken_for_good_even_if_the_run_is_removed(locks, runs):
    with taking(locks, runs, DIGEST, "night-1", NOW) as taken:
        taken.hear(STORY[1:])
        taken.hear([BEGUN, *STORY[1:]])
        taken.hear([BEGUN])

    with pytest.raises(RunError, match=r"already by run night-1 .* begun 2026-09-21 14:13:20Z"):
        check_untaken(locks, runs, DIGEST)


def test_events_without_a_beginning_do_not_use_it_up(locks, runs):
    with taking(locks, runs, DIGEST, "night-1", NOW) as taken:
        taken.hear(STORY[1:])

    check_untaken(locks, runs, DIGEST)


def test_a_journal_that_cannot_be_read_is_taken_to_have_begun(locks, runs):
    take(locks, runs)
    folder = record(runs.path, [BEGUN, *STORY[1:]])
    lines = folder.journal_path.read_bytes().splitlines(keepends=True)
    folder.journal_path.write_bytes(b"".join([b"nonsense\n", *lines[1:]]))

    with pytest.raises(RunError, match="carried out already by run night-1"):
        take(locks, runs, "night-2")


def test_a_mark_that_is_cleaned_away_while_it_is_being_locked_is_made_anew(
    locks, runs, monkeypatch
):
    take(locks, runs)
    lock = taken_plans._lock
    removed = []

    def late(descriptor, kind, what):
        if not removed:
            removed.append(mark(locks).unlink())
        lock(descriptor, kind, what)

    monkeypatch.setattr(taken_plans, "_lock", late)
    with taking(locks, runs, DIGEST, "night-2", NOW):
        assert orjson.loads(mark(locks).read_bytes())["run"] == "night-2"


def test_a_link_in_its_place_is_not_followed(locks, runs, tmp_path):
    take(locks, runs)
    victim = tmp_path / "victim"
    victim.write_text("precious")
    path = mark(locks)
    for put in (path.symlink_to, path.hardlink_to):
        path.unlink()
        put(victim)
        with pytest.raises(RunError, match="cannot be used"):
            take(locks, runs)
        with pytest.raises(RunError, match="cannot be used"):
            check_untaken(locks, runs, DIGEST)
    assert victim.read_text() == "precious"


def test_a_folder_in_which_everybody_may_remove_marks_is_refused(locks, runs):
    locks.mkdir()
    locks.chmod(0o777)

    with pytest.raises(RunError, match=r"say `chmod 1777 .*ORCHESTRATOR_LOCKS_DIR"):
        take(locks, runs)


def test_a_file_in_the_folders_place_is_said_so(locks, runs):
    locks.touch()

    with pytest.raises(RunError, match="cannot be used: it is a link or no folder"):
        take(locks, runs)
    check_untaken(locks, runs, DIGEST)


def test_a_mark_that_cannot_be_written_lets_nothing_begin(locks, runs, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "pwrite", full)

    with pytest.raises(UnrecordedError, match="the disk is full"):
        take(locks, runs)


def test_a_mark_that_cannot_be_renewed_does_not_end_the_run(locks, runs, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with taking(locks, runs, DIGEST, "night-1", NOW) as taken:
        monkeypatch.setattr(os, "pwrite", full)
        taken.hear([BEGUN])
