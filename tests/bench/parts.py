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

    @property
    def is_there(self) -> bool:
        """Say whether it can be measured."""
        return importlib.util.find_spec(f"tests.bench.{self.module}") is not None


PARTS = (
    Part("a", "engine with journal beside a plain aiohttp loop", "throughput"),
    Part("b", "engine beside requests in threads and Nornir", "tools"),
    Part("c", "requests a device", "requests"),
    Part("d", "makespan beside the list-scheduling bound", "makespan"),
    Part("e", "journal, replay, audit", "durability"),
    Part("f", "forecast", "forecast"),
    Part("g", "a thousand to a million devices", "scale"),
    Part("h", "start-up", "startup"),
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
