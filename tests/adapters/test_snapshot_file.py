"""Snapshots are durable once saved, private, without secrets, and survive a crash while they are written."""

import errno
import os

import pytest

from orchestrator.adapters.runs import snapshot_file
from orchestrator.adapters.runs.snapshot_file import (
    FILE,
    MemorySnapshots,
    SnapshotFile,
    read_snapshots,
)
from orchestrator.model.devices import DeviceId
from orchestrator.model.errors import RunError, UnrecordedError
from orchestrator.model.snapshots import Extras, Snapshot

T0 = 1_795_320_900.25


def snapshot(device=1001, step=0, extras=None, **record):
    record = {"id": device, "name": "branch-1", "debug": False, "latitude": None, **record}
    return Snapshot(DeviceId(device), step, T0, record, extras)


@pytest.fixture
def kept(tmp_path):
    with SnapshotFile.open(tmp_path) as file:
        yield file


def read(folder):
    return list(read_snapshots(folder / FILE))


def test_what_was_saved_is_read_back_as_it_was(kept, tmp_path):
    full = snapshot(1002, 3, Extras({"wifi": "on", "n": 3}, None, "variables: timed out"))
    kept.save([snapshot(), full])
    kept.save([snapshot(1003, extras=Extras())])

    assert read(tmp_path) == [snapshot(), full, snapshot(1003, extras=Extras())]


def test_a_batch_is_one_write_and_one_sync(kept, monkeypatch):
    done = []
    write, sync = snapshot_file._write, snapshot_file._sync
    monkeypatch.setattr(snapshot_file, "_write", lambda *a: (done.append("write"), write(*a)))
    monkeypatch.setattr(snapshot_file, "_sync", lambda d: (done.append("sync"), sync(d)))

    kept.save([snapshot(device) for device in range(50)])
    kept.save([])

    assert done == ["write", "sync"]


def test_only_the_owner_can_read_it(kept, tmp_path):
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600


def test_no_secret_of_a_record_reaches_the_disk(kept, tmp_path):
    kept.save([snapshot(username="admin-7", password="hunter2", wifi_password="hunter3")])

    text = (tmp_path / FILE).read_text()
    assert "admin-7" not in text
    assert "hunter" not in text
    assert set(read(tmp_path)[0].record) == {"id", "name", "debug", "latitude", "wifi_password"}


def test_the_twin_in_memory_drops_secrets_and_fills_up_as_the_file_does():
    twin = MemorySnapshots(room=1)
    twin.save([])
    twin.save([snapshot(password="hunter2")])

    assert twin.saved == [snapshot()]
    with pytest.raises(UnrecordedError, match="the disk is full"):
        twin.save([snapshot()])


def test_a_torn_last_line_is_left_out_and_cut_off_before_the_next(tmp_path):
    with SnapshotFile.open(tmp_path) as file:
        file.save([snapshot()])
    path = tmp_path / FILE
    torn = path.read_bytes() + b'{"device":1002,"st'
    path.write_bytes(torn)

    assert read(tmp_path) == [snapshot()]
    with SnapshotFile.open(tmp_path) as file:
        file.save([snapshot(1003)])
    assert read(tmp_path) == [snapshot(), snapshot(1003)]


def test_a_file_of_nothing_but_a_torn_line_begins_anew(tmp_path):
    (tmp_path / FILE).write_bytes(b"{" * 200_000)

    with SnapshotFile.open(tmp_path) as file:
        file.save([snapshot()])

    assert read(tmp_path) == [snapshot()]


def test_a_full_disk_is_one_sentence_and_leaves_the_file_as_it_was(kept, tmp_path, monkeypatch):
    kept.save([snapshot()])

    def full(descriptor, data, offset):
        os.pwrite(descriptor, data[:10], offset)
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(snapshot_file, "_write", full)
        with pytest.raises(UnrecordedError) as told:
            kept.save([snapshot(1002)])
    kept.save([snapshot(1003)])

    assert str(told.value) == f"{tmp_path / FILE} cannot be written: the disk is full"
    assert read(tmp_path) == [snapshot(), snapshot(1003)]


def test_what_json_cannot_hold_is_told_and_nothing_is_written(kept, tmp_path):
    with pytest.raises(UnrecordedError, match="device 1002 cannot be written down"):
        kept.save([snapshot(), snapshot(1002, odd=object())])

    assert read(tmp_path) == []


def test_a_folder_that_is_not_there_is_one_sentence(tmp_path):
    with pytest.raises(UnrecordedError, match="cannot be opened: no such file or directory"):
        SnapshotFile.open(tmp_path / "gone")


@pytest.mark.parametrize(
    "line",
    [
        b"not json\n",
        b"[]\n",
        b"{}\n",
        b'{"device":1,"step":0,"taken_at":"now","record":{}}\n',
        b'{"device":1,"step":0,"taken_at":"2026-11-22T04:15:00Z","record":null}\n',
        b'{"device":1,"step":0,"taken_at":"2026-11-22T04:15:00Z","record":[]}\n',
    ],
)
def test_a_damaged_line_is_named_with_its_place(kept, tmp_path, line):
    kept.save([snapshot()])
    path = tmp_path / FILE
    path.write_bytes(path.read_bytes() + line)

    with pytest.raises(RunError, match=rf"{FILE}:2: this line is damaged"):
        read(tmp_path)


def test_a_run_without_snapshots_has_none(tmp_path):
    assert read(tmp_path) == []


def test_what_cannot_be_read_is_one_sentence(tmp_path):
    (tmp_path / FILE).mkdir()

    with pytest.raises(RunError, match="cannot be read: is a directory"):
        read(tmp_path)
