"""What the API answers when nothing goes wrong: both documents' endpoints (api.md 1)."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

import orjson

from orchestrator.model import moments
from orchestrator.model.operations import Operation
from orchestrator.simulator import records
from orchestrator.simulator.chance import uniform
from orchestrator.simulator.devices import SimulatedDevice
from orchestrator.simulator.exchange import Request, Response, detail
from orchestrator.simulator.fleet import TYPE_NAMES, FleetPlan, Member, make_member
from orchestrator.simulator.population import Population

DEFAULT_TOKEN = "simulator-token"  # noqa: S105 - made up, for a made-up controller


@dataclass(frozen=True, slots=True)
class Rules:
    """How this controller is set up."""

    token: str = DEFAULT_TOKEN
    organizations: frozenset[int] | None = None
    """What the token may see; None is everything."""
    shows_operations: bool = True
    """Whether pending_settings names accepted operations until they are delivered."""
    default_limit: int = 25
    max_limit: int = 500
    latency: float = 0.0
    """Seconds that every answer takes."""


class BadBodyError(Exception):
    """The body of a request cannot be used; carries the answer."""

    def __init__(self, answer: Response) -> None:
        self.answer = answer
        super().__init__("bad body")


_TRUE = ("1", "true", "True")
_FALSE = ("0", "false", "False")
_MISSING = "Not found."
_FORBIDDEN = "You do not have permission to perform this action."


class Endpoints:
    """The API over a population; every call is about one moment."""

    def __init__(self, population: Population, rules: Rules) -> None:
        self.population = population
        self.rules = rules

    def answer(self, kind: str, identity: int | None, request: Request, now: float) -> Response:
        """Answer an authorised request about a `list`, a `device` or an `operation`."""
        try:
            if kind == "list":
                return self._answer_list(request, now)
            assert identity is not None  # the other two kinds always name one
            if kind == "operation":
                return self._answer_operation(identity, request, now)
            return self._answer_device(identity, request, now)
        except BadBodyError as bad:
            return bad.answer

    def _answer_list(self, request: Request, now: float) -> Response:
        if request.method == "GET":
            return self._list(request, now)
        if request.method == "POST":
            return self._create(_body(request), now)
        return _not_allowed(request.method, "GET, POST")

    def _answer_operation(self, identity: int, request: Request, now: float) -> Response:
        if request.method != "PUT":
            return _not_allowed(request.method, "PUT")
        body = _body(request)
        device = self._device(identity, now)
        if isinstance(device, Response):
            return device
        if "operation" not in body:
            return Response(400, {"operation": ["This field is required."]})
        wanted = body["operation"]
        if not isinstance(wanted, str) or wanted not in set(Operation):
            return Response(400, {"operation": [f'"{wanted}" is not a valid choice.']})
        refusal = self._refusal(device, now)
        if refusal is not None:
            return detail(422, refusal)
        self.population.start(device, Operation(wanted), now)
        return Response(200, {"id": identity, "operation": wanted}, applied=True)

    def _answer_device(self, identity: int, request: Request, now: float) -> Response:
        if request.method not in ("GET", "PUT", "PATCH", "DELETE"):
            return _not_allowed(request.method, "GET, PUT, PATCH, DELETE")
        body = _body(request) if request.method in ("PUT", "PATCH") else {}
        device = self._device(identity, now)
        if isinstance(device, Response):
            return device
        if request.method == "GET":
            return self._read(device, request.query, now)
        if request.method == "DELETE":
            return self._delete(device)
        return self._edit(device, body, now, is_full=request.method == "PUT")

    def _device(self, identity: int, now: float) -> SimulatedDevice | Response:
        device = self.population.device(identity, now)
        if device is None:
            return detail(404, _MISSING)
        allowed = self.rules.organizations
        if allowed is not None and device.fields["organization_id"] not in allowed:
            return detail(403, _FORBIDDEN)
        return device

    def _refusal(self, device: SimulatedDevice, now: float) -> str | None:
        if not device.fields["is_active"]:
            return "The device is not active."
        if device.is_busy(now):
            return "The device is busy booting and does not accept operations now."
        return None

    def _list(self, request: Request, now: float) -> Response:
        query = request.query
        organization = _whole(query.get("organization"))
        allowed = self.rules.organizations
        if organization is not None and allowed is not None and organization not in allowed:
            return detail(403, _FORBIDDEN)
        chosen = self.population.group(allowed, organization, _whole(query.get("type")))
        status, since = query.get("status"), _moment(query.get("last_status_change_from"))
        wants_up = status in _TRUE
        if wants_up or status in _FALSE or since is not None:
            kept = []
            for device in chosen:
                device.advance(now)
                if status in _TRUE + _FALSE and device.is_up(now) is not wants_up:
                    continue
                if since is None or int(device.status_change(now)) >= since:
                    kept.append(device)
            chosen = kept
        limit = min(_whole(query.get("limit")) or self.rules.default_limit, self.rules.max_limit)
        offset = _whole(query.get("offset")) or 0
        rows = chosen[offset : offset + limit]
        for device in rows:
            device.advance(now)
        delay = 0.0
        if query.get("update_status") in _TRUE:
            delay = sum(self._refresh(device, now) for device in rows) / 10
        content = {
            "count": len(chosen),
            "next": _link(request, limit, offset + limit, offset + limit < len(chosen)),
            "previous": _link(request, limit, max(0, offset - limit), offset > 0),
            "results": [self._record(records.LISTED, each, query, now) for each in rows],
        }
        return Response(200, content, delay=delay)

    def _read(self, device: SimulatedDevice, query: Mapping[str, str], now: float) -> Response:
        delay = self._refresh(device, now) if query.get("update_status") in _TRUE else 0.0
        return Response(200, self._record(records.DETAILED, device, query, now), delay=delay)

    def _refresh(self, device: SimulatedDevice, now: float) -> float:
        """Make a connection request (api.md 2.4); give the seconds it takes to come or to fail."""
        came = device.request_connection(now)
        device.advance(now)
        chance = uniform(f"{self.population.seed}/{device.id}/refresh/{device.contacts_asked}")
        return 1.0 + chance if came else 5.0 + 3 * chance

    def _record(
        self, shape: records.Shape, device: SimulatedDevice, query: Mapping[str, str], now: float
    ) -> dict[str, object]:
        record = shape.record(device, now)
        if query.get("pending") in _TRUE:
            record["pending_settings"] = device.pending(self.rules.shows_operations)
        return record

    def _create(self, body: Mapping[str, object], now: float) -> Response:
        faults = records.faults_of(body, records.REQUIRED_TO_CREATE)
        if faults:
            return Response(400, faults)
        if self.population.has_serial(body["serial_number"]):
            return detail(409, "A device with this serial number already exists.")
        if not self._may_use(body["organization_id"]):
            return detail(403, _FORBIDDEN)
        identity = self.population.next_id()
        like = make_member(identity, self.population.seed, FleetPlan(), 1)
        fields = {
            **like.fields,
            **records.BLANK,
            "software_version": None,
            "hardware_version": None,
            "address": None,
            **_with_type_name(records.written(body)),
        }
        member = Member(identity, fields, like.temperament, None, None, 0.0)
        device = self.population.add(member, now)
        key = f"{self.population.seed}/{identity}/first_contact"
        device.connect_first(now + 20 + 280 * uniform(key))
        device.advance(now)
        return Response(201, self._with_pending(records.CREATED, device, now), applied=True)

    def _edit(
        self, device: SimulatedDevice, body: Mapping[str, object], now: float, *, is_full: bool
    ) -> Response:
        faults = records.faults_of(body, records.REQUIRED_TO_REPLACE if is_full else ())
        if faults:
            return Response(400, faults)
        fields = {
            **device.fields,
            **(records.BLANK if is_full else {}),
            **_with_type_name(records.written(body)),
        }
        if self.population.has_serial(fields["serial_number"], other_than=device.id):
            return detail(409, "A device with this serial number already exists.")
        if not self._may_use(fields["organization_id"]):
            return detail(403, _FORBIDDEN)
        asked = [flag for flag in records.FLAGS if body.get(flag) is True]
        refusal = self._refusal(device, now) if asked else None
        if refusal is not None:
            return Response(400, {"non_field_errors": [refusal]})
        self.population.edit(device, fields, now)
        device.advance(now)
        for flag in asked:
            self.population.start(device, Operation(flag), now)
        shape = records.REPLACED if is_full else records.UPDATED
        answer = self._with_pending(shape, device, now)
        answer.update(dict.fromkeys(asked, True))
        return Response(200, answer, applied=True)

    def _delete(self, device: SimulatedDevice) -> Response:
        if device.has_undelivered:
            return detail(409, "The device cannot be deleted while operations wait for it.")
        self.population.remove(device)
        return Response(204, applied=True)

    def _with_pending(
        self, shape: records.Shape, device: SimulatedDevice, now: float
    ) -> dict[str, object]:
        return self._record(shape, device, {"pending": "true"}, now)

    def _may_use(self, organization: object) -> bool:
        allowed = self.rules.organizations
        return allowed is None or organization in allowed


def _body(request: Request) -> dict[str, object]:
    try:
        body = orjson.loads(request.body)
    except orjson.JSONDecodeError as error:
        raise BadBodyError(detail(400, f"JSON parse error - {error}")) from error
    if not isinstance(body, dict):
        complaint = f"Invalid data. Expected a dictionary, but got {type(body).__name__}."
        raise BadBodyError(Response(400, {"non_field_errors": [complaint]}))
    return body


def _not_allowed(method: str, allow: str) -> Response:
    return detail(405, f'Method "{method}" not allowed.', Allow=allow)


def _whole(text: str | None) -> int | None:
    """Read a parameter as the framework does: no whole number above 0 is as if not given."""
    if text is None or not text.isascii() or not text.isdigit():
        return None
    return int(text) or None


def _moment(text: str | None) -> float | None:
    try:
        return None if text is None else moments.from_text(text)
    except ValueError:
        return None


def _link(request: Request, limit: int, offset: int, exists: bool) -> str | None:
    if not exists:
        return None
    query = {**request.query, "limit": str(limit), "offset": str(offset)}
    if offset == 0:
        del query["offset"]
    host = request.headers.get("host", "control.example.com")
    return f"http://{host}{request.path}?{urlencode(sorted(query.items()))}"


def _with_type_name(fields: dict[str, object]) -> dict[str, object]:
    if "type" in fields:
        fields["type_short_name"] = TYPE_NAMES.get(fields["type"], f"type-{fields['type']}")
    return fields
