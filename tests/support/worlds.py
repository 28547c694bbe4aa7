"""Small model worlds for tests, and a hand to ask them with."""

from collections.abc import Mapping
from dataclasses import replace

import orjson

from orchestrator.simulator.endpoints import DEFAULT_TOKEN, Rules
from orchestrator.simulator.exchange import Request, Response
from orchestrator.simulator.faults import Faults
from orchestrator.simulator.fleet import FleetPlan, make_fleet
from orchestrator.simulator.temperaments import Temperament
from orchestrator.simulator.world import API, World

START = 1_800_000_000.0
FIRST = 1001


def world(
    count: int = 1,
    temperament: str | Temperament = "fast",
    *,
    plan: FleetPlan | None = None,
    faults: Faults | None = None,
    rules: Rules | None = None,
    seed: int = 7,
) -> World:
    """Give a world of devices that all behave alike, unless a plan says otherwise."""
    ids = range(FIRST, FIRST + count)
    plan = plan or replace(
        FleetPlan.plain(), temperaments=dict.fromkeys(ids, temperament), frequencies=(60,)
    )
    fleet = make_fleet(count, seed, plan)
    return World(fleet, seed=seed, started_at=START, faults=faults, rules=rules)


def ask(
    asked: World,
    method: str,
    path: str,
    *,
    after: float = 0.0,
    query: Mapping[str, str] | None = None,
    body: object = None,
    token: str | None = DEFAULT_TOKEN,
) -> Response:
    """Ask a world, so many seconds after its start; the path is what follows /api/v1/."""
    headers = {"host": "control.test"}
    if token is not None:
        headers["authorization"] = f"Bearer {token}"
    raw = body if isinstance(body, bytes) else b"" if body is None else orjson.dumps(body)
    return asked.handle(Request(method, API + path, query or {}, headers, raw), START + after)


def start(asked: World, operation: str, *, after: float = 0.0, device: int = FIRST) -> Response:
    """Ask for an operation."""
    path = f"inventory_device_operation/{device}/"
    return ask(asked, "PUT", path, after=after, body={"operation": operation})


def record(asked: World, after: float, device: int = FIRST, **query: str) -> dict[str, object]:
    """Read one record with its pending settings."""
    query = {"pending": "true", **query}
    content = ask(asked, "GET", f"inventory_device/{device}/", after=after, query=query).content
    assert isinstance(content, dict)
    return content


def history(
    asked: World, until: float, *fields: str, since: float = 0.0, device: int = FIRST
) -> list[tuple[object, ...]]:
    """Poll a record every second and give the different values of some fields, in order."""
    seen: list[tuple[object, ...]] = []
    for second in range(int(since), int(until)):
        row = record(asked, second, device)
        values = tuple(row[field] for field in fields)
        if not seen or seen[-1] != values:
            seen.append(values)
    return seen
