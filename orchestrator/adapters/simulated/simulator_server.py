"""The model world over HTTP: what `orchestrator simulator` serves, with its ledger beside the API.

Besides the API there are, without a token:
GET  /_simulator/health        the world's clock and size
GET  /_simulator/ledger        what really happened
GET  /_simulator/devices/{id}  what really became of one device
GET, POST /_simulator/faults   read them; replace them by a JSON object, "none", "harsh" or a list
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict

import orjson
from aiohttp import web

from orchestrator.ports import Clock
from orchestrator.simulator.exchange import Fate, Request, Response
from orchestrator.simulator.faults import Faults
from orchestrator.simulator.ledger import Ledger
from orchestrator.simulator.world import World

ASIDE = "/_simulator/"
_JSON = "application/json"


@asynccontextmanager
async def serve(
    world: World,
    clock: Clock,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    speed: float = 1.0,
) -> AsyncIterator[int]:
    """Serve a world while the block runs, and yield the port that was bound; 0 takes a free one.

    The clock says the world's time; `speed` is only told to clients. Raises OSError when the
    port is taken.
    """
    face = _Face(world, clock, speed)
    runner = web.ServerRunner(
        web.Server(face.answer, access_log=None), shutdown_timeout=1.0, handle_signals=False
    )
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port, backlog=1024).start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


class _Face:
    """Turns HTTP requests into the world's and its answers back, fates included."""

    def __init__(self, world: World, clock: Clock, speed: float) -> None:
        self._world = world
        self._clock = clock
        self._speed = f"{speed:g}"
        self._in_flight = 0

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        body = await request.read()
        if request.path.startswith(ASIDE):
            return self._aside(request.method, request.path.removeprefix(ASIDE), body)
        headers = {name.lower(): value for name, value in request.headers.items()}
        self._in_flight += 1
        try:
            self._world.ledger.note_in_flight(self._in_flight)
            response = self._world.handle(
                # As it was sent: a name may hold an encoded slash.
                Request(
                    request.method,
                    request.rel_url.raw_path,
                    dict(request.query.items()),
                    headers,
                    body,
                ),
                self._clock.now(),
            )
            if response.delay > 0:
                await self._clock.sleep(response.delay)
        finally:
            self._in_flight -= 1
        return await self._sent(request, response)

    async def _sent(self, request: web.BaseRequest, response: Response) -> web.StreamResponse:
        if response.fate in (Fate.REFUSE, Fate.CLOSE_BEFORE, Fate.CLOSE_AFTER):
            _hang_up(request)
            return web.Response()
        headers = {
            "Date": response.date,
            "X-Simulated-Speed": self._speed,
            "Server": "simulator",
            "Content-Type": _JSON,
            **response.headers,
        }
        body = response.body
        if response.fate is not Fate.TRUNCATE:
            return web.Response(status=response.status, headers=headers, body=body)
        cut = web.StreamResponse(status=response.status, headers=headers)
        cut.content_length = len(body)
        await cut.prepare(request)
        await cut.write(body[: len(body) // 2])
        _hang_up(request, abruptly=False)
        return cut

    def _aside(self, method: str, path: str, body: bytes) -> web.Response:
        now = self._clock.now()
        match method, path.rstrip("/").split("/"):
            case "GET", ["health"]:
                return _json(
                    {
                        "now": now,
                        "started_at": self._world.started_at,
                        "devices": len(self._world.population),
                        "speed": float(self._speed),
                    }
                )
            case "GET", ["ledger"]:
                return _json(self._ledger(self._world.settled_ledger(now)))
            case "GET", ["devices", identity] if identity.isascii() and identity.isdigit():
                return _json(self._world.biography(int(identity), now))
            case "GET", ["faults"]:
                return _json(asdict(self._world.faults))
            case "POST", ["faults"]:
                return self._change_faults(body)
        return _json({"detail": "There is no such address beside the API."}, 404)

    def _ledger(self, ledger: Ledger) -> dict[str, object]:
        now = self._clock.now()
        truths = {str(each): self._world.truth(each, now) for each in ledger.touched()}
        return {"now": now, **ledger.summary(), "truths": truths}

    def _change_faults(self, body: bytes) -> web.Response:
        try:
            wanted = orjson.loads(body)
            if isinstance(wanted, str):
                self._world.faults = Faults.from_text(wanted)
            else:
                self._world.faults = Faults.from_mapping(wanted)
        except (ValueError, AttributeError) as error:
            return _json({"detail": f"These are no faults: {error}"}, 400)
        return _json(asdict(self._world.faults))


def _hang_up(request: web.BaseRequest, *, abruptly: bool = True) -> None:
    transport = request.transport
    if transport is None:
        return
    if abruptly:
        transport.abort()
    else:
        transport.close()


def _json(content: object, status: int = 200) -> web.Response:
    return web.Response(status=status, body=orjson.dumps(content), headers={"Content-Type": _JSON})
