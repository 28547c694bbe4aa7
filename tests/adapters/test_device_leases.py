"""Locks on disk: held by the kernel for real processes, shared by all users, safe from their tricks."""

import fcntl
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import orjson
import pytest

from orchestrator.adapters.machine import device_leases
from orchestrator.adapters.machine.device_leases import DeviceLeases
from orchestrator.adapters.machine.os_user import user_name
from orchestrator.model.errors import RunError, UnrecordedError
from tests.support.histories import T0

CONTROLLER = "https://control.example.com/api/v1"
ROOT = Path(__file__).parents[2]
HOLDER = """
import sys
from pathlib import Path
from orchestrator.adapters.machine.device_leases import DeviceLeases

folder, controller, run_id, *devices = sys.argv[1:]
with DeviceLeases.open(Path(folder), controller, run_id, 0.0) as leases:
    for line in sys.stdin:
        word, _, device = line.strip().partition(" ")
        if word == "end":
            break
        print(leases.hold(int(device)) if word == "hold" else leases.is_alone, flush=True)
"""


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "locks"


def _open(folder, run_id="night-1", controller=CONTROLLER, **given):
    return DeviceLeases.open(folder, controller, run_id, T0, **given)


class Process:
    """A run driven by another process, asked through its pipes."""

    def __init__(self, folder, run_id):
        self._process = subprocess.Popen(
            [sys.executable, "-c", HOLDER, str(folder), CONTROLLER, run_id],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        self.pid = self._process.pid

    def ask(self, line):
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        return self._process.stdout.readline().strip()

    def end(self, how):
        if how is None:
            self._process.stdin.write("end\n")
        else:
            self._process.send_signal(how)
        if not self._process.stdout.closed:
            self._process.communicate()


@contextmanager
def _process(folder, run_id):
    process = Process(folder, run_id)
    try:
        yield process
    finally:
        process.end(signal.SIGKILL)


def test_another_process_is_kept_out_and_told_who_holds_the_device(folder):
    me = user_name()
    with _process(folder, "night-1") as other, _open(folder, "night-2") as leases:
        assert other.ask("hold 1001") == "None"
        assert leases.hold(1001) == f"run night-1 (process {other.pid}, {me})"
        assert leases.hold(1002) is None
        assert other.ask("hold 1002") == f"run night-2 (process {os.getpid()}, {me})"


@pytest.mark.parametrize("how", [None, signal.SIGTERM, signal.SIGKILL])
def test_a_process_that_dies_lets_go_however_it_dies(folder, how):
    with _open(folder, "night-2") as leases, _process(folder, "night-1") as other:
        other.ask("hold 1001")
        before = leases.hold(1001)
        other.end(how)

        assert before is not None
        assert leases.hold(1001) is None


def test_a_killed_process_counts_as_ended_when_it_is_found_dead(folder):
    moment = [T0]
    with (
        _open(folder, "night-2", wall=lambda: moment[0]) as leases,
        _process(folder, "night-1") as other,
    ):
        other.ask("alone")
        living = leases.is_alone
        other.end(signal.SIGKILL)
        moment[0] = T0 + 86_400
        found_dead = leases.is_alone
        moment[0] += 121

        assert (living, found_dead, leases.is_alone) == (False, False, True)


def test_a_stopped_process_still_holds_its_devices(folder):
    with _process(folder, "night-1") as other, _open(folder, "night-2") as leases:
        other.ask("hold 1001")
        os.kill(other.pid, signal.SIGSTOP)

        assert leases.hold(1001).startswith("run night-1 ")
        assert not leases.is_alone


def test_many_processes_that_want_one_device_at_once_get_it_once(folder):
    with (
        _process(folder, "a") as a,
        _process(folder, "b") as b,
        _process(folder, "c") as c,
        _process(folder, "d") as d,
    ):
        everybody = [a, b, c, d]
        for number in range(50):
            for each in everybody:
                each._process.stdin.write(f"hold {number}\n")
                each._process.stdin.flush()
        answers = [[each._process.stdout.readline() for _ in range(50)] for each in everybody]

    assert all(sum(mine[n] == "None\n" for mine in answers) == 1 for n in range(50))
    assert all(re.match(r"None|run [abcd] \(process", each) for mine in answers for each in mine)


def test_a_child_that_runs_another_program_keeps_no_lock(folder):
    with _open(folder, "night-2") as second:
        first = _open(folder, "night-1")
        first.hold(1001)
        with subprocess.Popen(["sleep", "30"]) as child:
            first.close()
            free = second.hold(1001) is None
            child.kill()

    assert free


def _quickest(leases, first):
    """Give the seconds that taking and giving back one device takes when nothing disturbs."""
    took = []
    for batch in range(20):
        began = time.perf_counter()
        for number in range(100):
            device = first + (batch * 100 + number) * 97
            leases.hold(device)
            leases.release(device)
        took.append((time.perf_counter() - began) / 100)
    return min(took)


def test_ten_thousand_held_devices_stay_cheap(folder):
    with _open(folder) as leases:
        alone = _quickest(leases, 1)
        for device in range(10_000):
            leases.hold(device * 97)
        crowded = _quickest(leases, 1)

    assert crowded < 8 * alone  # measured: 1.6 times; with one file for all devices 15 times


def test_the_folder_and_its_files_are_everybodys(folder):
    old = os.umask(0o077)
    try:
        with _open(folder) as leases:
            leases.hold(1001)
            modes = {stat.S_IMODE(each.stat().st_mode) for each in folder.iterdir()}
    finally:
        os.umask(old)

    assert stat.S_IMODE(folder.stat().st_mode) == 0o1777
    assert modes == {0o666}


def test_numbers_of_runs_that_ended_are_used_again(folder):
    moment = [T0]
    for _ in range(5):
        _open(folder, wall=lambda: moment[0]).close()
        moment[0] += 200

    assert len(list(folder.glob("*.run"))) == 1


def test_runs_that_ended_just_now_are_remembered_through_many_that_follow(folder):
    moment = [T0]
    for number in range(5):
        _open(folder, f"short-{number}", wall=lambda: moment[0]).close()
        moment[0] += 20

    with _open(folder, wall=lambda: moment[0]) as leases:
        assert not leases.is_alone


@pytest.mark.parametrize(
    "other",
    [
        "HTTPS://Control.Example.com/api/v1/",
        "https://control.example.com:443/api/v1",
        " https://control.example.com./api/v1",
    ],
)
def test_one_controller_is_one_however_its_url_is_written(folder, other):
    with _open(folder) as first, _open(folder, "night-2", other) as second:
        first.hold(1001)

        assert second.hold(1001).startswith("run night-1 ")


def test_nothing_in_the_folder_is_named_after_the_controller(folder):
    with _open(folder, controller="https://example.com/../../etc/%00") as leases:
        leases.hold(1001)
        names = [each.name for each in folder.iterdir()]

    assert all(re.fullmatch(r"[0-9a-f]{16}-\d+\.(run|devices)", name) for name in names)


@pytest.mark.parametrize("what", ["devices", "run", "all"])
def test_what_a_cleaner_removed_is_made_anew_and_the_devices_taken_again(folder, what):
    with _open(folder) as leases, _open(folder, "night-2") as other:
        leases.hold(1001)
        leases.hold(2002)
        for file in folder.glob("*" if what == "all" else f"*.{what}"):
            file.unlink()
        if what == "all":
            folder.rmdir()
        leases.hold(3003)

        with _open(folder, "night-3") as later:
            assert later.hold(1001).startswith("run night-1 ")
            assert later.hold(2002).startswith("run night-1 ")
            assert not leases.is_alone
        assert not other.is_alone


def test_a_folder_that_is_in_use_is_locked_against_the_systems_cleaner(folder):
    with _open(folder):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            with pytest.raises(BlockingIOError):
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        finally:
            os.close(descriptor)


def test_a_folder_that_is_a_link_is_refused(folder, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    folder.symlink_to(tmp_path / "elsewhere")

    with pytest.raises(RunError, match="is a link or no folder; ORCHESTRATOR_LOCKS_DIR can name"):
        _open(folder)
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_folder_in_which_everybody_may_remove_everything_is_refused(folder):
    folder.mkdir()
    folder.chmod(0o777)

    with pytest.raises(RunError, match=f"say `chmod 1777 {folder}`"):
        _open(folder)


def test_a_folder_of_ones_own_is_good_enough(folder):
    folder.mkdir(mode=0o700)

    with _open(folder) as leases:
        assert leases.hold(1001) is None
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


@pytest.mark.parametrize("trick", ["symbolic link", "hard link", "pipe", "folder"])
def test_a_registration_that_leads_elsewhere_is_refused_and_nothing_written(
    folder, tmp_path, trick
):
    _open(folder).close()
    (file,) = folder.glob("*.run")
    file.unlink()
    victim = tmp_path / "victim"
    victim.write_text("precious")
    match trick:
        case "symbolic link":
            file.symlink_to(victim)
        case "hard link":
            file.hardlink_to(victim)
        case "pipe":
            os.mkfifo(file)
        case _:
            file.mkdir()

    with pytest.raises(RunError, match=f"^the folder for locks, {folder}, cannot be used: "):
        _open(folder)
    assert victim.read_text() == "precious"


@pytest.mark.parametrize(
    "scribble",
    [b"", b"\xff\xfe", b"[]", b"{}", b'{"run":1,"pid":"x"}', b"x" * 100_000, b"null"],
)
def test_a_scribbled_registration_hinders_nobody(folder, scribble):
    with _open(folder, "night-1") as first, _open(folder, "night-2") as second:
        first.hold(1001)
        for file in folder.glob("*.run"):
            file.write_bytes(scribble)

        assert second.hold(1001) == "another run"
        assert not second.is_alone


def test_a_registration_that_nobody_can_open_only_means_not_to_be_alone(folder, tmp_path):
    with _open(folder) as leases:
        (file,) = folder.glob("*.run")
        file.with_name(file.name.replace("-000", "-001")).symlink_to(tmp_path)

        assert not leases.is_alone


def test_what_others_wrote_cannot_play_tricks_on_a_terminal(folder):
    with _open(folder, "night-1") as first, _open(folder, "night-2") as second:
        first.hold(1001)
        (file,) = folder.glob("*-000.run")
        facts = orjson.loads(file.read_bytes())
        file.write_bytes(orjson.dumps(facts | {"run": "\x1b[2Jnight\n" + "x" * 500}))
        told = second.hold(1001)

    assert told.startswith("run ?[2Jnight?x")
    assert len(told) < 300


def test_the_machine_is_named_when_it_is_another(folder):
    with _open(folder, "night-1") as first, _open(folder, "night-2") as second:
        first.hold(1001)
        (file,) = folder.glob("*-000.run")
        file.write_bytes(file.read_bytes().replace(socket.gethostname().encode(), b"noc-9"))

        assert second.hold(1001).endswith(" on noc-9)")


def test_a_folder_that_cannot_be_made_is_said_at_once(tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(
        RunError, match=r"cannot be used: .*ORCHESTRATOR_LOCKS_DIR can name another"
    ):
        _open(tmp_path / "file" / "locks")


def test_a_file_in_place_of_the_folder_is_refused(folder):
    folder.write_text("")

    with pytest.raises(RunError, match="is a link or no folder"):
        _open(folder)


def test_a_full_disk_is_the_kind_of_error_that_says_nothing_was_sent(folder, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(device_leases.os, "pwrite", full)

    with pytest.raises(UnrecordedError, match="cannot be used: the disk is full"):
        _open(folder)


def test_a_system_without_such_locks_is_told_so(folder, monkeypatch):
    monkeypatch.setattr(device_leases, "_SETLK", 0)

    with pytest.raises(RunError, match="this system has no locks of open files"):
        _open(folder)
    assert not folder.exists()


def test_no_descriptor_is_left_open(folder):
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(3):
        with _open(folder) as leases:
            for device in range(100):
                leases.hold(device)
            _ = leases.is_alone

    assert len(list(Path("/proc/self/fd").iterdir())) == before


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else")
def test_two_users_of_one_machine_keep_each_other_out(tmp_path):
    for parent in (tmp_path, tmp_path.parent, tmp_path.parent.parent):
        parent.chmod(0o755)
    folder = tmp_path / "locks"
    with _open(folder, "night-1") as first:
        first.hold(1001)
        os.seteuid(65534)
        try:
            with _open(folder, "night-2") as second:
                told = [second.hold(1001), second.hold(1002), second.is_alone]
        finally:
            os.seteuid(0)

    assert told[0].startswith("run night-1 (process ")
    assert told[1:] == [None, False]
