"""A crash in the middle of a write: what was acknowledged stays, the rest is cut off and told."""

import signal
import subprocess
import sys

import pytest

from orchestrator.adapters.runs.file_journal import FileJournal, TornTail
from orchestrator.adapters.runs.journal_lines import Finding
from orchestrator.adapters.runs.journal_reading import read_records, verify
from orchestrator.model.errors import JournalError
from orchestrator.model.events import RunContinued, RunInterrupted
from tests.support.histories import T0, accepted, intended, run_started

RUN = "night-1"


async def _written(path):
    """Give where the last batch, of three lines, begins."""
    with FileJournal.create(path, RUN) as journal:
        await journal.append([run_started()])
        await journal.append([intended(1)])
        begin = path.stat().st_size
        await journal.append([accepted(1), intended(2), RunContinued(T0)])
    return begin


async def test_a_batch_torn_at_any_byte_is_cut_off_and_the_journal_goes_on(tmp_path):
    path = tmp_path / "journal.jsonl"
    begin = await _written(path)
    whole = path.read_bytes()
    for end in range(begin + 1, len(whole), 7):
        path.write_bytes(whole[:end])
        with FileJournal.open(path, RUN) as journal:
            assert journal.torn == TornTail(whole.count(b"\n", begin, end - 1) + 1, end - begin)
            await journal.append([RunInterrupted(T0, "after the crash")])
            kinds = [type(event).__name__ for event in journal.read()]

        assert kinds == ["RunStarted", "OperationIntended", "RunInterrupted"]
        assert verify(path).is_sound


async def test_a_torn_tail_is_told_and_left_alone_when_only_looked_at(tmp_path):
    path = tmp_path / "journal.jsonl"
    begin = await _written(path)
    path.write_bytes(path.read_bytes()[: begin + 40])
    found = verify(path)

    assert found.is_sound
    assert found.torn == TornTail(1, 40)
    assert len(list(read_records(path))) == 2
    assert path.stat().st_size == begin + 40


async def test_a_first_batch_that_is_torn_leaves_a_journal_that_can_be_begun(tmp_path):
    path = tmp_path / "journal.jsonl"
    await _written(path)
    path.write_bytes(path.read_bytes()[:50])
    with FileJournal.open(path, RUN) as journal:
        assert journal.torn == TornTail(1, 50)
        await journal.append([run_started()])

    assert verify(path).events == 1


async def test_blocks_of_zeros_after_a_power_loss_are_a_torn_tail(tmp_path):
    path = tmp_path / "journal.jsonl"
    begin = await _written(path)
    whole = path.read_bytes()
    path.write_bytes(whole[:begin] + bytes(100))

    assert verify(path).torn == TornTail(1, 100)
    with FileJournal.open(path, RUN) as journal:
        assert journal.seq == 2


async def test_zeros_in_the_middle_are_no_torn_tail(tmp_path):
    path = tmp_path / "journal.jsonl"
    begin = await _written(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: begin - 100] + bytes(50) + whole[begin - 50 :])

    assert verify(path).finding is Finding.CHANGED
    with pytest.raises(JournalError, match=r"journal\.jsonl:2: the line is not a JSON object"):
        FileJournal.open(path, RUN)
    assert path.stat().st_size == len(whole)


WRITER = """
import sys, anyio
from pathlib import Path
from orchestrator.adapters.runs.file_journal import FileJournal
from tests.support.histories import accepted, intended, run_started

async def main():
    journal = FileJournal.create(Path(sys.argv[1]), "night-1")
    await journal.append([run_started()])
    for device in range(1_000_000):
        await journal.append([intended(device), accepted(device)])
        print(device, flush=True)

anyio.run(main)
"""


def test_what_was_acknowledged_survives_kill_9(tmp_path):
    path = tmp_path / "journal.jsonl"
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True
    ) as writer:
        for line in writer.stdout:
            if int(line) >= 30:
                break
        writer.send_signal(signal.SIGKILL)
        acknowledged = max(map(int, [line, *writer.stdout.read().split()]))

    with FileJournal.open(path, RUN) as journal:
        devices = [event.device for event in journal.read() if hasattr(event, "device")]
    assert devices[: 2 * (acknowledged + 1)] == [
        device for device in range(acknowledged + 1) for _ in range(2)
    ]
    assert len(devices) % 2 == 0
