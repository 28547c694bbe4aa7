"""`make bench`: the engine beside the plainest correct aiohttp loop, the journal, the start-up.

Both sides send the same operation PUTs, a bounded number in flight, to the same server in a second
process; they take turns, each time in a process of its own, and medians over the rounds are shown.

* Plain: from before the first connection until the last answer is read. Nothing else is done.
* Engine: `orchestrator run` without its screen: intents, answers, evidence and verdicts in a
  journal on disk (hash chain, fdatasync), log, summary. Counted is its whole work: from the moment
  RunStarted is durable until the last answer is, and from the first request of the round of
  reading that brings the proof until RunFinished is durable. The idle time between the two, when
  nothing is left but to wait for that round (up to 10 s), is not counted; it is printed.
* CPU is that of the process with its threads, over the same time, waiting included.
* Peak memory is that of the whole process (getrusage): interpreter, imports, plan and all.

Every round is checked: the server saw exactly one PUT for each device; no PUT arrived before the
fdatasync that made its intent durable had returned; every device is proven; the journal is sound.
"""

import argparse
import importlib.util
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from tests.bench import judging

ROOT = Path(__file__).parents[2]
DISK = ROOT / "logs"  # a folder for temporary files is often in memory, where a sync costs nothing
START_UPS = 7


def main(arguments: list[str] | None = None) -> int:
    """Measure, print, and say by the exit code whether every check held."""
    asked = _parser().parse_args(arguments)
    said, faults = measure(asked)
    if asked.json:
        print(json.dumps(said | {"faults": faults}, indent=2))
    else:
        print(_text(said))
    for fault in faults:
        print(f"bench: {fault}", file=sys.stderr)
    return 1 if faults else 0


def _parser() -> argparse.ArgumentParser:
    fast = importlib.util.find_spec("uvloop") is not None
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench",
        description="Measure the engine beside a plain aiohttp loop, the journal, the start-up.",
    )
    parser.add_argument("--devices", type=int, default=10_000, metavar="N")
    parser.add_argument("--in-flight", type=int, default=50, metavar="N")
    parser.add_argument("--rounds", type=int, default=3, metavar="N")
    parser.add_argument(
        "--loop",
        choices=("asyncio", "uvloop"),
        default="uvloop" if fast else "asyncio",
        help="event loop of both sides; the default is what `orchestrator` takes here",
    )
    parser.add_argument("--json", action="store_true", help="print everything as one JSON object")
    return parser


def measure(asked: argparse.Namespace) -> tuple[dict[str, Any], list[str]]:
    """Do all rounds; give the figures, and a sentence for every check that failed."""
    plain: list[judging.Plain] = []
    engine: list[judging.Engine] = []
    leads: list[float] = []
    faults: list[str] = []
    with _controller(asked.devices) as port:
        for number in range(asked.rounds):
            # Each side goes first in turn: whatever warms up or slows down meets both.
            for side in ("bare", "engine") if number % 2 == 0 else ("engine", "bare"):
                figures, arrivals = _side(side, port, asked)
                operations = [tuple(each) for each in arrivals["operations"]]
                found = judging.faults_of_requests(operations, asked.devices)
                if side == "bare":
                    plain.append(judging.plain_round(figures, asked.devices))
                else:
                    readings = arrivals["readings"]
                    engine.append(judging.engine_round(figures, readings, asked.devices))
                    leads.append(judging.shortest_lead(operations, figures["intents"]))
                    found += figures["faults"]
                    if leads[-1] < 0:
                        found.append("a PUT arrived before its intent was durable")
                faults += [f"round {number + 1}, {side}: {fault}" for fault in found]
    said = {
        "devices": asked.devices,
        "in_flight": asked.in_flight,
        "rounds": asked.rounds,
        "loop": asked.loop,
        "python": platform.python_version(),
        "load": os.getloadavg()[0],
        **judging.summary(plain, engine),
        "shortest_lead": min(leads),
        "journal": _run_side("journal", asked.loop),
        "start_up": _start_up(),
    }
    return said, faults


@contextmanager
def _controller(devices: int) -> Iterator[int]:
    with subprocess.Popen(
        [sys.executable, "-m", "tests.bench.controller", str(devices)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdin
        assert process.stdout
        yield int(process.stdout.readline())
        process.stdin.close()


def _side(side: str, port: int, asked: argparse.Namespace) -> tuple[dict[str, Any], dict[str, Any]]:
    address = f"http://127.0.0.1:{port}"
    figures = _run_side(
        side, asked.loop, f"{address}/api/v1", str(asked.devices), str(asked.in_flight)
    )
    with urllib.request.urlopen(f"{address}/arrivals") as answer:
        return figures, json.load(answer)


def _run_side(side: str, loop: str, *against: str) -> dict[str, Any]:
    """Settings of whoever measures must not reach the engine."""
    clean = {k: v for k, v in os.environ.items() if not k.upper().startswith("ORCHESTRATOR_")}
    with tempfile.TemporaryDirectory(dir=DISK, prefix="bench-") as folder:
        done = subprocess.run(
            [sys.executable, "-m", "tests.bench.side", side, loop, folder, *against],
            cwd=ROOT,
            env=clean,
            stdout=subprocess.PIPE,
            check=True,
        )
    return json.loads(done.stdout)


def _start_up() -> dict[str, float]:
    """Give the median seconds until the help is there, and until Python alone is."""
    commands = {
        "help": [sys.executable, "-m", "orchestrator", "--help"],
        "python": [sys.executable, "-c", "pass"],
    }
    taken: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(START_UPS):
        for name, command in commands.items():
            before = time.monotonic()
            subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL, check=True)
            taken[name].append(time.monotonic() - before)
    return {name: median(seconds) for name, seconds in taken.items()}


def _text(said: dict[str, Any]) -> str:
    engine, journal, start = said["engine"], said["journal"], said["start_up"]
    return f"""\
{said["devices"]:,} operation PUTs, {said["in_flight"]} in flight, median of {said["rounds"]} rounds
({said["loop"]}, Python {said["python"]}, load of the machine at the end {said["load"]:.1f})

{judging.table(said)}

engine    {engine["events"]:,.0f} events durable through {engine["syncs"]:,.0f} fdatasyncs;\
 not counted: {engine["idle"]:.1f} s idle before the proof is read
          every PUT arrived after its intent was durable, at the least\
 {said["shortest_lead"] * 1000:.2f} ms after
journal   {journal["written_per_second"]:,.0f} events/s made durable, 50 at a time\
 ({journal["written_cpu_micros"]:.1f} µs CPU each);\
 {journal["read_per_second"]:,.0f} events/s read back and checked
start-up  orchestrator --help {start["help"]:.2f} s, python -c pass {start["python"]:.2f} s:\
 {start["help"] / start["python"]:.1f} times"""


if __name__ == "__main__":
    raise SystemExit(main())
