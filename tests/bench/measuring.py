"""What both sides are measured with."""

import resource
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_RSS_UNIT = 1 if sys.platform == "darwin" else 1024
MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Stamp:
    """Where a process stands in time and in CPU seconds, those of its threads included."""

    at: float
    cpu: float

    @classmethod
    def now(cls) -> "Stamp":
        usage = resource.getrusage(resource.RUSAGE_SELF)
        return cls(time.monotonic(), usage.ru_utime + usage.ru_stime)


def peak_memory() -> float:
    """Give the most memory this process ever held, in megabytes.

    Where the system tells it of this very program, that is taken: getrusage hands on what the parent
    held when the process was begun.
    """
    with suppress(OSError), Path("/proc/self/status").open() as told:
        for line in told:
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024 / MEGABYTE
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _RSS_UNIT / MEGABYTE
