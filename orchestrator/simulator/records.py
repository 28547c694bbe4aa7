"""A device as JSON in every shape of the API (api.md 1.9), and what may be written to a record.

`time_zone` is no field of the documented API: it stands for the fields of their own that
controllers are given, as every unknown field has to be tolerated.
"""

from collections.abc import Callable, Mapping
from operator import itemgetter
from typing import Any

from orchestrator.simulator.devices import SimulatedDevice
from orchestrator.simulator.exchange import timestamp
from orchestrator.simulator.fleet import FIRMWARE

_LIST = """
    uuid name customer_id is_active status status_change type type_short_name software_version
    hardware_version manufacturer serial_number description organization_id location_name
    location latitude longitude time_zone address last_connection last_configuration created"""
_DETAIL = f"""{_LIST} unique_identifier product_class serial_number_alt location_short_name
    username update_frequency firmware_image firmware_image_is_pending last_change debug"""
_CREATED = """
    uuid name customer_id is_active status status_change type type_short_name serial_number
    description organization_id location_name latitude longitude username update_frequency
    created"""
_REPLACED = """
    uuid name customer_id is_active status type type_short_name serial_number description
    organization_id location_name update_frequency last_change"""
_UPDATED = "uuid name customer_id is_active status description last_change debug"

_View = Callable[[SimulatedDevice, float], object]


def _moment(moment: float | None) -> str | None:
    return None if moment is None else timestamp(int(moment))


_LIVING: Mapping[str, _View] = {
    "status": lambda device, now: "Up" if device.is_up(now) else "Down",
    "status_change": lambda device, now: _moment(device.status_change(now)),
    "last_connection": lambda device, _: _moment(device.last_contact),
    "last_configuration": lambda device, _: _moment(device.last_configuration),
    "last_change": lambda device, _: _moment(device.last_change),
    "created": lambda device, _: _moment(device.created),
    "firmware_image_is_pending": lambda device, _: device.firmware_is_pending,
}


class Shape:
    """One response shape: which fields it has beside `id` and, if asked, pending_settings."""

    def __init__(self, text: str) -> None:
        names = text.split()
        self._stored = tuple(name for name in names if name not in _LIVING)
        self._values = itemgetter(*self._stored)
        self._living = tuple((name, _LIVING[name]) for name in names if name in _LIVING)

    def record(self, device: SimulatedDevice, now: float) -> dict[str, object]:
        """Give the device as it is now; it must have been advanced."""
        record: dict[str, object] = dict(
            zip(self._stored, self._values(device.fields), strict=True)
        )
        record["id"] = device.id
        for name, view in self._living:
            record[name] = view(device, now)
        return record


LISTED = Shape(_LIST)
DETAILED = Shape(_DETAIL)
CREATED = Shape(_CREATED)
REPLACED = Shape(_REPLACED)
UPDATED = Shape(_UPDATED)

REQUIRED_TO_CREATE = ("name", "customer_id", "type", "serial_number", "organization_id")
REQUIRED_TO_REPLACE = ("name", "customer_id", "type", "organization_id")
FLAGS = ("reboot", "sync", "factory")
"""Fields of PUT and PATCH that ask for an operation (api.md 1.5)."""


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_positive(value: Any) -> bool:
    return _is_whole(value) and value > 0


def _or_null(is_good: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: value is None or is_good(value)


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


def _is_decimal(value: Any) -> bool:
    if value is None or isinstance(value, bool):
        return value is None
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True


_TEXT = (_is_text, "Not a valid string.")
_WHOLE = (_is_whole, "A valid integer is required.")
_FLAG = (_is_flag, "Must be a valid boolean.")
_DECIMAL = (_is_decimal, "A valid number is required.")

_WRITABLE: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "name": _TEXT,
    "customer_id": _TEXT,
    "is_active": _FLAG,
    "type": _WHOLE,
    "serial_number": _TEXT,
    "description": _TEXT,
    "organization_id": _WHOLE,
    "location_name": _TEXT,
    "location": (_or_null(_is_whole), _WHOLE[1]),
    "latitude": _DECIMAL,
    "longitude": _DECIMAL,
    "username": _TEXT,
    "password": _TEXT,
    "update_frequency": (
        _or_null(_is_positive),
        "Ensure this value is greater than or equal to 1.",
    ),
    "firmware_image": (_or_null(_is_whole), "Incorrect type. Expected pk value."),
    "debug": _FLAG,
    **dict.fromkeys(FLAGS, _FLAG),
}
BLANK: Mapping[str, object] = {
    "is_active": True,
    "description": "",
    "location_name": "",
    "location": None,
    "location_short_name": "",
    "latitude": None,
    "longitude": None,
    "time_zone": None,
    "username": "",
    "password": "",
    "update_frequency": 300,
    "firmware_image": None,
    "debug": False,
}
"""What a field becomes when a full replacement does not give it (api.md 1.4)."""


def faults_of(body: Mapping[str, object], required: tuple[str, ...]) -> dict[str, list[str]]:
    """Name what is wrong with a body as the framework does; unknown fields are ignored."""
    faults = {name: ["This field is required."] for name in required if name not in body}
    for name, value in body.items():
        if name in _WRITABLE:
            is_good, complaint = _WRITABLE[name]
            if not is_good(value):
                faults[name] = [complaint]
            elif name in required and value == "":
                faults[name] = ["This field may not be blank."]
    return faults


def image_faults(image: object, type_id: object) -> dict[str, list[str]]:
    """Name what is wrong with a firmware image for a type of device: empty when it is known or null."""
    if image is None:
        return {}
    assert isinstance(image, int)  # `faults_of` has seen to it
    if image not in FIRMWARE:
        return {"firmware_image": [f'Invalid pk "{image}" - object does not exist.']}
    if FIRMWARE[image][0] != type_id:
        return {"firmware_image": ["This image is for devices of another type."]}
    return {}


def written(body: Mapping[str, object]) -> dict[str, object]:
    """Give the part of a sound body that is kept on the record: no flags, decimals as text."""
    kept: dict[str, object] = {}
    for name, value in body.items():
        if name in ("latitude", "longitude"):
            kept[name] = None if value is None else str(value)
        elif name in _WRITABLE and name not in FLAGS:
            kept[name] = value
    return kept
