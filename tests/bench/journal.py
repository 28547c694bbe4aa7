"""The journal alone: how many events a second become durable, and how many are read back."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from orchestrator.adapters.runs.file_journal import FileJournal
from orchestrator.model.events import DeviceReturned, Event
from tests.bench.measuring import Stamp
from tests.support.histories import T0, accepted, finished, intended, run_started, succeeded

EVENTS = 50_000
BATCH = 50


def story() -> Iterator[Event]:
    """Give what a run of one gentle step writes, device after device, every moment another one."""
    at, device = T0, 1000
    while True:
        device += 1
        at = round(at + 0.000113, 6)
        yield intended(device, at=at, operation="sync")
        yield accepted(device, at=round(at + 0.011, 6))
        yield DeviceReturned(at, device, 0, "nothing pending, configured at 04:15", at - 2)
        yield succeeded(device, at=round(at + 10, 6))
        yield finished(device, at=round(at + 10, 6))


async def run(folder: Path) -> dict[str, float]:
    """Append batches as large as those of a run with 50 requests in flight, then replay."""
    events = list(islice(story(), EVENTS))
    with FileJournal.create(folder / "journal.jsonl", "bench") as journal:
        await journal.append([run_started()])
        before = Stamp.now()
        for first in range(0, EVENTS, BATCH):
            await journal.append(events[first : first + BATCH])
        written = Stamp.now()
        read = sum(1 for _ in journal.read())
        after = Stamp.now()
    assert read == EVENTS + 1
    return {
        "written_per_second": EVENTS / (written.at - before.at),
        "written_cpu_micros": (written.cpu - before.cpu) / EVENTS * 1e6,
        "read_per_second": EVENTS / (after.at - written.at),
    }
