"""One member of a plan's device set, and the row of JSON that it is in a file and in memory."""

import msgspec
import orjson

from orchestrator.model.devices import DeviceId


class PlannedDevice(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """One member of the frozen device set."""

    id: DeviceId
    serial_number: str | None = None
    name: str | None = None
    groups: tuple[str, ...] = ()
    """Its group under each of the limits `max_down_per`, in their order."""
    zone: str | None = None
    """The time zone of its own window; None is the playbook's."""
    chosen_by: tuple[object, ...] = ()
    """What its record said in the plan's `attributes` when it was chosen, in their order; None is
    not known."""
    kind: str | None = None
    """Its type by name or number; devices of one type are taken to behave alike in a forecast."""
    location: str | None = None
    begins_at: int = 0
    """The step its walk begins at; above 0 only in a plan that goes on after another run."""
    unproven: bool = False
    """The run before sent it a destructive request that never was proven: what is pending now may
    be what that left behind."""
    is_new: bool = False
    """It has no record yet; its id is a provisional one until a `create` step gave it another."""
    exhausted: str | None = None
    """Why it is handed to a person at once: it had its share of operations already."""
    uses: tuple[int, ...] = ()
    """How often it had the operation of each of the playbook's allowances, in their order, before."""

    def __hash__(self) -> int:
        # What it was chosen by may be a list of the record, which has no hash.
        parts = (getattr(self, name) for name in self.__struct_fields__ if name != "chosen_by")
        return hash(tuple(parts))


_COUNTED_ANEW = ("exhausted", "uses")
"""Parts that say what earlier runs did to a device; a run made of the plan is of it all the same."""

_MAY_BE_COUNTED = tuple(f'"{name}":'.encode() for name in _COUNTED_ANEW)

_decode = msgspec.json.Decoder(PlannedDevice).decode


def row_of(device: PlannedDevice) -> bytes:
    """Give a device as one line of JSON: its parts in the order of their names, but for those that
    say nothing.
    """
    return orjson.dumps(msgspec.to_builtins(device), option=orjson.OPT_SORT_KEYS)


def device_of(row: bytes | bytearray) -> PlannedDevice:
    """Read the device of a row; raises ValueError when it does not hold one."""
    return _decode(row)


def lasting_part(row: bytes) -> bytes:
    """Give a row without what is counted anew when a run begins."""
    if not any(name in row for name in _MAY_BE_COUNTED):
        return row
    content = orjson.loads(row)
    lasting = {name: value for name, value in content.items() if name not in _COUNTED_ANEW}
    return orjson.dumps(lasting, option=orjson.OPT_SORT_KEYS)
