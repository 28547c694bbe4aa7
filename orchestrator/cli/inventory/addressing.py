"""One device by what a person calls it: its id, its serial number or its name."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from orchestrator.model.devices import Device, DeviceId
from orchestrator.model.errors import ControllerError, RunError, UnauthorisedError, UnreachableError

if TYPE_CHECKING:
    from orchestrator.ports import Controller, Offers

_MOST_DIGITS = 15
_EXAMPLES = 10


async def find(
    controller: "Controller",
    offers: "Offers | None",
    names: Sequence[str],
    *,
    page_size: int,
) -> list[Device]:
    """Give the device that each name means, in their order, each device once.

    A word is an id if there is a device of that id, else a serial number, else a name. A name is
    looked for in every page, read once, so that a second device of that name is noticed.
    Raises RunError for a name that nobody or several have, or ControllerError.
    """
    found: dict[str, Device] = {}
    missing: list[str] = []
    for name in dict.fromkeys(name.strip() for name in names):
        device = await _asked_for(controller, offers, name)
        if device is not None:
            found[name] = device
        else:
            missing.append(name)
    if missing:
        found |= await _among_all(controller, missing, page_size)
    ordered = (found[name.strip()] for name in names)
    return list({device.id: device for device in ordered}.values())


async def _asked_for(controller: "Controller", offers: "Offers | None", name: str) -> Device | None:
    if name.isascii() and name.isdigit() and len(name) <= _MOST_DIGITS:
        reading = await controller.read_device(DeviceId(int(name)))
        if reading.device is not None:
            return reading.device
    if offers is None or not name:
        return None
    try:
        found = await offers.find_by_serial(name)
    except (UnauthorisedError, UnreachableError):
        raise
    except ControllerError:
        return None  # several of one serial number may be more than it can answer; the pages tell
    device = None if found is None else found.device
    return device if device is not None and device.serial_number == name else None


async def _among_all(
    controller: "Controller", names: Sequence[str], page_size: int
) -> dict[str, Device]:
    from orchestrator.model.readings import DeviceFilter
    from orchestrator.runtime.listing import Listing

    wanted = {name.casefold() for name in names}
    by_serial: dict[str, list[Device]] = {}
    by_name: dict[str, list[Device]] = {}
    async for page in Listing(controller, (DeviceFilter(),), page_size=page_size):
        for device in page.devices:
            for text, known in ((device.serial_number, by_serial), (device.name, by_name)):
                folded = (text or "").strip().casefold()
                if folded in wanted:
                    known.setdefault(folded, []).append(device)
    found: dict[str, Device] = {}
    for name in names:
        candidates = by_serial.get(name.casefold()) or by_name.get(name.casefold()) or []
        found[name] = only_one(name, candidates)
    return found


def only_one(name: str, candidates: Iterable[Device]) -> Device:
    """Give the one device that a name means; raises RunError when there is none, or are several."""
    devices = list(candidates)
    if len(devices) == 1:
        return devices[0]
    if not devices:
        raise RunError(f"there is no device with the id, serial number or name {name!r}")
    ids = ", ".join(_told(device) for device in devices[:_EXAMPLES])
    more = f" and {len(devices) - _EXAMPLES} more" if len(devices) > _EXAMPLES else ""
    raise RunError(f"{len(devices)} devices are called {name!r}; name one by its id: {ids}{more}")


def _told(device: Device) -> str:
    return f"{device.id} ({device.serial_number})" if device.serial_number else str(device.id)
