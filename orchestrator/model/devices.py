"""A device as the inventory describes it, read tolerantly from untrusted records (api.md 1.9)."""

from collections.abc import Mapping
from enum import StrEnum
from functools import lru_cache
from typing import NewType

from msgspec import Struct

from orchestrator.model import moments

DeviceId = NewType("DeviceId", int)

SECRET_FIELDS = frozenset({"username", "password"})
"""Fields that are dropped at the door: no record, journal, log or report ever holds them."""

MOMENT_FIELDS = frozenset(
    {"status_change", "last_connection", "last_configuration", "last_change", "created"}
)

DETAIL_ONLY_FIELDS = frozenset(
    {
        "unique_identifier",
        "product_class",
        "serial_number_alt",
        "location_short_name",
        "update_frequency",
        "firmware_image",
        "firmware_image_is_pending",
        "last_change",
        "debug",
    }
)
"""Fields that list pages lack (api.md 1.9): conditions on them need every record read in full."""


WRITABLE_FIELDS = (
    "name",
    "customer_id",
    "is_active",
    "type",
    "serial_number",
    "description",
    "organization_id",
    "location_name",
    "location",
    "latitude",
    "longitude",
    "username",
    "password",
    "update_frequency",
    "debug",
    "firmware_image",
)
"""What a change of a record may write (api.md 1.2, 1.4, 1.5), in the order in which it is shown."""


class Status(StrEnum):
    """What the controller believes of a device's reachability; often stale (api.md 2.2)."""

    UP = "Up"
    DOWN = "Down"
    UNKNOWN = "Unknown"


class Device(Struct, frozen=True):
    """One inventory record. None always means unknown; an unknown never satisfies a positive condition."""

    id: DeviceId
    serial_number: str | None
    name: str | None
    status: Status
    is_active: bool | None
    pending: tuple[str, ...] | None
    """Names of pending settings; () is clear, None is not known."""
    status_change: float | None
    last_connection: float | None
    last_configuration: float | None
    update_frequency: float | None
    """Seconds between the device's periodic contacts; only the detail shape has it."""
    firmware_is_pending: bool | None
    """Only the detail shape says it."""
    fields: Mapping[str, object]
    """The whole record as it came, without the secret fields."""

    def value(self, field: str) -> object:
        """Give a field as conditions compare it: parsed where it has a meaning of its own, else as it came."""
        if field == "status":
            return None if self.status is Status.UNKNOWN else self.status
        if field == "pending_settings":
            return self.pending
        if field == "is_active":
            return self.is_active
        raw = self.fields.get(field)
        if field in MOMENT_FIELDS:
            return as_moment(raw)
        return raw


class RecordError(ValueError):
    """A row of the controller's answer is not a device record."""


def device_from_record(record: object) -> Device:
    """Read one record of any response shape; every field except `id` may be missing, unknown ones are kept.

    Raises RecordError when there is no usable id.
    """
    if type(record) is not dict and not isinstance(record, Mapping):
        raise RecordError(f"a device record is a JSON object, this is {type(record).__name__}")
    identity = record.get("id")
    if type(identity) is not int or not 0 <= identity <= _LARGEST_ID:
        identity = _as_identity(identity)
    fields: dict[str, object] = dict(record)
    for secret in SECRET_FIELDS:
        fields.pop(secret, None)
    get = fields.get
    return Device(
        DeviceId(identity),
        _as_name(get("serial_number")),
        _as_name(get("name")),
        as_status(get("status")),
        as_flag(get("is_active")),
        as_pending(fields["pending_settings"]) if "pending_settings" in fields else None,
        as_moment(get("status_change")),
        as_moment(get("last_connection")),
        as_moment(get("last_configuration")),
        _as_seconds(get("update_frequency")),
        as_flag(get("firmware_image_is_pending")),
        fields,
    )


_LARGEST_ID = (1 << 63) - 1
_MOST_DIGITS = len(str(_LARGEST_ID))


def _as_identity(value: object) -> int:
    if (
        isinstance(value, str)
        and len(value) <= _MOST_DIGITS
        and value.isascii()
        and value.isdigit()
    ):
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise RecordError(f"a device record needs a whole number as id, this has {value!r}")
    if value > _LARGEST_ID:
        raise RecordError(f"a device's id has at most 64 bits, this is {value}")
    return value


_TRUE = frozenset({"up", "true", "1", "yes", "on"})
_FALSE = frozenset({"down", "false", "0", "no", "off"})


def as_status(value: object) -> Status:
    """Read a status in any of its documented forms; whatever else is Unknown, never Up."""
    flag = _flag_in(value) if type(value) is str else as_flag(value)
    if flag is None:
        return Status.UNKNOWN
    return Status.UP if flag else Status.DOWN


def as_flag(value: object) -> bool | None:
    """Read a boolean in any of its documented forms; None when it is none of them."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _flag_in(value)
    if isinstance(value, int | float) and value in (0, 1):
        return bool(value)
    return None


# One text stands in very many rows, and every poll brings the rows again.
@lru_cache(maxsize=256)
def _flag_in(text: str) -> bool | None:
    word = text.strip().lower()
    if word in _TRUE:
        return True
    return False if word in _FALSE else None


def as_pending(value: object) -> tuple[str, ...] | None:
    """Read pending settings that were asked for: () is clear, None is a form nobody knows."""
    if value is None or value is False:
        return ()
    if value is True:
        return ("something",)
    if isinstance(value, str):
        return _pending_in(value)
    if isinstance(value, list | tuple):
        if all(isinstance(item, str) for item in value):
            return tuple(item for item in value if item.strip())
        return tuple(str(item) for item in value)
    return None


@lru_cache(maxsize=1024)
def _pending_in(text: str) -> tuple[str, ...]:
    word = text.strip().lower()
    if word in ("", "none", "null", "false"):
        return ()
    if word == "true":
        return ("something",)
    return tuple(part for part in (part.strip() for part in text.split(",")) if part)


def as_moment(value: object) -> float | None:
    """Read a timestamp in any known form; None when it is missing, null or unreadable."""
    return _moment_in(value) if isinstance(value, str) else None


@lru_cache(maxsize=4096)
def _moment_in(text: str) -> float | None:
    try:
        return moments.from_text(text)
    except ValueError:
        return None


def _as_name(value: object) -> str | None:
    if isinstance(value, str) and value.strip():
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return None


def _as_seconds(value: object) -> float | None:
    if value is None:
        return None
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return None
    if isinstance(value, int | float) and not isinstance(value, bool) and value > 0:
        return float(value)
    return None
