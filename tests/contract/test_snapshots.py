"""One promise, two keepers: snapshots in a run's folder and their twin in memory."""

import pytest

from orchestrator.adapters.runs.snapshot_file import (
    FILE,
    MemorySnapshots,
    SnapshotFile,
    read_snapshots,
)
from orchestrator.model.errors import UnrecordedError
from orchestrator.model.snapshots import Extras
from tests.support.changed import snapshot


@pytest.fixture(params=["in a file", "in memory"])
def keeper(request, tmp_path):
    """Give the port, and a way to what it kept."""
    if request.param == "in memory":
        twin = MemorySnapshots()
        yield twin, lambda: twin.saved
        return
    with SnapshotFile.open(tmp_path) as file:
        yield file, lambda: list(read_snapshots(tmp_path / FILE))


def test_what_is_saved_is_kept_in_order(keeper):
    port, kept = keeper
    shots = [snapshot(1, name="a"), snapshot(2, extras=Extras({"a": 1}, {}, "why")), snapshot(1)]
    port.save(shots[:2])
    port.save([])
    port.save(shots[2:])

    assert kept() == shots


def test_no_secret_is_kept(keeper):
    port, kept = keeper
    port.save([snapshot(1, username="admin", password="hunter2", wifi_password="hunter3")])

    assert dict(kept()[0].record) == {"id": 1, "wifi_password": "***"}


def test_what_cannot_be_written_down_is_refused_as_a_whole(keeper):
    port, kept = keeper
    with pytest.raises(UnrecordedError):
        port.save([snapshot(1), snapshot(2, odd=object())])

    assert kept() == []
