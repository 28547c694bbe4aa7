"""Runs on disk: their names, their locks, and lists that nothing can break."""

import os
import pwd
import shutil
import stat
import tempfile
from contextlib import contextmanager
from pathlib import Path

import orjson
import pytest

from orchestrator.adapters.runs.file_journal import FileJournal
from orchestrator.adapters.runs.run_folder import RunFolder, RunsFolder, new_id
from orchestrator.model.errors import JournalError, RunError, RunLockedError
from tests.support.histories import T0, run_started


@pytest.fixture
def runs(tmp_path):
    return RunsFolder(tmp_path / "logs" / "runs")


def _run(runs, run_id):
    return runs.create(run_id, playbook="redeploy", now=T0)


async def _started(runs, run_id, *, at=T0, key=None):
    folder = _run(runs, run_id)
    with FileJournal.create(folder.journal_path, run_id, key) as journal:
        await journal.append([run_started(at)])
    return folder


def test_a_made_id_sorts_by_time_and_says_what_the_run_is_about():
    made = new_id("Redeploy branch / routers!", now=T0, suffix="3f")

    assert made == "2026-11-22-0415-redeploy-branch-routers-3f"


def test_a_playbook_without_a_letter_still_gives_an_id():
    assert new_id("???", now=T0, suffix="3f") == "2026-11-22-0415-run-3f"


def test_two_runs_of_one_minute_get_two_folders(runs):
    made = {runs.create(None, playbook="redeploy", now=T0).run_id for _ in range(20)}

    assert len(made) == 20
    assert sorted(made) == runs.names()


def test_only_the_owner_can_enter_a_run(runs):
    assert stat.S_IMODE(_run(runs, "night-1").path.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    "name", ["", "..", "../up", "a/b", "/etc", ".hidden", "-x", "a b", "a\n", "é", "a" * 81, "last"]
)
def test_a_name_that_could_leave_the_folder_or_confuse_is_refused(runs, name):
    with pytest.raises(RunError, match=r"cannot (name a run|be named)"):
        _run(runs, name)
    assert not runs.path.exists()


async def test_a_name_is_given_once(runs):
    await _started(runs, "night-1")

    with pytest.raises(RunError, match="there is a run night-1 already; resume it"):
        _run(runs, "night-1")


@pytest.mark.parametrize("left", [None, b"", b'{"seq":1,"event":"RunStarted","run":"nig'])
async def test_the_folder_of_a_run_that_never_began_is_taken_over(runs, left):
    dead = _run(runs, "night-1")
    with dead.locked(now=T0):
        pass
    if left is not None:
        dead.journal_path.write_bytes(left)

    folder = _run(runs, "night-1")
    with folder.locked(now=T0):
        folder.make_way()
        with FileJournal.create(folder.journal_path, "night-1") as journal:
            await journal.append([run_started()])

    assert [run.started for run in runs.listed()] == [run_started()]
    assert runs.is_taken("night-1")


async def test_nothing_is_taken_away_from_a_run_that_began_in_the_meantime(runs):
    folder = await _started(runs, "night-1")
    written = folder.journal_path.read_bytes()

    with pytest.raises(RunError, match="there is a run night-1 already"):
        folder.make_way()
    assert folder.journal_path.read_bytes() == written


def test_a_folder_with_a_damaged_journal_is_not_taken_over(runs):
    folder = _run(runs, "night-1")
    folder.journal_path.write_text('{"seq":1,"chain":"edited"}\n')

    with pytest.raises(RunError, match="there is a run night-1 already"):
        _run(runs, "night-1")


def test_a_folder_that_another_process_is_about_to_use_is_not_taken_over(runs):
    folder = _run(runs, "night-1")

    with folder.locked(now=T0), pytest.raises(RunError, match="there is a run night-1 already"):
        _run(runs, "night-1")


async def test_a_copied_run_is_not_taken_for_another_one(runs):
    folder = await _started(runs, "kk")
    shutil.copytree(folder.path, runs.path / "tt")

    with pytest.raises(JournalError, match="belongs to run 'kk', not to 'tt'"):
        runs.find("tt").require_journal()
    assert {run.folder.run_id: bool(run.damage) for run in runs.listed()} == {
        "kk": False,
        "tt": True,
    }


def test_a_file_in_place_of_the_folder_is_named(runs):
    runs.path.parent.mkdir()
    runs.path.write_text("")

    with pytest.raises(RunError, match=r"runs, is a file"):
        _run(runs, "night-1")


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(RunError, match="cannot be made: not a directory"):
        _run(RunsFolder(tmp_path / "file" / "runs"), "night-1")


def test_a_saved_file_replaces_the_old_one_as_a_whole(runs):
    folder = _run(runs, "night-1")
    folder.save(folder.plan_path, b"old")
    folder.save(folder.plan_path, b"new")

    assert folder.read_plan() == b"new"
    assert list(folder.path.iterdir()) == [folder.plan_path]
    assert stat.S_IMODE(folder.plan_path.stat().st_mode) == 0o600


def test_what_cannot_be_saved_is_said(tmp_path):
    folder = RunFolder(tmp_path / "gone")

    with pytest.raises(RunError, match=r"report\.html cannot be written: no such file"):
        folder.save(folder.report_path, b"")


def test_a_run_without_plan_or_journal_never_began(runs):
    folder = _run(runs, "night-1")

    with pytest.raises(RunError, match=r"run night-1 has no plan in .*: it never began"):
        folder.read_plan()
    with pytest.raises(RunError, match=r"run night-1 has no journal in .*: it never began"):
        folder.require_journal()


def test_a_second_driver_is_told_who_the_first_is(runs):
    folder = _run(runs, "night-1")
    with folder.locked(now=T0):
        with pytest.raises(RunLockedError) as refusal, RunFolder(folder.path).locked(now=T0 + 5):
            pass
        holder = folder.holder()

    assert f"driven by process {os.getpid()} on " in str(refusal.value)
    assert "since 2026-11-22 04:15:00Z" in str(refusal.value)
    assert holder is not None
    assert holder.pid == os.getpid()


def test_a_run_that_was_let_go_can_be_driven_again(runs):
    folder = _run(runs, "night-1")
    for _ in range(2):
        with folder.locked(now=T0):
            assert folder.holder() is not None
        assert folder.holder() is None


def test_what_a_dead_process_wrote_into_the_lock_holds_nobody_up(runs):
    folder = _run(runs, "night-1")
    (folder.path / "lock").write_bytes(orjson.dumps({"pid": 1, "host": "x", "since": "2026-11-22"}))

    assert folder.holder() is None
    with folder.locked(now=T0):
        pass


def test_a_driver_that_left_no_name_still_counts(runs):
    folder = _run(runs, "night-1")
    with folder.locked(now=T0):
        (folder.path / "lock").write_text("scribble")
        with (
            pytest.raises(RunLockedError, match="driven by another process"),
            folder.locked(now=T0),
        ):
            pass
        assert folder.holder().host == "an unknown host"


def test_a_run_without_a_folder_cannot_be_locked(tmp_path):
    with (
        pytest.raises(RunError, match="cannot be locked"),
        RunFolder(tmp_path / "x").locked(now=T0),
    ):
        pass


async def test_runs_are_listed_with_the_newest_first(runs):
    await _started(runs, "b-older", at=T0)
    await _started(runs, "a-newer", at=T0 + 60)
    listed = runs.listed()

    assert [run.folder.run_id for run in listed] == ["a-newer", "b-older"]
    assert listed[0].started == run_started(T0 + 60)
    assert listed[0].damage == ""


async def test_a_damaged_run_stands_in_the_list_and_says_so(runs):
    await _started(runs, "good")
    bad = _run(runs, "bad")
    bad.journal_path.write_text('{"hello": 1,"chain":"' + "0" * 64 + '"}\n')
    _run(runs, "empty")
    damage = {run.folder.run_id: run.damage for run in runs.listed()}

    assert damage["good"] == ""
    assert "journal.jsonl:1: this is not the first line of a journal" in damage["bad"]
    assert damage["empty"] == "it has neither a plan nor a journal"


async def test_a_keyed_run_is_listed_without_the_key(runs):
    await _started(runs, "night-1", key=b"kept elsewhere")

    assert runs.listed()[0].started is not None


async def test_a_driven_run_is_listed_with_its_driver(runs):
    folder = await _started(runs, "night-1")
    with folder.locked(now=T0):
        assert runs.listed()[0].holder.pid == os.getpid()


async def test_a_run_is_found_by_its_id_its_beginning_or_as_the_last(runs):
    await _started(runs, "2026-a", at=T0)
    await _started(runs, "2026-ab", at=T0 + 60)
    await _started(runs, "2025-x", at=T0 - 60)

    assert runs.find("2026-a").run_id == "2026-a"
    assert runs.find("2025").run_id == "2025-x"
    assert runs.find("last").run_id == "2026-ab"


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ("2026", "2 runs begin with '2026': 2026-red, 2026-rod"),
        ("2026-rad", "there is no run '2026-rad' in .*; did you mean 2026-rod or 2026-red"),
        ("zzz", "there is no run 'zzz' in .*; see `orchestrator runs`"),
        ("../2026-red", "there is no run"),
        ("", "there is no run ''"),
    ],
)
def test_a_run_that_is_not_there_is_answered_with_the_nearest(runs, wanted, words):
    _run(runs, "2026-red")
    _run(runs, "2026-rod")

    with pytest.raises(RunError, match=words):
        runs.find(wanted)


def test_many_runs_with_one_beginning_are_not_all_named(runs):
    for number in range(7):
        _run(runs, f"night-{number}")

    with pytest.raises(RunError, match=r"7 runs begin with 'n': .*night-4, \.\.\.$"):
        runs.find("n")


def test_where_no_run_was_ever_made_there_is_none(runs):
    assert runs.listed() == []
    with pytest.raises(RunError, match=r"there are no runs in .* yet"):
        runs.find("last")


def test_a_folder_of_runs_that_is_a_file_cannot_be_read(tmp_path):
    (tmp_path / "runs").write_text("")

    with pytest.raises(RunError, match="cannot be read: not a directory"):
        RunsFolder(tmp_path / "runs").listed()


@pytest.fixture
def foreign(monkeypatch):
    """Give the runs of another user, as whom this process cannot act."""
    with tempfile.TemporaryDirectory(dir="/tmp") as place:
        yield ForeignRuns(Path(place), monkeypatch)


class ForeignRuns:
    """Root becomes nobody for a while; whoever is not root locks a folder and is somebody else."""

    def __init__(self, place, monkeypatch):
        self.runs = RunsFolder(place / "runs")
        self._place = place
        self._monkeypatch = monkeypatch
        self.owner = pwd.getpwuid(os.geteuid()).pw_name

    @contextmanager
    def visited(self, closed):
        """Let nobody but its owner enter `closed`."""
        self._place.chmod(0o755)
        self.runs.path.chmod(0o755)
        closed.chmod(0o700)
        if os.geteuid() == 0:
            os.seteuid(65534)
            try:
                yield
            finally:
                os.seteuid(0)
            return
        before = os.geteuid()
        closed.chmod(0)
        try:
            with self._monkeypatch.context() as patch:
                patch.setattr(os, "geteuid", lambda: before + 1)
                yield
        finally:
            closed.chmod(0o700)


def _lock(folder):
    with folder.locked(now=T0):
        pass


@pytest.mark.parametrize(
    "asked",
    [RunFolder.require_journal, RunFolder.read_plan, _lock],
    ids=["journal", "plan", "lock"],
)
async def test_a_run_of_another_user_is_said_to_be_so(foreign, asked):
    folder = await _started(foreign.runs, "anR")

    with foreign.visited(folder.path), pytest.raises(RunError) as raised:
        asked(foreign.runs.find("anR"))

    owner = foreign.owner
    assert str(raised.value) == (f"run anR belongs to {owner}; answer as {owner} or through sudo")


async def test_a_journal_only_its_owner_can_read_is_said_to_be_so(foreign):
    folder = await _started(foreign.runs, "anR")
    folder.path.chmod(0o755)

    with foreign.visited(folder.journal_path), pytest.raises(RunError, match="run anR belongs to"):
        foreign.runs.find("anR").require_journal()


async def test_an_owner_without_a_name_is_a_number(foreign, monkeypatch):
    folder = await _started(foreign.runs, "anR")
    uid = folder.path.stat().st_uid

    def unknown(_uid):
        raise KeyError

    monkeypatch.setattr(pwd, "getpwuid", unknown)
    with foreign.visited(folder.path), pytest.raises(RunError) as raised:
        folder.require_journal()

    assert str(raised.value).startswith(f"run anR belongs to user {uid}; answer as user {uid} or")


async def test_a_run_of_ones_own_that_cannot_be_entered_is_not_called_anothers(
    foreign, monkeypatch
):
    folder = await _started(foreign.runs, "anR")
    owner = folder.path.stat().st_uid

    with foreign.visited(folder.path):
        monkeypatch.setattr(os, "geteuid", lambda: owner)
        with pytest.raises(RunError, match="cannot be read: permission denied"):
            folder.require_journal()
        monkeypatch.undo()


async def test_a_list_names_whose_a_closed_run_is(foreign):
    mine = await _started(foreign.runs, "mine")
    mine.path.chmod(0o755)
    mine.journal_path.chmod(0o644)
    closed = await _started(foreign.runs, "anR")

    with foreign.visited(closed.path):
        damages = {run.folder.run_id: run.damage for run in foreign.runs.listed()}

    assert damages["anR"].startswith(f"run anR belongs to {foreign.owner};")
    assert damages["mine"] == ""


@pytest.mark.parametrize(
    "asked",
    [
        lambda runs: runs.find("anR"),
        lambda runs: runs.listed(),
        lambda runs: runs.is_taken("anR"),
        lambda runs: runs.create(None, playbook="redeploy", now=T0),
        lambda runs: runs.create("anR", playbook="redeploy", now=T0),
    ],
    ids=["find", "list", "is_taken", "make", "make_named"],
)
async def test_the_runs_of_another_user_are_said_to_be_so(foreign, asked):
    await _started(foreign.runs, "anR")

    with foreign.visited(foreign.runs.path), pytest.raises(RunError) as raised:
        asked(foreign.runs)

    owner = foreign.owner
    assert str(raised.value) == (
        f"the runs in {foreign.runs.path} belong to {owner};"
        f" ask as {owner} or through sudo, or choose another folder"
    )
