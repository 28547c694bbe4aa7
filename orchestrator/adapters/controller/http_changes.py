"""Changes of records as requests, and what their answers mean: pure (api.md 1.2 to 1.6)."""

import json
from collections.abc import Iterable, Mapping

from orchestrator.adapters.controller import http_answers
from orchestrator.adapters.controller.http_answers import Reply, UnreadableError, hidden
from orchestrator.model.answers import Accepted, Lost, OperationAnswer, Refusal, Refused, Unsent
from orchestrator.model.commands import SendChange
from orchestrator.model.operations import Action
from orchestrator.model.secrecy import is_secret

METHODS = {
    Action.CREATE: "POST",
    Action.UPDATE: "PATCH",
    Action.UPGRADE: "PATCH",
    Action.DEACTIVATE: "PATCH",
    Action.REPLACE: "PUT",
    Action.DELETE: "DELETE",
}

_BAD_REQUEST = 400
_CONFLICT = 409
_GONE = (404, 410)


def path_of(change: SendChange) -> str:
    """Give the path below `/inventory_device/`: nothing for a creation, else the record's."""
    if change.action is Action.CREATE:
        return ""
    assert change.record is not None  # only what is to be created has no record yet
    return f"{change.record}/"


def body_of(change: SendChange, secrets: Mapping[str, str]) -> bytes | Unsent:
    """Write the fields and the secret values as JSON; Unsent when a secret value is missing
    or a value cannot be written, so that nothing goes out that would blank a field.
    """
    if change.action is Action.DELETE:
        return b""
    missing = sorted(change.secrets.keys() - secrets.keys())
    if missing:
        return Unsent(f"not sent: there is no value for {', '.join(missing)}")
    fields = {**change.fields, **secrets}
    try:
        # Unlike orjson it writes whole numbers of any size, and no null for a float that is none.
        return json.dumps(fields, allow_nan=False, separators=(",", ":")).encode()
    except (ValueError, TypeError):
        pass
    return Unsent("not sent: a value of the change cannot be written as JSON")


def secrets_of(change: SendChange, secrets: Mapping[str, str]) -> tuple[str, ...]:
    """Give every value of a change that no text may repeat."""
    told = (str(value) for name, value in change.fields.items() if value and is_secret(name))
    return (*secrets.values(), *told)


def change_answer(reply: Reply, change: SendChange, secrets: Iterable[str] = ()) -> OperationAnswer:
    """Say what became of a change (design 6.4); `secrets` are hidden in every text.

    A creation without a readable id is in doubt, because nobody knows whom it made. A record
    that is gone already needs no deletion.
    """
    if reply.is_success:
        return _taken(reply, change, secrets)
    if change.action is Action.DELETE and reply.status in _GONE:
        return Accepted(reply.status, reply.server_at)
    reason = http_answers.sentence(reply, secrets)
    refusal = _refusal(reply.status, change)
    if refusal is None:
        return Lost(reason, reply.status)
    return Refused(refusal, reply.status, reason, reply.retry_after)


def _taken(reply: Reply, change: SendChange, secrets: Iterable[str]) -> OperationAnswer:
    try:
        record = http_answers.one_device(reply).id
    except UnreadableError:
        record = None
    if change.action is Action.CREATE:
        if record is None:
            said = "the controller took the new record, but its answer does not tell the id"
            return Lost(said, reply.status)
        return Accepted(reply.status, reply.server_at, record)
    if record not in (None, change.record):
        said = f"the controller answered for device {record}, asked was {change.record}"
        return Lost(hidden(said, secrets), reply.status)
    return Accepted(reply.status, reply.server_at)


def _refusal(status: int, change: SendChange) -> Refusal | None:
    """Give the class of a status that is no success; None is in doubt."""
    may_clash = change.action is Action.CREATE or "serial_number" in change.fields
    if status == _BAD_REQUEST or (status == _CONFLICT and may_clash):
        return Refusal.REJECTED  # other devices get other values
    if status in _GONE:
        return Refusal.GONE
    return http_answers.refusal_of(status)
