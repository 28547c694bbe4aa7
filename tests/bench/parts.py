"""The parts of the suite, and how one of them is measured without spoiling the others."""

import importlib.util
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module

from tests.bench.asking import Asked, CheckFailedError
from tests.bench.figures import Figure


@dataclass(frozen=True, slots=True)
class Part:
    """One letter of the suite."""

    letter: str
    title: str
    module: str
    counted: str = ""
    """What is measured and what is not, for whoever reads the table; the module says it in full."""

    @property
    def is_there(self) -> bool:
        """Say whether it can be measured."""
        return importlib.util.find_spec(f"tests.bench.{self.module}") is not None


PARTS = (
    Part(
        "a",
        "The engine with its durable journal beside a plain aiohttp loop",
        "throughput",
        "The same requests to the same server, which answers at once or after 20 ms. The engine plans"
        " nothing here, but intends, sends, proves and journals; its idle wait for the round of"
        " reading that proves is not counted, nor are the pages of that round as requests.",
    ),
    Part(
        "b",
        "The engine beside `requests` in threads and Nornir",
        "tools",
        "All do the same careful work: read and judge the record, PUT once, read until the return is"
        " proven, write the verdict down; 50 in flight, a server that answers at once. The wait for"
        " the round of reading is not counted except where the line says so; in CPU all is.",
    ),
    Part(
        "c",
        "Requests for each device of a clean factory and reconf, in virtual time",
        "requests",
        "Every request of the run. Lean: list pages prove a return, nothing is saved. No snapshots: a"
        " return is proven by the device's own record, too. As shipped: record, settings and"
        " variables are saved before.",
    ),
    Part(
        "d",
        "How long the lean campaign takes, and how soon a return is noticed, in virtual time",
        "makespan",
        "The bound is what no schedule can beat, even one that knew how long each device will take."
        " Where few devices follow each other in a place, the last ones decide, and only the same"
        " durations begun in the same order are a fair yardstick.",
    ),
    Part(
        "e",
        "The journal beside writing and syncing the same bytes; reading and verifying it",
        "durability",
        "Hash chain and one fdatasync a batch; the yardstick has the same bytes and the same batches"
        " ready and encodes nothing. Reading checks the chain and gives typed events.",
    ),
    Part(
        "f",
        "Foreseeing a campaign beside a plain loop over a heap",
        "forecast",
        "CPU of one process, in three rounds. The yardstick takes each device through as many moments"
        " with no rule. Two seeds, with the campaigns that only compare limits, stand for fifty.",
    ),
    Part(
        "g",
        "List, plan and run of a thousand to a million devices, in virtual time",
        "scale",
        "Journal on disk, a process for each size; an exponent of 1 is growth as the number of devices.",
    ),
    Part(
        "h",
        "Start-up beside Python alone",
        "startup",
        "From the start of a process to its end, with warm caches; `plan` lists 100 devices over HTTP.",
    ),
)


@dataclass(frozen=True, slots=True)
class Measured:
    """What came of a part."""

    part: Part
    figures: tuple[Figure, ...]
    faults: tuple[str, ...]
    """A sentence for every check that failed, or for a part that broke down."""
    seconds: float


def measure(part: Part, asked: Asked, tell: Callable[[str], None]) -> Measured:
    """Measure one part; whatever happens to it is told, and kept out of the others."""
    began = time.monotonic()
    figures: tuple[Figure, ...] = ()
    faults: tuple[str, ...] = ()
    try:
        figures = tuple(import_module(f"tests.bench.{part.module}").measure(asked))
    except CheckFailedError as error:
        figures, faults = error.figures, error.faults
    except Exception as error:  # noqa: BLE001 - one part that breaks down must not lose the others
        tell(traceback.format_exc())
        faults = (f"broke down: {type(error).__name__}: {error}",)
    named = tuple(f"{part.letter}: {fault}" for fault in faults)
    return Measured(part, figures, named, time.monotonic() - began)
