"""The world's answers in the words of the model, for drivers that have no HTTP between.

Every function takes the moment of asking and gives what comes back and the seconds until it does.
"""

from collections.abc import Callable, Mapping
from http import HTTPStatus

import orjson

from orchestrator.model.answers import (
    Accepted,
    Lost,
    OperationAnswer,
    Refusal,
    Refused,
    Unsent,
)
from orchestrator.model.commands import SendChange
from orchestrator.model.devices import (
    SECRET_FIELDS,
    Device,
    DeviceId,
    Status,
    as_pending,
)
from orchestrator.model.errors import (
    ControllerError,
    GoneError,
    RefusedError,
    UnauthorisedError,
    UnreachableError,
)
from orchestrator.model.moments import as_text
from orchestrator.model.operations import Action, Operation
from orchestrator.model.readings import DeviceFilter, Page, Probed, Reading
from orchestrator.model.secrecy import MASK
from orchestrator.simulator.exchange import Fate, Request, Response, from_http_date
from orchestrator.simulator.world import API, World

PATIENCE = 30.0
"""Seconds after which a client gives an answer up."""

_SUCCESS = (HTTPStatus.OK, HTTPStatus.CREATED, HTTPStatus.NO_CONTENT)
_BODIES = {each: orjson.dumps({"operation": each.value}) for each in Operation}
_REFUSALS = {
    400: Refusal.INVALID,
    401: Refusal.UNAUTHORISED,
    403: Refusal.FORBIDDEN,
    404: Refusal.GONE,
    409: Refusal.STATE,
    422: Refusal.STATE,
    429: Refusal.BUSY,
    503: Refusal.BUSY,
}
_METHODS = {
    Action.CREATE: "POST",
    Action.UPDATE: "PATCH",
    Action.UPGRADE: "PATCH",
    Action.DEACTIVATE: "PATCH",
    Action.REPLACE: "PUT",
    Action.DELETE: "DELETE",
}


def perform_operation(
    world: World,
    device: DeviceId,
    operation: Operation,
    now: float,
    *,
    token: str | None = None,
    patience: float = PATIENCE,
) -> tuple[OperationAnswer, float]:
    """Ask for an operation once and give what became of it; the right token is the default."""
    path = f"{API}inventory_device_operation/{device}/"
    response = ask(world, "PUT", path, now, body=_BODIES[operation], token=token)
    return _judged(response, patience, _operation_answer)


def perform_page(
    world: World,
    wanted: DeviceFilter,
    offset: int,
    limit: int,
    now: float,
    *,
    token: str | None = None,
    patience: float = PATIENCE,
) -> tuple[Page | ControllerError, float]:
    """Read one page with pending settings, or give the error that a caller would have met."""
    query = {**_as_query(wanted), "limit": str(limit), "offset": str(offset), "pending": "true"}
    response = ask(world, "GET", f"{API}inventory_device/", now, query=query, token=token)
    error = error_of(response, patience)
    if error is not None:
        return error, min(response.delay, patience)
    content = response.content
    assert isinstance(content, dict)  # a list that is no error has this shape
    page = Page(
        devices=tuple(_device(world, row, now) for row in content["results"]),
        count=content["count"],
        has_next=content["next"] is not None,
        rows=len(content["results"]),
        asked_at=now,
        server_at=_server_at(response),
    )
    return page, response.delay


def perform_read(
    world: World,
    device: DeviceId,
    update_status: bool,
    now: float,
    *,
    token: str | None = None,
    patience: float = PATIENCE,
) -> tuple[Reading | ControllerError, float]:
    """Read one record with pending settings, or give the error that a caller would have met."""
    query = {"pending": "true"}
    if update_status:
        query["update_status"] = "true"
    response = ask(world, "GET", f"{API}inventory_device/{device}/", now, query=query, token=token)
    return reading_of(world, response, device, now, patience)


def perform_probe(
    world: World, now: float, *, token: str | None = None, patience: float = PATIENCE
) -> tuple[Probed, float]:
    """Ask with the shortest page there is whether the controller can be used."""
    answer, delay = perform_page(world, DeviceFilter(), 0, 1, now, token=token, patience=patience)
    if isinstance(answer, ControllerError):
        refused = isinstance(answer, UnauthorisedError)
        return Probed(now, usable=False, unauthorised=refused, detail=str(answer)), delay
    return Probed(now, usable=True), delay


def perform_change(
    world: World,
    change: SendChange,
    secrets: Mapping[str, str],
    now: float,
    *,
    token: str | None = None,
    patience: float = PATIENCE,
) -> tuple[OperationAnswer, float]:
    """Make, change or delete one record once, and give what became of it (api.md 1.2 to 1.6)."""
    method = _METHODS[change.action]
    path = f"{API}inventory_device/" + ("" if change.record is None else f"{change.record}/")
    body = b"" if method == "DELETE" else orjson.dumps({**change.fields, **secrets})
    response = ask(world, method, path, now, body=body, token=token)
    return _judged(
        response, patience, lambda response: _change_answer(response, change.action, secrets)
    )


def _judged(
    response: Response, patience: float, judge: Callable[[Response], OperationAnswer]
) -> tuple[OperationAnswer, float]:
    if response.delay > patience and response.fate is not Fate.REFUSE:
        return Lost(f"no answer within {patience:g} s"), patience
    return judge(response), response.delay


def ask(
    world: World,
    method: str,
    path: str,
    now: float,
    *,
    query: Mapping[str, str] | None = None,
    body: bytes = b"",
    token: str | None,
) -> Response:
    """Put one request to a world; the right token is the default."""
    headers = {"authorization": f"Bearer {world.rules.token if token is None else token}"}
    return world.handle(Request(method, path, query or {}, headers, body), now)


def _operation_answer(response: Response) -> OperationAnswer:
    status = response.status
    lost = _unanswered(response)
    if lost is not None:
        return lost
    if status == HTTPStatus.OK:  # a body that was cut short does not undo it
        return Accepted(status, _server_at(response))
    refusal = _REFUSALS.get(status, Refusal.INVALID)
    return Refused(refusal, status, _sentence(response), _retry_after(response))


def _change_answer(
    response: Response, action: Action, secrets: Mapping[str, str]
) -> OperationAnswer:
    status = response.status
    lost = _unanswered(response)
    if lost is not None:
        return lost
    is_gone = status == HTTPStatus.NOT_FOUND and action is Action.DELETE
    if status in _SUCCESS or is_gone:
        if action is not Action.CREATE:
            return Accepted(status, _server_at(response))
        if response.raw is not None or response.fate is not Fate.ANSWER:
            return Lost("the answer that tells the new id broke off", status)
        return Accepted(status, _server_at(response), response.device)
    refusal = _REFUSALS.get(status, Refusal.INVALID)
    content = response.content
    names_fields = isinstance(content, dict) and "detail" not in content
    if (status == HTTPStatus.BAD_REQUEST and names_fields) or (
        status == HTTPStatus.CONFLICT and action is not Action.DELETE
    ):
        refusal = Refusal.REJECTED
    reason = _sentence(response)
    for secret in filter(None, secrets.values()):
        reason = reason.replace(secret, MASK)
    return Refused(refusal, status, reason, _retry_after(response))


def _unanswered(response: Response) -> Unsent | Lost | None:
    """Give what a request without a usable answer is; None when the controller said yes or no."""
    status = response.status
    if response.fate is Fate.REFUSE:
        return Unsent("the connection was refused")
    if response.fate in (Fate.CLOSE_BEFORE, Fate.CLOSE_AFTER):
        return Lost("the connection was closed before an answer came")
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR and status not in _REFUSALS:
        return Lost(_sentence(response), status)
    return None


def reading_of(
    world: World, response: Response, device: DeviceId, now: float, patience: float
) -> tuple[Reading | ControllerError, float]:
    """Give what a read of one record told: without a device when there is none."""
    delay = min(response.delay, patience)
    error = error_of(response, patience)
    if isinstance(error, GoneError):
        return Reading(device, None, now, _server_at(response)), delay
    if error is not None:
        return error, delay
    assert isinstance(response.content, dict)  # so is every single record
    found = _device(world, response.content, now)
    return Reading(found.id, found, now, _server_at(response)), delay


def _device(world: World, record: dict[str, object], now: float) -> Device:
    """Give what `device_from_record` would read, for a third of its cost."""
    identity = record["id"]
    assert isinstance(identity, int)  # the world's own record
    living = world.population.device(identity, now)
    assert living is not None  # it was just described
    for secret in SECRET_FIELDS:
        record.pop(secret, None)
    serial, name = record.get("serial_number"), record.get("name")
    return Device(
        id=DeviceId(identity),
        serial_number=serial if isinstance(serial, str) and serial.strip() else None,
        name=name if isinstance(name, str) and name.strip() else None,
        status=Status.UP if record["status"] == "Up" else Status.DOWN,
        is_active=record["is_active"] is True,
        pending=as_pending(record["pending_settings"]) if "pending_settings" in record else None,
        status_change=_moment(living.status_change(now), "status_change" in record),
        last_connection=_moment(living.last_contact, "last_connection" in record),
        last_configuration=_moment(living.last_configuration, "last_configuration" in record),
        update_frequency=None if record.get("update_frequency") is None else living.frequency,
        firmware_is_pending=(
            living.firmware_is_pending if "firmware_image_is_pending" in record else None
        ),
        fields=record,
    )


def _moment(moment: float | None, is_shown: bool) -> float | None:
    return float(int(moment)) if is_shown and moment is not None else None


def error_of(response: Response, patience: float) -> ControllerError | None:
    """Give the error that a reader would have met; None when there is an answer to read."""
    status = response.status
    if response.fate is Fate.REFUSE:
        return UnreachableError("the connection was refused")
    if response.delay > patience:
        return UnreachableError(f"no answer within {patience:g} s")
    if response.fate is not Fate.ANSWER:
        return UnreachableError("the connection was closed before an answer came")
    if status == HTTPStatus.UNAUTHORIZED:
        return UnauthorisedError(_sentence(response), status=status)
    if status == HTTPStatus.NOT_FOUND:
        return GoneError(_sentence(response), status=status)
    if status not in _SUCCESS:
        return RefusedError(_sentence(response), status=status)
    if response.raw is not None:
        return RefusedError("the answer was cut short", status=status)
    return None


def _sentence(response: Response) -> str:
    content = response.content
    if isinstance(content, dict):
        said = content.get("detail")
        if said is None:
            said = "; ".join(f"{name}: {' '.join(texts)}" for name, texts in content.items())
        return f"the controller answered {response.status}: {said}"
    return f"the controller answered {response.status}"


def _retry_after(response: Response) -> float | None:
    text = response.headers.get("Retry-After")
    if text is None:
        return None
    if text.isdigit():
        return float(text)
    return max(0.0, from_http_date(text) - _server_at(response))


def _server_at(response: Response) -> float:
    """Give the Date header as a client reads it: whole seconds."""
    return float(int(response.at))


def _as_query(wanted: DeviceFilter) -> dict[str, str]:
    query: dict[str, str] = {}
    if wanted.organization is not None:
        query["organization"] = str(wanted.organization)
    if wanted.type is not None:
        query["type"] = str(wanted.type)
    if wanted.status is not None and wanted.status is not Status.UNKNOWN:
        query["status"] = "1" if wanted.status is Status.UP else "0"
    if wanted.last_status_change_from is not None:
        text = as_text(wanted.last_status_change_from)
        query["last_status_change_from"] = f"{text[:10]} {text[11:19]}+00:00"
    return query
