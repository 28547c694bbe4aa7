"""A device of a run as people name it on the command line."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import TYPE_CHECKING

from orchestrator.model.errors import RunError

if TYPE_CHECKING:
    from orchestrator.model.devices import DeviceId
    from orchestrator.model.plans import Plan, PlannedDevice

_EXAMPLES = 5


def device_of(plan: "Plan", text: str) -> "DeviceId":
    """Find a device of a plan by its id, serial number or name, in this order, whatever the case.

    Raises RunError naming the nearest when there is none, or those that share the name.
    """
    wanted = text.strip().casefold()
    for names in (_ids, _serial_numbers, _names):
        found = [device for device, name in names(plan) if name.casefold() == wanted]
        if len(found) == 1:
            return found[0].id
        if found:
            some = ", ".join(str(device.id) for device in found[:_EXAMPLES])
            more = ", ..." if len(found) > _EXAMPLES else ""
            what = f"{len(found)} devices of the plan are called {text!r}: {some}{more}"
            raise RunError(f"{what}; name one by its id")
    raise RunError(f"no device of the plan is called {text!r}{_nearest(plan, wanted)}")


def devices_of(plan: "Plan", texts: "Iterable[str]") -> "list[DeviceId] | None":
    """Find several, each once; None when nobody is named, which means all of them."""
    found = list(dict.fromkeys(device_of(plan, text) for text in texts))
    return found or None


def _ids(plan: "Plan") -> "Iterable[tuple[PlannedDevice, str]]":
    return ((device, str(device.id)) for device in plan.devices)


def _serial_numbers(plan: "Plan") -> "Iterable[tuple[PlannedDevice, str]]":
    return ((d, d.serial_number.strip()) for d in plan.devices if d.serial_number is not None)


def _names(plan: "Plan") -> "Iterable[tuple[PlannedDevice, str]]":
    return ((device, device.name.strip()) for device in plan.devices if device.name is not None)


def _nearest(plan: "Plan", wanted: str) -> str:
    known = {
        name.casefold(): name for each in (_names, _serial_numbers, _ids) for _, name in each(plan)
    }
    close = get_close_matches(wanted, known, n=1, cutoff=0.6)
    if close:
        return f"; did you mean {known[close[0]]!r}?"
    return f"; it has {len(plan.devices):,}, by id, serial number or name"
