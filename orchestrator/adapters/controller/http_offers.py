"""What the optional endpoints are asked and what they answer, read tolerantly: pure (api.md 1.8).

Little is known of their answers: whatever is not understood is left out, never guessed.
"""

import re
import urllib.parse
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from orchestrator.adapters.controller.http_answers import (
    Reply,
    UnreadableError,
    content_of,
    whole_number,
)
from orchestrator.adapters.controller.http_requests import moment_in_query
from orchestrator.model.devices import (
    Device,
    DeviceId,
    RecordError,
    as_flag,
    as_moment,
    device_from_record,
)
from orchestrator.model.readings import Testimony
from orchestrator.model.secrecy import MASK, masked

PAGE_ROWS = 200
_DEEPEST = 20
UP_TIMES = ("Device.DeviceInfo.UpTime", "InternetGatewayDevice.DeviceInfo.UpTime")

Row = Mapping[str, object]

_NAMES = ("variable_name", "parameter__variable_name", "name")
_MOMENTS = ("datetime", "date", "timestamp", "last_update", "updated")
_ERRORS = ("error", "error_code", "error_message", "fault", "fault_code", "errors")
_NO_ERRORS = frozenset({"", "0", "none", "null", "ok", "success", "false"})
_FAILED = frozenset({"error", "failed", "failure", "fault"})
_EVENT_TEXTS = ("event", "events", "event_code", "variable_name", "value", "message", "description")
_BOOT = re.compile(r"(?i)\bboot(strap)?\b")


@dataclass(frozen=True, slots=True)
class Rows:
    """One page of any listing."""

    rows: tuple[Row, ...]
    size: int
    """Rows the page held, readable or not."""
    has_next: bool
    cursor: str | None
    """The place of the next page, where the listing is paged by cursors."""


def settings_query(device: DeviceId) -> str:
    """Ask for a device's settings."""
    return f"parent_id={device}"


def variables_query(device: DeviceId, names: Sequence[str]) -> str:
    """Ask for a device's variables with their moments, all or these."""
    wanted = ",".join(urllib.parse.quote(name, safe="") for name in names)
    chosen = f"&parameter__variable_name={wanted}" if names else ""
    return f"parent_id={device}{chosen}&dates=true"


def log_query(device: DeviceId, since_at: float) -> str:
    """Ask for what the log says of a device since a moment."""
    return f"parent__id={device}&datetime__gte={moment_in_query(since_at)}"


def rows_of(reply: Reply) -> Rows:
    """Read one page: the envelope or a bare array. Raises UnreadableError.

    Of `next` only the cursor is taken: it may name another host.
    """
    content = content_of(reply)
    following: object = None
    rows = content
    if isinstance(content, dict):
        rows, following = content.get("results"), content.get("next")
    if not isinstance(rows, list):
        raise UnreadableError("the answer is no list")
    return Rows(
        rows=tuple(row for row in rows if isinstance(row, dict)),
        size=len(rows),
        has_next=bool(following) if isinstance(content, dict) else len(rows) >= PAGE_ROWS,
        cursor=_cursor(following),
    )


def device_named(
    reply: Reply, what: str, name: str, name_of: Callable[[Device], str | None]
) -> Device | None:
    """Read the one device of this serial number or name: a record, or a list with it among others.

    Raises UnreadableError when it is another device's record, or when there are several.
    """
    content = content_of(reply)
    is_list = isinstance(content, list) or (isinstance(content, dict) and "results" in content)
    records: Iterable[object] = rows_of(reply).rows if is_list else (content,)
    try:
        devices = [device_from_record(record) for record in records]
    except RecordError as error:
        raise UnreadableError(str(error)) from None
    fitting = [device for device in devices if name_of(device) == name]
    if len({device.id for device in fitting}) > 1:
        raise UnreadableError(f"there are several devices with the {what} {name!r}")
    if devices and not fitting and not is_list:
        raise UnreadableError(f"it is about {what} {name_of(devices[0])!r}, asked was {name!r}")
    return fitting[0] if fitting else None


def values_by_name(rows: Iterable[Row]) -> dict[str, object]:
    """Give settings or variables by their variable name; of secret ones only that they are set."""
    values: dict[str, object] = {}
    for row in rows:
        name = _name(row)
        if name is not None and "value" in row:
            values[name] = _veiled(name, row["value"])
    return values


def up_time_told(rows: Iterable[Row]) -> Testimony:
    """Read the count of seconds since the boot; nothing unless it is known when it was taken."""
    told = Testimony()
    for row in rows:
        seconds, at = _seconds(row.get("value")), _moment(row)
        if _name(row) not in UP_TIMES or seconds is None or at is None:
            continue
        if told.up_time_at is None or at > told.up_time_at:
            told = Testimony(up_time=seconds, up_time_at=at)
    return told


def log_told(entries: Iterable[Row], since_at: float) -> Testimony:
    """Read what became of the newest command since a moment, and whether a boot came after it."""
    applied: bool | None = None
    applied_at = 0.0
    boots: list[float] = []
    for entry in entries:
        at, action = _moment(entry), str(entry.get("action")).strip().lower()
        if at is None or at < int(since_at):
            continue
        if action == "event" and _names_boot(entry):
            boots.append(at)
        outcome = _outcome(entry) if action == "command" else None
        if outcome is not None and (applied is None or at > applied_at):
            applied, applied_at = outcome, at
    booted = True if applied and any(at > applied_at for at in boots) else None
    return Testimony(applied=applied, booted=booted)


def ids_by_name(rows: Iterable[Row]) -> dict[str, int]:
    """Give the ids of types by name and by short name; a word that means two of them is left out."""
    meanings: dict[str, set[int]] = {}
    for row in rows:
        number = whole_number(row.get("id"))
        for word in (row.get("name"), row.get("short_name")):
            if number is not None and isinstance(word, str) and word:
                meanings.setdefault(word, set()).add(number)
    return {word: next(iter(ids)) for word, ids in meanings.items() if len(ids) == 1}


def _cursor(following: object) -> str | None:
    if not isinstance(following, str):
        return None
    try:
        query = urllib.parse.urlsplit(following).query
        return urllib.parse.parse_qs(query).get("cursor", [None])[0]
    except ValueError:
        return None


def _name(row: Row) -> str | None:
    parameter = row.get("parameter")
    nested = parameter if isinstance(parameter, dict) else {}
    for name in (*(row.get(key) for key in _NAMES), *(nested.get(key) for key in _NAMES)):
        if isinstance(name, str) and name:
            return name
    return None


def _veiled(name: str, value: object, depth: int = 0) -> object:
    """Mask by the whole name and by its last part, and what is secret inside of the value."""
    value = masked(name.rpartition(".")[2], masked(name, value))
    if not isinstance(value, dict | list):
        return value
    if depth == _DEEPEST:
        return MASK
    if isinstance(value, dict):
        return {key: _veiled(str(key), inner, depth + 1) for key, inner in value.items()}
    return [_veiled("", inner, depth + 1) for inner in value]


def _moment(row: Row) -> float | None:
    for key in _MOMENTS:
        moment = as_moment(row.get(key))
        if moment is not None:
            return moment
    return None


def _seconds(value: object) -> float | None:
    if isinstance(value, float) and value >= 0:
        return value
    number = whole_number(value)
    return None if number is None else float(number)


def _outcome(entry: Row) -> bool | None:
    """Say whether a command was applied; None while it is under way, or when nobody can tell."""
    said = (str(entry.get(key)).strip().lower() for key in _ERRORS if entry.get(key))
    if any(word not in _NO_ERRORS for word in said):
        return False
    if str(entry.get("status")).strip().lower() in _FAILED:
        return False
    is_applied, is_pending = as_flag(entry.get("is_applied")), as_flag(entry.get("is_pending"))
    if is_pending or is_applied is False:
        return None
    return True if is_applied or is_pending is False else None


def _names_boot(entry: Row) -> bool:
    texts = (entry.get(key) for key in _EVENT_TEXTS)
    return any(text is not None and _BOOT.search(str(text)) for text in texts)
