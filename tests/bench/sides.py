"""The processes of a measurement: the server, and each side in its turn."""

import json
import os
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
DISK = ROOT / "logs"  # a folder for temporary files is often in memory, where a sync costs nothing

FIGURES = "figures.json"
"""Where a side leaves what it measured."""

LIMIT = 300.0
"""Seconds after which a side is taken to hang."""

_SLOWING = ("PYTHONDONTWRITEBYTECODE", "PYTHONDEVMODE", "PYTHONASYNCIODEBUG", "PYTHONTRACEMALLOC")


@dataclass(frozen=True, slots=True)
class Served:
    """A server that is up."""

    address: str

    @property
    def base_url(self) -> str:
        """Give where its API begins."""
        return f"{self.address}/api/v1"

    def arrivals(self) -> dict[str, list[tuple[float, int | None]]]:
        """Give what has arrived since this was asked last."""
        with urllib.request.urlopen(f"{self.address}/arrivals") as answer:
            return json.load(answer)


@contextmanager
def serving(devices: int, seconds: float = 0.0) -> Iterator[Served]:
    """Run the server in a process of its own; each answer takes `seconds`."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.bench.controller", str(devices), str(seconds)],
        cwd=ROOT,
        env=clean_environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdin
        assert process.stdout
        try:
            yield Served(f"http://127.0.0.1:{int(process.stdout.readline())}")
        finally:
            process.stdin.close()


def run_side(side: str, loop: str, **wanted: Any) -> dict[str, Any]:
    """Measure one side in a process of its own, so that its memory and its garbage are its own."""
    with scratch() as folder:
        subprocess.run(
            [sys.executable, "-m", "tests.bench.side", side, loop, folder, json.dumps(wanted)],
            cwd=ROOT,
            env=clean_environment(),
            timeout=LIMIT,
            check=True,
        )
        return json.loads((Path(folder) / FIGURES).read_bytes())


@contextmanager
def scratch() -> Iterator[str]:
    """Give a folder on the disk of the runs that is gone afterwards."""
    with tempfile.TemporaryDirectory(dir=DISK, prefix="bench-") as folder:
        yield folder


def clean_environment() -> dict[str, str]:
    """Settings of whoever measures must not reach the engine, nor what would slow Python down."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.upper().startswith("ORCHESTRATOR_") and name not in _SLOWING
    }


def in_turn(number: int, *sides: str) -> tuple[str, ...]:
    """Give who goes in which order in a round: whatever warms up or slows down meets all of them."""
    first = number % len(sides)
    return sides[first:] + sides[:first]
