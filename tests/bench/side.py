"""One side in a process of its own, so that its memory and its garbage are its own.

`python -m tests.bench.side SIDE LOOP URL DEVICES IN_FLIGHT FOLDER` prints its figures as JSON.
"""

import asyncio
import json
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any


def _measured(side: str, url: str, devices: int, in_flight: int, folder: Path) -> Coroutine[Any, Any, Any]:
    if side == "bare":
        from tests.bench import bare

        return bare.run(url, devices, in_flight)
    from tests.bench import engine

    return engine.run(url, devices, in_flight, folder)


def main(side: str, loop: str, url: str, devices: str, in_flight: str, folder: str) -> None:
    """Measure one side on the given event loop."""
    factory = None
    if loop == "uvloop":
        import uvloop

        factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        figures = runner.run(_measured(side, url, int(devices), int(in_flight), Path(folder)))
    print(json.dumps(figures))


if __name__ == "__main__":
    main(*sys.argv[1:])
