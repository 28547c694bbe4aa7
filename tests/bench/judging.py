"""From what was measured to what is said: checks, medians, ratios, the table. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any


@dataclass(frozen=True)
class Plain:
    """One round of the plain loop."""

    per_second: float
    cpu_micros: float
    """CPU microseconds for one request."""
    peak_memory: float
    """Megabytes."""


@dataclass(frozen=True)
class Engine:
    """One round of the engine."""

    per_second: float
    """Devices taken from intent to verdict in a second of work."""
    sent_per_second: float
    """Operation requests answered in a second of the sending phase alone."""
    cpu_micros: float
    """CPU microseconds for one device, from intent to verdict."""
    peak_memory: float
    """Megabytes."""
    events: int
    syncs: int
    idle: float
    """Seconds between the last answer and the next round of reading; not counted as work."""


def plain_round(figures: Mapping[str, Any], devices: int) -> Plain:
    """Read what the plain loop measured."""
    return Plain(
        per_second=devices / figures["seconds"],
        cpu_micros=figures["cpu"] / devices * 1e6,
        peak_memory=figures["peak_memory"],
    )


def engine_round(figures: Mapping[str, Any], readings: Sequence[float], devices: int) -> Engine:
    """Read what the engine measured; `readings` are the arrivals of GETs at the controller."""
    began, answered, ended = figures["began"], figures["answered"], figures["ended"]
    resumed = min((moment for moment in readings if moment > answered), default=answered)
    sending, proving = answered - began, ended - resumed
    return Engine(
        per_second=devices / (sending + proving),
        sent_per_second=devices / sending,
        cpu_micros=figures["cpu"] / devices * 1e6,
        peak_memory=figures["peak_memory"],
        events=figures["events"],
        syncs=figures["syncs"],
        idle=resumed - answered,
    )


def faults_of_requests(arrivals: Iterable[tuple[float, int]], devices: int) -> list[str]:
    """Say what is wrong with the operation requests that reached the controller."""
    times = Counter(device for _, device in arrivals)
    repeated = [device for device, count in times.items() if count > 1]
    found = []
    if len(times) != devices:
        found.append(f"{len(times)} devices got a PUT instead of {devices}")
    if repeated:
        found.append(f"{len(repeated)} devices got more than one PUT, such as {repeated[0]}")
    return found


def shortest_lead(
    arrivals: Iterable[tuple[float, int]], intents: Iterable[tuple[int, float]]
) -> float:
    """Give by how many seconds a PUT arrived after its intent was durable, at the least.

    The n-th PUT of a device belongs to its n-th intent; one without any has a lead of -inf.
    """
    durable: defaultdict[int, list[float]] = defaultdict(list)
    for device, moment in intents:
        durable[device].append(moment)
    lead = float("inf")
    for arrived, device in sorted(arrivals):
        waiting = durable[device]
        lead = min(lead, arrived - waiting.pop(0) if waiting else float("-inf"))
    return lead


def summary(plain: Sequence[Plain], engine: Sequence[Engine]) -> dict[str, Any]:
    """Give the medians of both sides, and of each round's ratio with the least and the most of it."""
    pairs = list(zip(plain, engine, strict=True))
    ratios = {
        "per_second": [e.per_second / p.per_second for p, e in pairs],
        "sent_per_second": [e.sent_per_second / p.per_second for p, e in pairs],
        "cpu_micros": [e.cpu_micros / p.cpu_micros for p, e in pairs],
        "peak_memory": [e.peak_memory / p.peak_memory for p, e in pairs],
    }
    return {
        "plain": _medians(plain),
        "engine": _medians(engine),
        "ratio": {name: median(each) for name, each in ratios.items()},
        "ratio_range": {name: (min(each), max(each)) for name, each in ratios.items()},
    }


def _medians(rounds: Sequence[Plain] | Sequence[Engine]) -> dict[str, float]:
    each = [asdict(one) for one in rounds]
    return {name: median(one[name] for one in each) for name in each[0]}


_ROWS = {
    "per_second": "requests per second",
    "sent_per_second": "  while only sending",
    "cpu_micros": "CPU per request, µs",
    "peak_memory": "peak memory, MB",
}


def table(said: Mapping[str, Mapping[str, Any]]) -> str:
    """Write the comparison for people."""
    lines = [f"{'':22}{'plain aiohttp':>15}{'engine':>10}{'engine/plain':>15}   of a round"]
    for name, title in _ROWS.items():
        plain, engine = said["plain"].get(name), said["engine"][name]
        shown = "" if plain is None else f"{plain:,.0f}"
        least, most = said["ratio_range"][name]
        lines.append(
            f"{title:22}{shown:>15}{engine:>10,.0f}{said['ratio'][name]:>15.2f}"
            f"   {least:.2f} to {most:.2f}"
        )
    return "\n".join(lines)
