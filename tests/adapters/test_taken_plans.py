"""A plan becomes a run once, whoever asks, and whatever dies in between."""

import errno
import os
import stat
from dataclasses import replace

import orjson
import pytest
from msgspec import structs

from orchestrator.adapters.machine.shared_folder import open_folder
from orchestrator.adapters.plans import plan_file, taken_plans
from orchestrator.adapters.plans.taken_plans import Following, check_untaken, taken_up_after, taking
from orchestrator.adapters.runs.run_folder import RunsFolder
from orchestrator.model.errors import RunError, RunLockedError, UnrecordedError
from tests.support import histories
from tests.support.recorded_runs import ENDING, STORY, plan_of, record

DIGEST = "a1" * 32
NOW = 1_790_000_000.0
BEGUN = structs.replace(STORY[0], plan_digest=DIGEST)
OVER = [BEGUN, *STORY[1:], *ENDING]
BEFORE = plan_of(1001, 1002, 1003)


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
    descriptor = taken_plans._locked_mark(open_folder(locks), DIGEST, "the plan")

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
    record(runs.path, OVER)

    for asked in (check_untaken, lambda *given: take(*given[:2])):
        sentence = r"was carried out already by run night-1 \(.+\), begun .+; make a new plan$"
        with pytest.raises(RunError, match=sentence):
            asked(locks, runs, DIGEST)


def test_the_journal_of_another_folder_for_runs_counts_as_well(locks, runs, tmp_path):
    take(locks, runs)
    record(runs.path, OVER)

    with pytest.raises(RunError, match="carried out already by run night-1"):
        check_untaken(locks, RunsFolder(tmp_path / "elsewhere"), DIGEST)


def test_the_journal_counts_where_the_mark_was_cleaned_away(locks, runs):
    record(runs.path, OVER)

    with pytest.raises(RunError, match="carried out already by run night-1"):
        check_untaken(locks, runs, DIGEST)
    with pytest.raises(RunError, match="carried out already by run night-1"):
        take(locks, runs, "night-2")
    check_untaken(locks, runs, "b2" * 32)


def test_a_run_of_another_plan_that_has_the_name_now_is_no_hindrance(locks, runs):
    take(locks, runs)
    record(runs.path, [structs.replace(BEGUN, plan_digest="b2" * 32)])

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


def test_a_run_that_is_not_over_is_resumed_and_not_done_again(locks, runs, tmp_path):
    take(locks, runs)
    record(runs.path, [BEGUN, *STORY[1:]])

    sentence = r"was taken by run night-1 \(.+\), begun .+, which is not over; go on with `{}`$"
    with pytest.raises(RunError, match=sentence.format("orchestrator resume night-1")):
        check_untaken(locks, runs, DIGEST)
    elsewhere = rf"orchestrator resume night-1 --runs-dir {runs.path}"
    with pytest.raises(RunError, match=sentence.format(elsewhere)):
        check_untaken(locks, RunsFolder(tmp_path / "elsewhere"), DIGEST)
    mark(locks).unlink()
    with pytest.raises(RunError, match=sentence.format("orchestrator resume night-1")):
        take(locks, runs, "night-2")


def test_a_run_that_somebody_resumed_is_being_carried_out(locks, runs):
    folder = record(runs.path, [BEGUN])

    with (
        folder.locked(now=NOW),
        pytest.raises(RunLockedError, match="is being carried out by run night-1"),
    ):
        check_untaken(locks, runs, DIGEST)


def follow_up(*devices):
    return replace(plan_of(*devices), goes_on_after="night-1")


def went_on(runs, run, plan, *events, **changes):
    """Leave a run behind that went on after night-1."""
    begun = structs.replace(STORY[0], plan_digest=plan_file.digest(plan), **changes)
    return record(runs.path, [begun, *events], plan=plan, run_id=run)


def ask(locks, runs, plan):
    digest, following = plan_file.digest(plan), Following.of(plan)
    check_untaken(locks, runs, digest, what="the plan b.json", following=following)


def take_after(locks, runs, plan, run="night-3"):
    digest, following = plan_file.digest(plan), Following.of(plan)
    return taking(locks, runs, digest, run, NOW, following=following)


def test_a_device_is_taken_up_once_whichever_plan_says_so(locks, runs):
    record(runs.path, OVER)
    went_on(runs, "night-2", follow_up(1001, 1002), *ENDING)
    also = follow_up(1002, 1003)

    sentence = (
        "goes on after run night-1, and run night-2 has taken up 1 of its 2 devices already;"
        " go on with `orchestrator retry night-2`;"
        " for the others make it again with `orchestrator retry night-1`"
    )
    with pytest.raises(RunError, match=f"^the plan b.json {sentence}$"):
        ask(locks, runs, also)
    with pytest.raises(RunError, match=sentence), take_after(locks, runs, also):
        pass
    ask(locks, runs, follow_up(1003))
    with take_after(locks, runs, follow_up(1003)):
        pass


def test_a_follower_that_is_not_over_is_the_one_to_resume(locks, runs):
    record(runs.path, OVER)
    went_on(runs, "night-2", follow_up(1001))

    sentence = "run night-2 has taken up 1 of its 1 device already; go on with `orchestrator resume"
    with pytest.raises(RunError, match=sentence):
        ask(locks, runs, replace(follow_up(1001), listed=9))


@pytest.mark.parametrize(
    ("plan", "changes"),
    [
        (plan_of(1001), {}),
        (replace(plan_of(1001), goes_on_after="night-0"), {}),
        (follow_up(1001), {"controller": "https://other.example.com/api/v1"}),
        (follow_up(1001), {"at": histories.T0 - 86_400}),
    ],
)
def test_runs_that_do_not_go_on_after_it_take_up_nothing(runs, plan, changes):
    record(runs.path, OVER)
    went_on(runs, "night-2", plan, **changes)

    assert taken_up_after(runs, "night-1", BEFORE.controller) == {}


def test_a_follower_that_never_began_took_up_nothing(locks, runs):
    record(runs.path, OVER)
    record(runs.path, [], plan=follow_up(1001), run_id="night-2")

    ask(locks, runs, replace(follow_up(1001), listed=9))


def test_whom_a_follower_took_up_is_known_by_its_newest_run(runs):
    record(runs.path, OVER)
    went_on(runs, "night-2", follow_up(1001, 1002))
    went_on(runs, "night-3", follow_up(1002), at=histories.T0 + 60)

    found = taken_up_after(runs, "night-1", BEFORE.controller)

    named = {device: folder.run_id for device, folder in found.items()}
    assert named == {1001: "night-2", 1002: "night-3"}


@pytest.mark.parametrize("spoil", ["edited", "another"])
def test_a_follower_whose_plan_cannot_be_believed_is_named(runs, spoil):
    record(runs.path, OVER)
    folder = went_on(runs, "night-2", follow_up(1001))
    if spoil == "edited":
        folder.plan_path.write_bytes(folder.plan_path.read_bytes().replace(b"ZN1001", b"ZN1002"))
    else:
        plan_file.write_plan(follow_up(1003), folder.plan_path)

    with pytest.raises(RunError, match="run night-2 goes on after run night-1, and with which dev"):
        taken_up_after(runs, "night-1", BEFORE.controller)


def test_a_follower_whose_journal_is_damaged_counts(locks, runs):
    record(runs.path, OVER)
    folder = went_on(runs, "night-2", follow_up(1001))
    folder.journal_path.write_bytes(b"nonsense\n" + folder.journal_path.read_bytes())

    with pytest.raises(RunError, match="run night-2 has taken up 1 of its 1 device already"):
        ask(locks, runs, replace(follow_up(1001), listed=9))


def test_of_two_that_go_on_after_the_same_run_one_waits_until_the_other_is_a_run(
    locks, runs, monkeypatch
):
    monkeypatch.setattr(taken_plans, "_TRIES_AT_THE_GATE", 1)
    record(runs.path, OVER)
    one, two, other = follow_up(1001), follow_up(1001, 1002), follow_up(1003)

    with take_after(locks, runs, one, "night-2") as taken:
        sentence = "another plan that goes on after run night-1 is just becoming a run; try again"
        for plan in (two, other):
            with pytest.raises(RunLockedError, match=sentence), take_after(locks, runs, plan):
                pass
        with take_after(locks, runs, replace(other, goes_on_after="night-0")):
            pass
        went_on(runs, "night-2", one)
        taken.hear([BEGUN])
        with take_after(locks, runs, other):
            pass
        with (
            pytest.raises(RunError, match="run night-2 has taken up 1 of its 2 devices already"),
            take_after(locks, runs, two),
        ):
            pass
