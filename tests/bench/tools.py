"""Part (b): the engine beside what is used for this job today, all doing the same careful work.

Careful: the record is read and judged, the PUT is sent once, the record is read until it proves
the return, each device's verdict is written down. The server proves a device back at the first
look, so that nobody waits for the model world and what limits is the machine; the others look at
once and would look again every second. The engine looks in its common round every 10 s: its wait
for that round is not counted for its devices a second (in CPU all is counted), and the line `with
the wait` tells what it comes to. All keep 50 requests in flight; the slow ones get fewer devices,
and figures are per device.
"""

from statistics import median
from typing import Any

from tests.bench import judging, sides
from tests.bench.asking import Asked, CheckFailedError
from tests.bench.figures import Figure, compared

IN_FLIGHT = 50
ENGINE_DEVICES = 4_000
OTHERS_DEVICES = 1_000
QUICK = 5
REQUESTS = 2
"""Of a device: the look before, and the operation. What proves the return comes on top, for all."""

OTHERS = {"in_threads": "requests in 50 threads", "in_nornir": "Nornir 3 + requests, 50 workers"}


def measure(asked: Asked) -> list[Figure]:
    """Let all take their turns; raises CheckFailedError."""
    rounds: dict[str, list[judging.Plain]] = {name: [] for name in OTHERS}
    engine: list[judging.Engine] = []
    waits: list[float] = []
    faults: list[str] = []
    divisor = QUICK if asked.quick else 1
    many, few = ENGINE_DEVICES // divisor, OTHERS_DEVICES // divisor
    with sides.serving(many) as served:
        for number in range(asked.rounds):
            for side in sides.in_turn(number, *OTHERS, "engine"):
                devices = many if side == "engine" else few
                figures = _figures_of(side, served, devices, asked.loop, engine)
                arrivals = served.arrivals()
                found = judging.faults_of_requests(arrivals["operations"], devices)
                found += judging.faults_of_care(arrivals["operations"], arrivals["readings"])
                if side == "engine":
                    engine.append(
                        judging.engine_round(figures, arrivals["readings"], REQUESTS * devices)
                    )
                    waits.append(devices / (figures["ended"] - figures["began"]))
                    found += figures["faults"]
                else:
                    rounds[side].append(judging.plain_round(figures, REQUESTS * devices))
                    if figures["proven"] != devices:
                        found.append(f"{figures['proven']} of {devices} devices were proven")
                faults += [f"round {number + 1}, {side}: {fault}" for fault in found]
    told = [each for name, plain in rounds.items() for each in _beside(OTHERS[name], plain, engine)]
    told.append(Figure("b", "devices, careful, the wait counted", median(waits), "/s"))
    if faults:
        raise CheckFailedError(faults, told)
    return told


def _figures_of(
    side: str, served: sides.Served, devices: int, loop: str, engine: list[judging.Engine]
) -> dict[str, Any]:
    wanted: dict[str, Any] = {
        "base_url": served.base_url,
        "devices": devices,
        "in_flight": IN_FLIGHT,
    }
    if side == "engine":
        expected = judging.expected_sending([], engine, REQUESTS * devices)
        wanted |= {"is_careful": True, "expected": expected}
    return sides.run_side(side, loop, **wanted)


def _beside(
    yardstick: str, plain: list[judging.Plain], engine: list[judging.Engine]
) -> list[Figure]:
    return [
        compared(
            "b",
            "devices, careful",
            unit="/s",
            ours=[each.per_second / REQUESTS for each in engine],
            yardstick=yardstick,
            theirs=[each.per_second / REQUESTS for each in plain],
            at_least=5.0,
        ),
        compared(
            "b",
            "CPU a device, careful",
            unit="µs",
            ours=[each.cpu_micros * REQUESTS for each in engine],
            yardstick=yardstick,
            theirs=[each.cpu_micros * REQUESTS for each in plain],
            at_most=0.2,
        ),
    ]
