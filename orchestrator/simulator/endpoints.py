"""What the API answers when nothing goes wrong: both documents' endpoints (api.md 1)."""

from collections.abc import Mapping

import orjson

from orchestrator.model.operations import Operation
from orchestrator.simulator import records
from orchestrator.simulator.chance import uniform
from orchestrator.simulator.devices import SimulatedDevice
from orchestrator.simulator.exchange import Request, Response, detail
from orchestrator.simulator.fleet import TYPE_NAMES, FleetPlan, Member, make_member
from orchestrator.simulator.optional.endpoints import OptionalEndpoints
from orchestrator.simulator.population import Population
from orchestrator.simulator.queries import FALSE, TRUE, link, moment, not_allowed, span, whole
from orchestrator.simulator.rules import DEFAULT_TOKEN, Rules

__all__ = ["DEFAULT_TOKEN", "BadBodyError", "Endpoints", "Rules"]


class BadBodyError(Exception):
    """The body of a request cannot be used; carries the answer."""

    def __init__(self, answer: Response) -> None:
        self.answer = answer
        super().__init__("bad body")


_MISSING = "Not found."
_FORBIDDEN = "You do not have permission to perform this action."


class Endpoints:
    """The API over a population; every call is about one moment."""

    def __init__(self, population: Population, rules: Rules) -> None:
        self.population = population
        self.rules = rules
        self._optional = OptionalEndpoints(population, rules)

    def answer(self, kind: str, identity: int | None, request: Request, now: float) -> Response:
        """Answer an authorised request about a `list`, a `device`, an `operation` or what is optional."""
        try:
            if kind == "list":
                return self._answer_list(request, now)
            if kind == "device":
                assert identity is not None  # these two kinds always name one
                return self._answer_device(identity, request, now)
            if kind == "operation":
                assert identity is not None
                return self._answer_operation(identity, request, now)
            return self._optional.answer(kind, identity, request, now)
        except BadBodyError as bad:
            return bad.answer

    def _answer_list(self, request: Request, now: float) -> Response:
        if request.method == "GET":
            return self._list(request, now)
        if request.method == "POST":
            return self._create(_body(request), now)
        return not_allowed(request.method, "GET, POST")

    def _answer_operation(self, identity: int, request: Request, now: float) -> Response:
        if request.method != "PUT":
            return not_allowed(request.method, "PUT")
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
            return not_allowed(request.method, "GET, PUT, PATCH, DELETE")
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
        organization = whole(query.get("organization"))
        allowed = self.rules.organizations
        if organization is not None and allowed is not None and organization not in allowed:
            return detail(403, _FORBIDDEN)
        chosen = self.population.group(allowed, organization, whole(query.get("type")))
        status, since = query.get("status"), moment(query.get("last_status_change_from"))
        wants_up = status in TRUE
        if wants_up or status in FALSE or since is not None:
            kept = []
            for device in chosen:
                device.advance(now)
                if status in TRUE + FALSE and device.is_up(now) is not wants_up:
                    continue
                if since is None or int(device.status_change(now)) >= since:
                    kept.append(device)
            chosen = kept
        offset, limit = span(query, self.rules)
        rows = chosen[offset : offset + limit]
        for device in rows:
            device.advance(now)
        delay = 0.0
        if query.get("update_status") in TRUE:
            delay = sum(self.population.refresh(device, now) for device in rows) / 10
        content = {
            "count": len(chosen),
            "next": link(request, limit, offset + limit, offset + limit < len(chosen)),
            "previous": link(request, limit, max(0, offset - limit), offset > 0),
            "results": [self._record(records.LISTED, each, query, now) for each in rows],
        }
        return Response(200, content, delay=delay)

    def _read(self, device: SimulatedDevice, query: Mapping[str, str], now: float) -> Response:
        delay = 0.0
        if "update_status" in query and query["update_status"] in TRUE:
            delay = self.population.refresh(device, now)
        return Response(200, self._record(records.DETAILED, device, query, now), delay=delay)

    def _record(
        self, shape: records.Shape, device: SimulatedDevice, query: Mapping[str, str], now: float
    ) -> dict[str, object]:
        record = shape.record(device, now)
        if query.get("pending") in TRUE:
            record["pending_settings"] = device.pending(self.rules.shows_operations)
        return record

    def _create(self, body: Mapping[str, object], now: float) -> Response:
        faults = records.faults_of(body, records.REQUIRED_TO_CREATE)
        faults = faults or records.image_faults(body.get("firmware_image"), body["type"])
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
        self.population.upgrade(device, fields["firmware_image"], now)
        record = self._with_pending(records.CREATED, device, now)
        return Response(201, record, applied=True, device=identity)

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
        image = fields["firmware_image"]
        # A full replacement repeats the image that the record has anyway; that asks for nothing.
        asks_image = image != device.fields["firmware_image"] or (
            "firmware_image" in body and not is_full
        )
        faults = records.image_faults(image, fields["type"]) if asks_image else {}
        if faults:
            return Response(400, faults)
        is_new_serial = fields["serial_number"] != device.fields["serial_number"]
        if is_new_serial and self.population.has_serial(fields["serial_number"]):
            return detail(409, "A device with this serial number already exists.")
        if not self._may_use(fields["organization_id"]):
            return detail(403, _FORBIDDEN)
        asked = [flag for flag in records.FLAGS if body.get(flag) is True]
        refusal = self._refusal(device, now) if asked else None
        if refusal is not None:
            return Response(400, {"non_field_errors": [refusal]})
        self.population.edit(device, fields, now)
        device.advance(now)
        if asks_image:
            self.population.upgrade(device, image, now)
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


def _with_type_name(fields: dict[str, object]) -> dict[str, object]:
    if "type" in fields:
        fields["type_short_name"] = TYPE_NAMES.get(fields["type"], f"type-{fields['type']}")
    return fields
