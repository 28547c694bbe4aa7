"""From what both sides of part (a) measured to figures, and what is wrong with what arrived. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Arrivals = Iterable[tuple[float, int | None]]
"""When the first byte of a request came, and its device; None for a page of a list."""


@dataclass(frozen=True)
class Plain:
    """One round of a yardstick."""

    per_second: float
    """Requests, those that bring the work about."""
    cpu_micros: float
    """CPU microseconds for one of them."""
    peak_memory: float
    """Megabytes."""


@dataclass(frozen=True)
class Engine:
    """One round of the engine."""

    per_second: float
    """The same requests in a second of work, from the first intent to the last verdict."""
    sent_per_second: float
    """The same requests answered in a second of the sending phase alone."""
    cpu_micros: float
    """CPU microseconds for one of them, from intent to verdict."""
    peak_memory: float
    """Megabytes."""
    events: int
    syncs: int
    idle: float
    """Seconds between the last answer and the next round of reading; not counted as work."""
    sending: float
    """Seconds from its start until the last answer."""


def plain_round(figures: Mapping[str, Any], requests: int) -> Plain:
    """Read what a yardstick measured."""
    return Plain(
        per_second=requests / figures["seconds"],
        cpu_micros=figures["cpu"] / requests * 1e6,
        peak_memory=figures["peak_memory"],
    )


def engine_round(figures: Mapping[str, Any], readings: Arrivals, requests: int) -> Engine:
    """Read what the engine measured; `readings` are the arrivals of GETs at the controller."""
    began, answered, ended = figures["began"], figures["answered"], figures["ended"]
    resumed = min((moment for moment, _ in readings if moment > answered), default=answered)
    sending, proving = answered - began, ended - resumed
    return Engine(
        per_second=requests / (sending + proving),
        sent_per_second=requests / sending,
        cpu_micros=figures["cpu"] / requests * 1e6,
        peak_memory=figures["peak_memory"],
        events=figures["events"],
        syncs=figures["syncs"],
        idle=resumed - answered,
        sending=answered - figures["started"],
    )


def faults_of_requests(arrivals: Arrivals, devices: int) -> list[str]:
    """Say what is wrong with the operation requests that reached the controller."""
    times = Counter(device for _, device in arrivals)
    repeated = [device for device, count in times.items() if count > 1]
    found = []
    if len(times) != devices:
        found.append(f"{len(times)} devices got a PUT instead of {devices}")
    if repeated:
        found.append(f"{len(repeated)} devices got more than one PUT, such as {repeated[0]}")
    return found


def faults_of_care(operations: Arrivals, readings: Arrivals) -> list[str]:
    """Say which devices got a PUT though nobody had asked for their record before."""
    first: dict[int | None, float] = {}
    for moment, device in readings:
        first[device] = min(moment, first.get(device, moment))
    unread = [device for moment, device in operations if first.get(device, moment) >= moment]
    if not unread:
        return []
    return [f"{len(unread)} devices got a PUT without a look before it, such as {unread[0]}"]


def shortest_lead(arrivals: Arrivals, intents: Iterable[tuple[int, float]]) -> float:
    """Give by how many seconds a PUT arrived after its intent was durable, at the least.

    The n-th PUT of a device belongs to its n-th intent; one without any has a lead of -inf.
    """
    durable: defaultdict[int | None, list[float]] = defaultdict(list)
    for device, moment in intents:
        durable[device].append(moment)
    lead = float("inf")
    for arrived, device in sorted(arrivals):
        waiting = durable[device]
        lead = min(lead, arrived - waiting.pop(0) if waiting else float("-inf"))
    return lead


def expected_sending(
    plain: Sequence[Plain], engine: Sequence[Engine], requests: int
) -> float | None:
    """Foresee how long the engine's next round sends: as its last one, else a half longer than plain."""
    if engine:
        return engine[-1].sending
    return 1.5 * requests / plain[-1].per_second + 0.5 if plain else None
