"""A run of n devices from the listing to the last verdict: does time grow as n, and memory hardly?

One gentle step (`sync`) in virtual time, against a controller that keeps a byte of each device; about
fifty devices a second are begun, whatever the size, and read back by list pages. Each size has a
process of its own. A million devices are left out, and only their time is reckoned, where the
machine is too slow for them; `python -m tests.bench.scale 1000000 --within 900` measures them alone.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import log
from pathlib import Path
from typing import Protocol

from tests.bench.figures import Figure

ROOT = Path(__file__).parents[2]
DISK = ROOT / "logs"  # a folder for temporary files is often in memory, where a sync costs nothing
SIZES = (1_000, 10_000, 100_000, 1_000_000)
QUICK = (1_000, 10_000)
WITHIN = 300.0
"""Seconds for all sizes; a size that would take longer than what is left of them is not begun."""
BASE = 10_000
"""The size from which growth is reckoned; below it a run is mostly start and report."""
PAGE_SIZE = 500
"""Rows of a list page, as the settings have it."""
ALIKE = 0.1
"""Two sizes whose devices were read one by one so much more or less often, per device, were not read
in the same way."""
MOST_MEMORY, MOST_GROWTH = 600.0, 1.1

PLAYBOOK = """\
playbook: bench
devices: {organization: 123, status: up, where: {is_active: true}}
steps:
  - operation: sync
requests: {delay: 0s, in_flight: 200, per_second: none}
guard: {fresh_within: 1d}
snapshots: none
"""


class Asked(Protocol):
    """As much of what a caller wants as counts here."""

    quick: bool


@dataclass(frozen=True, slots=True)
class Sized:
    """What one size took."""

    devices: int
    planning: float
    """Seconds for listing and planning."""
    running: float
    """Seconds for the run."""
    planning_cpu: float
    running_cpu: float
    peak_memory: float
    """Megabytes, the interpreter and all."""
    journal_bytes: int
    singly: float
    """Records read one by one, per device; all others were rows of list pages."""

    @property
    def cpu(self) -> float:
        """CPU seconds for all of it."""
        return self.planning_cpu + self.running_cpu

    @property
    def seconds(self) -> float:
        """Seconds for all of it."""
        return self.planning + self.running


def measure(asked: Asked) -> list[Figure]:
    """Run each size once, as far as time is left."""
    ends = time.monotonic() + WITHIN
    found: list[Sized] = []
    for size in QUICK if asked.quick else SIZES:
        left = ends - time.monotonic()
        sized = in_a_process(size, left) if _expected(size, found) <= left else None
        if sized is None:
            return [*_told(found), *_left_out(size, found)]
        found.append(sized)
    return _told(found)


def _expected(size: int, found: Sequence[Sized]) -> float:
    """Give the seconds that a size will take, as the last one tells."""
    return found[-1].seconds * size / found[-1].devices if found else 0.0


def in_a_process(size: int, within: float) -> Sized | None:
    """Measure one size in a process of its own; None when it takes longer than that."""
    # Settings of whoever measures must not reach the engine.
    clean = {k: v for k, v in os.environ.items() if not k.upper().startswith("ORCHESTRATOR_")}
    command = [sys.executable, "-m", "tests.bench.scale", str(size), "--json"]
    try:
        done = subprocess.run(
            command, cwd=ROOT, env=clean, stdout=subprocess.PIPE, timeout=within, check=True
        )
    except subprocess.TimeoutExpired:
        return None
    return Sized(**json.loads(done.stdout))


def exponent(before: float, after: float, times: float) -> float:
    """Give e for a cost that grows as n to the power of e while n grows that many times."""
    return log(after / before) / log(times)


def _told(found: Sequence[Sized]) -> list[Figure]:
    figures = [figure for each in found for figure in _figures_of(each)]
    for base in found:
        if base.devices == BASE and found[-1].devices > BASE:
            figures += _growth(base, found[-1])
    return figures


def _growth(small: Sized, large: Sized) -> list[Figure]:
    """Hold two sizes against each other, provided that their devices were read in the same way."""
    times = large.devices / small.devices
    sizes = f"{small.devices:,} to {large.devices:,} devices, one sync each"
    apart = abs(small.singly - large.singly)
    if apart > ALIKE:
        name = f"no growth is told, {sizes}: they were not read in the same way"
        return [Figure(part="g", name=name, ours=apart, unit="reads/device", at_most=ALIKE)]
    growths = {
        "CPU time": exponent(small.cpu, large.cpu, times),
        "memory": exponent(small.peak_memory, large.peak_memory, times),
    }
    return [
        Figure(
            part="g",
            name=f"growth of {what}, {sizes}",
            ours=growth,
            unit="exponent",
            at_most=MOST_GROWTH,
        )
        for what, growth in growths.items()
    ]


def _figures_of(sized: Sized) -> list[Figure]:
    name = f"{sized.devices:,} devices, one sync each"
    is_largest = sized.devices == SIZES[-1]
    return [
        Figure(part="g", name=f"{name}, list and plan", ours=sized.planning, unit="s"),
        Figure(part="g", name=f"{name}, run to the end", ours=sized.running, unit="s"),
        Figure(
            part="g",
            name=f"{name}, CPU of all",
            ours=sized.cpu / sized.devices * 1e6,
            unit="µs/device",
        ),
        Figure(
            part="g",
            name=f"{name}, peak memory",
            ours=sized.peak_memory,
            unit="MB",
            at_most=MOST_MEMORY if is_largest else None,
        ),
        Figure(
            part="g",
            name=f"{name}, journal",
            ours=sized.journal_bytes / sized.devices,
            unit="bytes/device",
        ),
        Figure(
            part="g",
            name=f"{name}, records read one by one",
            ours=sized.singly,
            unit="per device",
        ),
    ]


def _left_out(size: int, found: Sequence[Sized]) -> list[Figure]:
    """Say of a size for which no time was left what those below it let expect."""
    if len(found) < 2:
        name = f"{size:,} devices, one sync each, given up"
        return [Figure(part="g", name=name, ours=WITHIN, unit="s", at_most=0.0)]
    name = f"{size:,} devices, one sync each, left out; as {found[-1].devices:,} tell"
    return [Figure(part="g", name=f"{name}: all", ours=_expected(size, found), unit="s")]


def here(size: int) -> Sized:
    """Measure one size in this process."""
    from tests.bench.measuring import peak_memory
    from tests.bench.virtual.campaigning import Staging, carried_out
    from tests.bench.virtual.synthetic import SyntheticController

    DISK.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=DISK, prefix="bench-") as folder:
        staging = Staging(
            Path(folder), lambda clock: SyntheticController(size, clock), page_size=PAGE_SIZE
        )
        done = carried_out(PLAYBOOK, staging)
        succeeded = done.summary.counts()["succeeded"]
        assert succeeded == size, f"{succeeded} of {size} devices succeeded"
        begun, planned, ended = done.stamps
        return Sized(
            devices=size,
            planning=planned.at - begun.at,
            running=ended.at - planned.at,
            planning_cpu=planned.cpu - begun.cpu,
            running_cpu=ended.cpu - planned.cpu,
            peak_memory=peak_memory(),
            journal_bytes=done.journal.stat().st_size,
            singly=done.requests["record"] / size,
        )


def main(arguments: list[str] | None = None) -> int:
    """Measure one size and print it."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.scale", description=__doc__)
    parser.add_argument("devices", type=int)
    parser.add_argument("--within", type=float, metavar="SECONDS", help="give up after so long")
    parser.add_argument("--json", action="store_true", help="print it as one JSON object")
    asked = parser.parse_args(arguments)
    if asked.within is not None:
        found = in_a_process(asked.devices, asked.within)
        if found is None:
            print(f"{asked.devices:,} devices were given up after {asked.within:g} s")
            return 1
    else:
        found = here(asked.devices)
    if asked.json:
        print(json.dumps(asdict(found)))
    else:
        for name, value in asdict(found).items():
            print(f"{name:14} {value:14,.2f}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
