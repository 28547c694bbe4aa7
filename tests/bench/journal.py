"""One side of part (e): the journal, and in the same process its yardsticks, in turns.

Appending: producers wait for their own batch before they go on with the next. The yardstick writes
the very bytes that came of it, cut where the journal's syncs had cut them, each piece with one
write and one fdatasync, from one thread, with nothing to encode.

Reading: every event as the engine gets it, chain and all, beside `orjson.loads` of every line.
"""

import asyncio
import os
import time
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import orjson

from orchestrator.adapters.runs.file_journal import FileJournal
from orchestrator.model.events import DeviceReturned, Event
from tests.bench.durable import DurableBytes
from tests.support.histories import T0, accepted, finished, intended, run_started, succeeded

RUN = "bench"


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


async def run(
    folder: Path, rounds: int, events: int, ways: Sequence[tuple[int, int]]
) -> dict[str, list[dict[str, float]]]:
    """Measure each way, so many producers with so many events a batch, and reading the last file.

    Gives for every way and for reading the events a second of both sides, round by round.
    """
    gathered = list(islice(story(), events))
    found: dict[str, list[dict[str, float]]] = {}
    path = folder / "none"
    for producers, batch in ways:
        measured = found[f"{producers}x{batch}"] = []
        for number in range(rounds):
            path = folder / f"{producers}-{batch}-{number}.jsonl"
            seconds, ends = await _append(path, gathered, producers, batch)
            raw = _write(folder / "raw", path.read_bytes(), ends)
            measured.append({"ours": events / seconds, "theirs": events / raw})
    found["read"] = [
        {"ours": events / _read(path), "theirs": events / _read_lines(path)} for _ in range(rounds)
    ]
    return found


async def _append(
    path: Path, events: Sequence[Event], producers: int, batch: int
) -> tuple[float, list[int]]:
    batches = iter([events[first : first + batch] for first in range(0, len(events), batch)])
    with FileJournal.create(path, RUN) as journal:
        await journal.append([run_started()])

        async def produce() -> None:
            for mine in batches:
                await journal.append(mine)

        with DurableBytes().watching() as durable:
            before = time.monotonic()
            async with asyncio.TaskGroup() as tasks:
                for _ in range(producers):
                    tasks.create_task(produce())
            return time.monotonic() - before, durable.sizes


def _write(path: Path, data: bytes, ends: Sequence[int]) -> float:
    """Make the same bytes durable in the same pieces; what came before the first is there already."""
    started = data.index(b"\n") + 1
    pieces = [data[a:b] for a, b in zip((started, *ends), ends, strict=False)]
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    try:
        before = time.monotonic()
        for piece in pieces:
            os.write(descriptor, piece)
            os.fdatasync(descriptor)
        return time.monotonic() - before
    finally:
        os.close(descriptor)


def _read(path: Path) -> float:
    with FileJournal.open(path, RUN) as journal:
        before = time.monotonic()
        for _ in journal.read():
            pass
        return time.monotonic() - before


def _read_lines(path: Path) -> float:
    before = time.monotonic()
    with path.open("rb") as lines:
        for line in lines:
            orjson.loads(line)
    return time.monotonic() - before
