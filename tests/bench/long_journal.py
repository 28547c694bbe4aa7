"""One side of part (e): a long journal is held against its chain."""

import asyncio
import subprocess
import sys
import time
from itertools import islice
from pathlib import Path

from orchestrator.adapters.runs.file_journal import FileJournal
from orchestrator.adapters.runs.journal_reading import verify
from tests.bench.journal import RUN, story
from tests.support.histories import run_started

BATCH = 50
AT_ONCE = 20


def run(folder: Path, events: int) -> dict[str, float | list[str]]:
    """Write a journal of so many events in batches of 50; verify it in place, and by the command."""
    path = folder / "runs" / RUN / "journal.jsonl"
    path.parent.mkdir(parents=True)
    asyncio.run(_fill(path, events))
    before = time.monotonic()
    found = verify(path)
    verified = time.monotonic()
    program = [sys.executable, "-m", "orchestrator", "audit", "verify", RUN]
    done = subprocess.run(
        [*program, "--runs-dir", str(path.parent.parent)],
        cwd=folder,
        stdout=subprocess.PIPE,
        check=False,
        text=True,
    )
    after = time.monotonic()
    faults = []
    if not found.is_sound or found.events != events:
        faults.append(f"{found.events} of {events} events can be believed: {found.detail}")
    if done.returncode != 0 or found.head not in done.stdout:
        faults.append(f"audit verify ended with {done.returncode}: {done.stdout}")
    return {
        "verify": verified - before,
        "command": after - verified,
        "megabytes": path.stat().st_size / 1e6,
        "faults": faults,
    }


async def _fill(path: Path, events: int) -> None:
    told = story()
    with FileJournal.create(path, RUN) as journal:
        await journal.append([run_started()])
        for first in range(1, events, BATCH * AT_ONCE):
            now = list(islice(told, min(BATCH * AT_ONCE, events - first)))
            async with asyncio.TaskGroup() as tasks:
                for at in range(0, len(now), BATCH):
                    tasks.create_task(journal.append(now[at : at + BATCH]))
