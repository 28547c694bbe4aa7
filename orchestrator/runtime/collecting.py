"""The garbage collector, told that a run keeps what it makes."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

YOUNG = 50_000
"""Objects made, beyond those that are gone again, before the youngest are searched for cycles."""


@contextmanager
def seldom_collecting() -> Iterator[None]:
    """Search seldom, and never what is there already: plan and records live to the end anyway.

    Every search through the state of ten thousand devices takes tens of milliseconds and finds
    nothing; together they were a sixth of a run's time. Hundreds of requests in flight trigger it so
    often that it costs each of them a seventh of its time.
    """
    thresholds = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(YOUNG, *thresholds[1:])
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)
        gc.unfreeze()
