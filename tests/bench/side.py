"""`python -m tests.bench.side NAME LOOP FOLDER ARGUMENTS` leaves its figures in FOLDER, as JSON.

NAME is a module of this folder with a `run`; its arguments are a JSON object, and `folder` is
added where it is asked for. Nothing else is imported: imports are a part of a side's memory.
"""

import asyncio
import inspect
import json
import sys
from importlib import import_module
from pathlib import Path

from tests.bench.loops import loop_factory
from tests.bench.sides import FIGURES


def main(name: str, loop: str, folder: str, arguments: str) -> None:
    """Measure one side, on the given event loop if it needs one."""
    run = import_module(f"tests.bench.{name}").run
    wanted = json.loads(arguments)
    if "folder" in inspect.signature(run).parameters:
        wanted["folder"] = Path(folder)
    if inspect.iscoroutinefunction(run):
        with asyncio.Runner(loop_factory=loop_factory(loop)) as runner:
            figures = runner.run(run(**wanted))
    else:
        figures = run(**wanted)
    (Path(folder) / FIGURES).write_text(json.dumps(figures))


if __name__ == "__main__":
    main(*sys.argv[1:])
