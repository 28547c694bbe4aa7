"""One side in a process of its own, so that its memory and its garbage are its own.

`python -m tests.bench.side bare|engine|journal LOOP FOLDER [URL DEVICES IN_FLIGHT]` prints its
figures as JSON.
"""

import asyncio
import json
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any


def _measuring(side: str, folder: Path, against: list[str]) -> Coroutine[Any, Any, Any]:
    """Import no more than the side needs: imports are a part of its memory."""
    if side == "journal":
        from tests.bench import journal

        return journal.run(folder)
    url, devices, in_flight = against
    if side == "bare":
        from tests.bench import bare

        return bare.run(url, int(devices), int(in_flight))
    from tests.bench import engine

    return engine.run(url, int(devices), int(in_flight), folder)


def main(side: str, loop: str, folder: str, *against: str) -> None:
    """Measure one side on the given event loop."""
    factory = None
    if loop == "uvloop":
        import uvloop

        factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        figures = runner.run(_measuring(side, Path(folder), list(against)))
    print(json.dumps(figures))


if __name__ == "__main__":
    main(*sys.argv[1:])
