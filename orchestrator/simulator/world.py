"""All of the model world together: requests in, answers out, time as it is given."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import unquote

import orjson

from orchestrator.model.operations import Action
from orchestrator.model.secrecy import masked
from orchestrator.simulator.endpoints import Endpoints, Rules
from orchestrator.simulator.exchange import Fate, Request, Response, detail, http_date, page
from orchestrator.simulator.faults import NO_TROUBLE, Faults, Mischief, Trouble
from orchestrator.simulator.fleet import Member
from orchestrator.simulator.ledger import Arrival, Change, Ledger, operation_facts
from orchestrator.simulator.population import Population
from orchestrator.simulator.records import FLAGS

API = "/api/v1/"
_CHANGES = frozenset({"POST", "PATCH", "PUT", "DELETE"})
NOBODY = -1
"""The id of a device that was named by a serial number or a name that there is not."""
_RESOURCES = {"inventory_device": "device", "inventory_device_operation": "operation"}
_NAMED = {
    "inventory_device_serial": ("device", "serial_number"),
    "inventory_device_name": ("device", "name"),
    "inventory_device_serial_operation": ("operation", "serial_number"),
    "inventory_device_name_operation": ("operation", "name"),
}
_OPTIONAL = {
    "inventory_device_log": "log",
    "inventory_device_setting": "setting",
    "inventory_device_variables": "variables",
    "inventory_type": "type",
}
_OPTIONAL_KINDS = frozenset(_OPTIONAL.values())
_WITH_ITEMS = ("log", "type")


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
        if self.population.awaits_returns:
            self.population.welcome(now)
        kind, identity, is_exact, optional = route(request.path)
        if optional is not None:
            kind, identity = self._found(kind, identity, optional)
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

    def _found(
        self, kind: str | None, identity: int | None, optional: "Optional"
    ) -> tuple[str | None, int | None]:
        """Say whether there is such an endpoint here, and which device a text of its own names."""
        if optional.resource not in self.rules.offers:
            return None, None
        if optional.key == "serial_number":
            identity = self.population.with_serial(optional.text)
        elif optional.key == "name":
            identity = self.population.with_name(optional.text)
        else:
            return kind, identity
        return kind, NOBODY if identity is None else identity

    def _serve(self, kind: str, identity: int | None, request: Request, now: float) -> Response:
        is_read = request.method in ("GET", "HEAD", "OPTIONS")
        subject: object
        if kind in _OPTIONAL_KINDS:
            about = request.query.get("parent_id") or request.query.get("parent__id")
            kind_of_draw, subject = kind, about or identity or "page"
        elif is_read:
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
            applied, delay, device = response.applied, response.delay, response.device
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
            response.applied, response.delay, response.device = applied, delay, device
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
        device = None if identity == NOBODY else identity
        if request.method in _CHANGES:
            if kind == "operation" and request.method == "PUT":
                operation = _asked_operation(request.body)
            elif kind in ("device", "list"):
                operation = _asked_by_change(request)
                self._note_change(device, request, response, now)
        self.ledger.note_arrival(
            Arrival(
                at=now,
                method=request.method,
                path=request.path,
                device=device,
                operation=operation,
                applied=response.applied,
                status=response.status,
                fate=response.fate.value,
                answered_at=response.at,
                refreshed="update_status" in request.query,
            )
        )

    def _note_change(
        self, device: int | None, request: Request, response: Response, now: float
    ) -> None:
        wrote = {name: masked(name, value) for name, value in _object(request.body).items()}
        self.ledger.note_change(
            Change(
                at=now,
                method=request.method,
                device=device if response.device is None else response.device,
                wrote=wrote,
                applied=response.applied,
                status=response.status,
            )
        )

    def settled_ledger(self, now: float) -> Ledger:
        """Give the ledger with everything that happened until now."""
        self.population.settle(now)
        return self.ledger

    def truth(self, identity: int, now: float) -> str:
        """Say what really became of a device, under whichever id it makes contact now.

        `untouched`, `out_of_service`, `in_service_configured`, `in_service_unconfigured`, or
        `gone` when there is no record of it any more.
        """
        self.population.welcome(now)
        device = self.population.device(self.population.present_id(identity), now)
        if device is None:
            return "gone"
        if not self.ledger.of_device(identity):
            return "untouched"
        if not device.is_in_service:
            return "out_of_service"
        return "in_service_configured" if device.is_configured else "in_service_unconfigured"

    def biography(self, identity: int, now: float) -> dict[str, object]:
        """Give everything there is to know of one device, its own password included, for JSON."""
        truth = self.truth(identity, now)
        present = self.population.present_id(identity)
        device = self.population.device(present, now)
        return {
            "device": identity,
            "present_id": present,
            "truth": truth,
            "temperament": None if device is None else device.temperament.name,
            "is_configured": None if device is None else device.is_configured,
            "operations": [operation_facts(each) for each in self.ledger.of_device(identity)],
            "changes": [each._asdict() for each in self.ledger.changes_of(identity)],
            "credentials": None
            if device is None
            else {
                **device.credentials.present._asdict(),
                "is_waiting": device.credentials.is_waiting,
                "is_locked_out": device.credentials.is_locked_out,
            },
            "own_outages": [] if device is None else [list(each) for each in device.own_outages],
        }


class Optional(NamedTuple):
    """What a path says of an endpoint that only some controllers have."""

    resource: str
    key: str = ""
    """Whether `text` is a serial number or a name; empty where it is neither."""
    text: str = ""


class Route(NamedTuple):
    """What a path is about."""

    kind: str | None = None
    identity: int | None = None
    is_exact: bool = False
    """Whether its trailing slash is there."""
    optional: Optional | None = None


@lru_cache(maxsize=65536)
def route(path: str) -> Route:
    """Recognise a path, percent-encoded as it was sent; without a kind there is no such address."""
    if not path.startswith(API):
        return Route()
    is_exact = path.endswith("/")
    parts = path[len(API) :].removesuffix("/").split("/")
    match parts:
        case ["inventory_device"]:
            return Route("list", None, is_exact)
        case ["inventory_device" | "inventory_device_operation" as resource, identity]:
            if identity.isascii() and identity.isdigit():
                return Route(_RESOURCES[resource], int(identity), is_exact)
        case ["inventory_device_serial" | "inventory_device_name" as resource]:
            return Route("list", None, is_exact, Optional(resource))
        case [resource, text] if resource in _NAMED and text:
            kind, key = _NAMED[resource]
            return Route(kind, None, is_exact, Optional(resource, key, unquote(text)))
        case [resource] if resource in _OPTIONAL:
            return Route(_OPTIONAL[resource], None, is_exact, Optional(resource))
        case [resource, identity] if _OPTIONAL.get(resource) in _WITH_ITEMS:
            if identity.isascii() and identity.isdigit():
                return Route(_OPTIONAL[resource], int(identity), is_exact, Optional(resource))
    return Route()


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


def _asked_by_change(request: Request) -> str | None:
    """Give the operation that a change asked for by a flag, or `upgrade` for a firmware image."""
    if request.method not in ("PATCH", "PUT"):
        return None
    asked = _object(request.body)
    flag = next((flag for flag in FLAGS if asked.get(flag) is True), None)
    if flag is None and request.method == "PATCH" and asked.get("firmware_image") is not None:
        return Action.UPGRADE.value
    return flag


@lru_cache(maxsize=256)
def _object(body: bytes) -> Mapping[str, object]:
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return content if isinstance(content, dict) else {}
