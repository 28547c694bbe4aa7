"""Part (e): the journal beside raw writes of the same bytes, its replay, and the audit of it."""

from tests.bench import sides
from tests.bench.asking import Asked, CheckFailedError
from tests.bench.figures import Figure, compared

WAYS = ((1, 50), (50, 1), (1000, 1))
"""How many producers append how many events at a time; the first is how the engine does it."""

EVENTS = 50_000
LONG = 1_000_000
GOAL_EVENTS = 8_000_000
QUICK = 10


def measure(asked: Asked) -> list[Figure]:
    """Measure writing, reading and verifying; raises CheckFailedError."""
    divisor = QUICK if asked.quick else 1
    found = sides.run_side(
        "journal", asked.loop, rounds=asked.rounds, events=EVENTS // divisor, ways=WAYS
    )
    figures = [
        compared(
            "e",
            f"{_way(producers, batch)}: durable",
            unit="/s",
            ours=[each["ours"] for each in found[f"{producers}x{batch}"]],
            yardstick="write+fdatasync, same bytes and batches",
            theirs=[each["theirs"] for each in found[f"{producers}x{batch}"]],
            at_least=0.5,
        )
        for producers, batch in WAYS
    ]
    figures.append(
        compared(
            "e",
            "replay, chain checked",
            unit="/s",
            ours=[each["ours"] for each in found["read"]],
            yardstick="orjson.loads of each line",
            theirs=[each["theirs"] for each in found["read"]],
            at_least=300_000,
            is_absolute=True,
        )
    )
    events = LONG // divisor
    audit = sides.run_side("long_journal", asked.loop, events=events)
    scale = GOAL_EVENTS / events
    figures += [
        Figure("e", f"verify() of {_millions(events)}", audit["verify"], "s"),
        Figure("e", f"audit verify of {_millions(events)}", audit["command"], "s"),
        Figure(
            "e",
            f"audit verify, scaled to {_millions(GOAL_EVENTS)}",
            audit["command"] * scale,
            "s",
            at_most=60.0,
        ),
    ]
    if audit["faults"]:
        raise CheckFailedError(audit["faults"], figures)
    return figures


def _way(producers: int, batch: int) -> str:
    who = "1 producer" if producers == 1 else f"{producers:,} producers"
    return f"{who}, {batch} at a time"


def _millions(events: int) -> str:
    return f"{events / 1e6:g} M events"
