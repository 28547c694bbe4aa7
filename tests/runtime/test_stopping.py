"""Signals: the first ends the drive in order, the second at once; errors come out as they are."""

import os
import signal

import anyio
import pytest

from orchestrator.model.errors import JournalError
from orchestrator.runtime.stopping import heeding_signals


class Asked:
    def __init__(self):
        self.reasons = []
        self.asked = anyio.Event()

    def interrupt(self, reason):
        self.reasons.append(reason)
        self.asked.set()


@pytest.mark.parametrize(
    ("number", "word"), [(signal.SIGINT, "Ctrl-C"), (signal.SIGTERM, "the system")], ids=str
)
async def test_the_first_signal_asks_the_drive_to_end_in_order(number, word):
    drive = Asked()

    async def work():
        os.kill(os.getpid(), number)
        await drive.asked.wait()

    assert await heeding_signals(drive, work) is False
    assert word in drive.reasons[0]


async def test_the_second_signal_ends_the_work_at_once():
    drive = Asked()

    async def work():
        os.kill(os.getpid(), signal.SIGINT)
        await drive.asked.wait()
        os.kill(os.getpid(), signal.SIGINT)
        await anyio.sleep_forever()

    assert await heeding_signals(drive, work) is True
    assert len(drive.reasons) == 1


async def test_an_error_of_the_work_is_not_hidden_in_a_group():
    async def work():
        raise JournalError("the disk is full")

    with pytest.raises(JournalError, match="the disk is full"):
        await heeding_signals(Asked(), work)
