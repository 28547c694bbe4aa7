"""All of the model world together: requests in, answers out, time as it is given."""

from collections.abc import Iterable, Mapping
from functools import lru_cache

import orjson

from orchestrator.simulator.endpoints import Endpoints, Rules
from orchestrator.simulator.exchange import Fate, Request, Response, detail, http_date, page
from orchestrator.simulator.faults import NO_TROUBLE, Faults, Mischief, Trouble
from orchestrator.simulator.fleet import Member
from orchestrator.simulator.ledger import Arrival, Ledger, operation_facts
from orchestrator.simulator.population import Population
from orchestrator.simulator.records import FLAGS

API = "/api/v1/"
_RESOURCES = {"inventory_device": "device", "inventory_device_operation": "operation"}


class World:
    """A controller and its fleet from `started_at` on; the moments given never run backwards."""

    def __init__(
        self,
        fleet: Iterable[Member],
        *,
        seed: int = 0,
        started_at: float,
        faults: Faults | None = None,
        rules: Rules | None = None,
    ) -> None:
        self.started_at = started_at
        self.rules = rules or Rules()
        self.ledger = Ledger()
        self.population = Population(fleet, self.ledger, seed=seed, started_at=started_at)
        self._endpoints = Endpoints(self.population, self.rules)
        self._mischief = Mischief(faults or Faults(), seed=seed, started_at=started_at)

    @property
    def faults(self) -> Faults:
        """What goes wrong; may be set while the world runs."""
        return self._mischief.faults

    @faults.setter
    def faults(self, faults: Faults) -> None:
        self._mischief.faults = faults

    def handle(self, request: Request, now: float) -> Response:
        """Answer one request that arrives now; its effect has happened when this returns."""
        kind, identity, is_exact = route(request.path)
        if self._mischief.is_out(now):
            response = Response(0, fate=Fate.REFUSE)
        elif kind is None:
            response = page(404, "Not Found")
        elif not is_exact:
            response = Response(301, raw=b"", headers={"Location": request.path + "/"})
        else:
            response = self._serve(kind, identity, request, now)
        response.delay += self.rules.latency
        self._cut_off_by_restart(response, now)
        response.at = now + response.delay
        self._note(kind, identity, request, response, now)
        return response

    def _serve(self, kind: str, identity: int | None, request: Request, now: float) -> Response:
        is_read = request.method in ("GET", "HEAD", "OPTIONS")
        if is_read:
            kind_of_draw, subject = "read", identity or f"page {request.query.get('offset', 0)}"
        else:
            kind_of_draw, subject = kind, identity or "new"
        trouble = self._mischief.meet(kind_of_draw, subject, is_read=is_read)
        if trouble is NO_TROUBLE:
            return self._authorised(kind, identity, request, now)
        return self._troubled(trouble, kind, identity, request, now)

    def _authorised(
        self, kind: str, identity: int | None, request: Request, now: float
    ) -> Response:
        given = request.headers.get("authorization")
        challenge = {"WWW_Authenticate": 'Bearer realm="api"'}
        if given is None:
            return detail(401, "Authentication credentials were not provided.", **challenge)
        if given != f"Bearer {self.rules.token}" or self._mischief.is_revoked(now):
            return detail(401, "Invalid token.", **challenge)
        return self._endpoints.answer(kind, identity, request, now)

    def _troubled(
        self, trouble: Trouble, kind: str, identity: int | None, request: Request, now: float
    ) -> Response:
        response = _refusal(trouble, now)
        if response is None:
            response = self._authorised(kind, identity, request, now)
            applied, delay = response.applied, response.delay
            if trouble.kind in ("rate_500", "rate_502_html"):
                response = _broken(trouble.kind)
            elif trouble.kind == "reset_after":
                response.fate = Fate.CLOSE_AFTER
            elif trouble.kind == "truncated" and response.body:
                response.raw = response.body
                if trouble.is_cut_off:
                    response.fate = Fate.TRUNCATE
                else:
                    response.raw = response.raw[: len(response.raw) // 2]
            response.applied, response.delay = applied, delay
        response.delay += trouble.delay
        return response

    def _cut_off_by_restart(self, response: Response, now: float) -> None:
        at = self._mischief.restart_between(now, now + response.delay)
        if at is not None and response.fate is not Fate.REFUSE:
            response.fate = Fate.CLOSE_AFTER if response.applied else Fate.CLOSE_BEFORE
            response.delay = at - now

    def _note(
        self,
        kind: str | None,
        identity: int | None,
        request: Request,
        response: Response,
        now: float,
    ) -> None:
        operation = None
        if kind == "operation" and request.method == "PUT":
            operation = _asked_operation(request.body)
        elif kind == "device" and request.method in ("PATCH", "PUT"):
            operation = _asked_flag(request.body)
        self.ledger.note_arrival(
            Arrival(
                at=now,
                method=request.method,
                path=request.path,
                device=identity,
                operation=operation,
                applied=response.applied,
                status=response.status,
                fate=response.fate.value,
                answered_at=response.at,
                refreshed="update_status" in request.query,
            )
        )

    def settled_ledger(self, now: float) -> Ledger:
        """Give the ledger with everything that happened until now."""
        self.population.settle(now)
        return self.ledger

    def truth(self, identity: int, now: float) -> str:
        """Say what really became of a device.

        `untouched`, `out_of_service`, `in_service_configured`, `in_service_unconfigured`, or
        `gone` when there is no record of it any more.
        """
        device = self.population.device(identity, now)
        if device is None:
            return "gone"
        if not self.ledger.of_device(identity):
            return "untouched"
        if not device.is_in_service:
            return "out_of_service"
        return "in_service_configured" if device.is_configured else "in_service_unconfigured"

    def biography(self, identity: int, now: float) -> dict[str, object]:
        """Give everything the ledger knows of one device, as plain data for JSON."""
        device = self.population.device(identity, now)
        return {
            "device": identity,
            "truth": self.truth(identity, now),
            "temperament": None if device is None else device.temperament.name,
            "is_configured": None if device is None else device.is_configured,
            "operations": [operation_facts(each) for each in self.ledger.of_device(identity)],
            "own_outages": [] if device is None else [list(each) for each in device.own_outages],
        }


@lru_cache(maxsize=65536)
def route(path: str) -> tuple[str | None, int | None, bool]:
    """Recognise a path: what it is about, which device, and whether its trailing slash is there."""
    if not path.startswith(API):
        return None, None, False
    is_exact = path.endswith("/")
    parts = path[len(API) :].removesuffix("/").split("/")
    match parts:
        case ["inventory_device"]:
            return "list", None, is_exact
        case ["inventory_device" | "inventory_device_operation" as resource, identity]:
            if identity.isascii() and identity.isdigit():
                return _RESOURCES[resource], int(identity), is_exact
    return None, None, False


def _refusal(trouble: Trouble, now: float) -> Response | None:
    """Answer what is answered before anything was applied; None when the request goes through."""
    match trouble.kind:
        case "rate_429":
            text = f"Request was throttled. Expected available in {trouble.retry_after} seconds."
            return detail(429, text, Retry_After=str(trouble.retry_after))
        case "rate_503":
            response = page(503, "Service Unavailable")
            until = str(trouble.retry_after)
            if trouble.as_date:
                # Rounded up, so that a client that obeys the date never comes too early.
                until = http_date(int(now + trouble.delay) + trouble.retry_after + 1)
            response.headers["Retry-After"] = until
            return response
        case "reset_before":
            return Response(0, fate=Fate.CLOSE_BEFORE)
        case "rate_500" | "rate_502_html" if not trouble.is_applied:
            return _broken(trouble.kind)
    return None


def _broken(kind: str) -> Response:
    if kind == "rate_500":
        return page(500, "Server Error (500)")
    return page(502, "502 Bad Gateway")


def _asked_operation(body: bytes) -> str:
    """Give what an operation request asked for, as it stands in its body."""
    wanted = _object(body).get("operation")
    return wanted if isinstance(wanted, str) else "?"


def _asked_flag(body: bytes) -> str | None:
    """Give the operation that PUT or PATCH asked for by a flag."""
    asked = _object(body)
    return next((flag for flag in FLAGS if asked.get(flag) is True), None)


@lru_cache(maxsize=256)
def _object(body: bytes) -> Mapping[str, object]:
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return content if isinstance(content, dict) else {}
