"""Which devices count together: under a limit `max_down_per`, and in an outage."""

from collections.abc import Sequence

from orchestrator.engine.choosing.matching import is_missing
from orchestrator.model.devices import Device
from orchestrator.model.policies import GroupLimit

UNKNOWN = "unknown"
"""What stands for a value that a record does not have: such devices form a group of their own."""


def group_of(device: Device, limit: GroupLimit) -> str:
    """Name the group of a device under a limit: its values of the limit's fields, in their order."""
    return ", ".join(_word(device.value(field)) for field in limit.fields)


def place_of(device: Device, fields: Sequence[str]) -> str | None:
    """Name where a device is by its values of some fields; None when one of them is not known."""
    values = [device.value(field) for field in fields]
    return None if any(map(is_missing, values)) else ", ".join(map(_word, values))


def _word(value: object) -> str:
    if is_missing(value):
        return UNKNOWN
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple | list):
        return "+".join(map(str, value)) or "none"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))  # JSON writes the same number in either way
    return str(value).strip()
