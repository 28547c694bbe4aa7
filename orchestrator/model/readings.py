"""What reading from the controller yields: records with the moments at which they were true."""

from collections.abc import Mapping
from dataclasses import dataclass

from msgspec import Struct, field

from orchestrator.model.devices import Device, DeviceId, Status
from orchestrator.model.snapshots import Extras


@dataclass(frozen=True, slots=True)
class DeviceFilter:
    """The documented server-side filters of one listing (api.md 1.1), and nothing else."""

    organization: int | None = None
    type: int | None = None
    status: Status | None = None
    last_status_change_from: float | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a listing."""

    devices: tuple[Device, ...]
    count: int | None
    """Devices in the whole listing; None when the answer was a bare array."""
    has_next: bool
    rows: int
    """Rows the page held, readable or not."""
    asked_at: float
    """Our clock when the request left."""
    server_at: float
    """The controller's clock when it answered (its Date header; ours where it sends none)."""
    unreadable: tuple[str, ...] = ()
    """One sentence for each row that is not a device record."""


@dataclass(frozen=True, slots=True)
class Testimony:
    """What the optional witnesses say of a device since a moment; None where nothing is offered or known."""

    up_time: float | None = None
    """Seconds since it booted, counted by the device, at `up_time_at`."""
    up_time_at: float | None = None
    """The controller's clock when the value was taken."""
    applied: bool | None = None
    """The log says that a command since then was applied (True) or failed (False)."""
    booted: bool | None = None
    """The log shows a boot after that."""


class Reading(Struct, frozen=True):
    """One device as the controller described it at one moment."""

    device_id: DeviceId
    device: Device | None
    """None: the controller says there is no such device."""
    asked_at: float
    server_at: float
    is_detail: bool = True
    """False when it came from a list page, which lacks the detail-only fields."""
    step: int | None = None
    """The step it was prepared for; None when it was only read."""
    extras: Extras | None = None
    fingerprints: Mapping[str, str] = field(default_factory=dict)
    """Of the secret values that were made and stored for that step, by field."""
    testimony: Testimony | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """A device looked for by its serial number; `reading.device` is None when there is none."""

    device_id: DeviceId
    """As the run names it."""
    reading: Reading


@dataclass(frozen=True, slots=True)
class ReadingFailed:
    """A read that brought nothing; the controller's or the network's trouble, not the device's."""

    device_ids: tuple[DeviceId, ...]
    reason: str
    unreachable: bool = False
    """No connection could be made at all."""
    unauthorised: bool = False
    """The token was not accepted."""
    unprepared: bool = False
    """What its next step needs could not be made or stored; the device is not touched."""


@dataclass(frozen=True, slots=True)
class Probed:
    """The controller was asked, with the cheapest read there is, whether it can be used."""

    asked_at: float
    usable: bool
    unauthorised: bool = False
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Census:
    """Every device that was Down where the run works; `devices` is None when it could not be read."""

    asked_at: float
    devices: tuple[Device, ...] | None
    failure: ReadingFailed | None = None


@dataclass(frozen=True, slots=True)
class DevicesHeld:
    """What became of taking devices for this run."""

    at: float
    held: tuple[DeviceId, ...]
    elsewhere: tuple[tuple[DeviceId, str], ...] = ()
    """Devices that another run holds, each with a sentence's worth of who that is."""
    alone: bool = True
    """No other run works, or worked just now, against this controller on this machine: records
    read before the devices were taken are good."""


Observation = Reading | Found | ReadingFailed | Probed | Census | DevicesHeld
