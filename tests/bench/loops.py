"""The event loop that is measured on."""

import importlib.util
from asyncio import AbstractEventLoop
from collections.abc import Callable

LOOPS = ("asyncio", "uvloop")


def fastest() -> str:
    """Name the loop that `orchestrator` takes here."""
    return "asyncio" if importlib.util.find_spec("uvloop") is None else "uvloop"


def loop_factory(name: str) -> Callable[[], AbstractEventLoop] | None:
    """Give what makes a loop of that name; None is asyncio's own."""
    if name == "asyncio":
        return None
    import uvloop

    return uvloop.new_event_loop
