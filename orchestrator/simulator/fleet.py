"""The records and temperaments a world begins with, the same for the same seed."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Self, TypeVar

from orchestrator.simulator.chance import salt, uniforms
from orchestrator.simulator.temperaments import NORMAL_MIX, TEMPERAMENTS, Temperament, drawn

FIRST_ID = 1001

UNSAID_FREQUENCY = 300
"""Seconds between the contacts of a device whose record does not say it."""

_Choice = TypeVar("_Choice")


@dataclass(frozen=True, slots=True)
class Member:
    """One device as the world begins; ages are seconds before the start."""

    id: int
    fields: Mapping[str, object]
    """What the record holds and time does not move, username and password included."""
    temperament: Temperament
    contact_age: float | None
    """Since its last contact; None: it never connected and waits for its initial configuration."""
    configuration_age: float | None
    created_age: float
    pending: tuple[str, ...] = ()
    is_down: bool = False
    returns_after: float | None = None
    """When a device that is down from the start contacts again; None: not in this world."""


@dataclass(frozen=True, slots=True)
class FleetPlan:
    """What a fleet is made of: shares between 0 and 1, drawn for each device."""

    down: float = 0.03
    """Down from the start; half of them contact again within hours."""
    inactive: float = 0.01
    initial: float = 0.01
    """Never connected."""
    pending: float = 0.05
    """With settings that wait to be applied."""
    unpaced: float = 0.06
    """Whose records do not say how often they make contact (api.md 2.5); they do every 300 s."""
    mix: Mapping[str, float] = field(default_factory=lambda: NORMAL_MIX)
    temperaments: Mapping[int, str | Temperament] = field(default_factory=dict)
    """Overrides for single device ids."""
    organizations: tuple[int, ...] = (123, 456)
    frequencies: tuple[int, ...] = (60, 120, 300)

    @classmethod
    def plain(cls, temperament: str = "fast") -> Self:
        """Give a fleet of healthy devices that all behave alike."""
        return cls(down=0, inactive=0, initial=0, pending=0, unpaced=0, mix={temperament: 1.0})

    def with_temperaments(self, temperaments: Mapping[int, str | Temperament]) -> Self:
        """Give the same plan with single devices that behave as told."""
        return replace(self, temperaments={**self.temperaments, **temperaments})


TYPES = (
    (15, "router-a", "Norvik", "NR-200", ("2.1.8", "2.3.0", "2.4.1", "2.5.0", "2.6.2")),
    (16, "router-b", "Norvik", "NR-400", ("2.2.4", "2.4.1", "2.4.10", "2.5.3")),
    (21, "gateway-c", "Calderon", "GX-10", ("1.9.2", "2.0.0", "2.6.0")),
    (34, "access-point-d", "Helmsley", "AP-7", ("2.4.9", "2.5.0", "3.0.1")),
)
TYPE_NAMES: Mapping[object, str] = {each[0]: each[1] for each in TYPES}
"""Short names of device types by their number."""
FIRMWARE: Mapping[int, tuple[int, str]] = {
    55: (15, "2.6.2"),
    155: (15, "2.7.0"),
    255: (15, "2.5.0"),
    56: (16, "2.5.3"),
    156: (16, "2.7.0"),
    256: (16, "2.4.10"),
    61: (21, "2.6.0"),
    161: (21, "2.7.0"),
    261: (21, "2.0.0"),
    74: (34, "3.0.1"),
    174: (34, "3.1.0"),
    274: (34, "2.5.0"),
}
"""Firmware images: the type each is for, and the version it brings.

40 + type stands in the records from the beginning; 140 + type is newer than what any device
runs, 240 + type is an older one.
"""
_CITIES = (
    ("Seattle", 47.6062, -122.3321, "America/Los_Angeles"),
    ("Portland", 45.5152, -122.6784, "America/Los_Angeles"),
    ("Denver", 39.7392, -104.9903, "America/Denver"),
    ("Austin", 30.2672, -97.7431, "America/Chicago"),
    ("Boise", 43.6150, -116.2023, "America/Boise"),
    ("Phoenix", 33.4484, -112.0740, "America/Phoenix"),
)
_SETTINGS = ("wifi_config", "port_forwarding", "dns_servers", "ntp_servers")
_DAY = 86400.0
_RETURNING = 0.5
"""Share of the devices that are down from the start which contact again."""


def make_fleet(count: int, seed: int, plan: FleetPlan | None = None) -> tuple[Member, ...]:
    """Give that many devices with ids from 1001; raises KeyError for an unknown temperament."""
    plan = plan or FleetPlan()
    locations = max(1, round(count / 20))
    return tuple(
        make_member(identity, seed, plan, locations)
        for identity in range(FIRST_ID, FIRST_ID + count)
    )


def make_member(identity: int, seed: int, plan: FleetPlan, locations: int) -> Member:
    """Give the one device that this seed has under this id."""
    chances = uniforms(f"{seed}/{identity}/fleet")
    is_paced = uniforms(f"{seed}/{identity}/pace")[0] >= plan.unpaced
    frequency = _pick(plan.frequencies, chances[0]) if is_paced else UNSAID_FREQUENCY
    is_initial = chances[1] < plan.initial
    is_down = not is_initial and chances[2] < plan.down
    fields = _fields(identity, seed, plan, locations, chances)
    fields["update_frequency"] = frequency if is_paced else None
    fields["is_active"] = chances[3] >= plan.inactive
    override = plan.temperaments.get(identity)
    if isinstance(override, str):
        override = TEMPERAMENTS[override]
    pending: tuple[str, ...] = ()
    if chances[4] < plan.pending and not is_initial:
        first = int(chances[5] * len(_SETTINGS))
        pending = _SETTINGS[first : first + 2]
    return Member(
        id=identity,
        fields=fields,
        temperament=override or drawn(plan.mix, chances[6]),
        contact_age=_contact_age(frequency, chances[7], is_initial, is_down),
        configuration_age=None if is_initial else (1 + 60 * chances[8]) * _DAY,
        created_age=(70 + 400 * chances[9]) * _DAY,
        pending=pending,
        is_down=is_down,
        returns_after=600 + chances[10] * 20000 if is_down and chances[11] < _RETURNING else None,
    )


def _contact_age(frequency: int, chance: float, is_initial: bool, is_down: bool) -> float | None:
    if is_initial:
        return None
    return (0.2 + 20 * chance) * _DAY if is_down else frequency * chance


def _pick(choices: tuple[_Choice, ...], chance: float) -> _Choice:
    return choices[int(chance * len(choices))]


def _fields(
    identity: int, seed: int, plan: FleetPlan, locations: int, chances: list[float]
) -> dict[str, object]:
    type_id, type_name, manufacturer, model, versions = _pick(TYPES, chances[12])
    location = int(chances[13] * locations)
    city, latitude, longitude, zone = _CITIES[location % len(_CITIES)]
    bits = salt(f"{seed}/{identity}/names")
    serial = f"ZN{2024000000 + identity - 1000:010d}"
    secret = f"{bits:016x}"
    return {
        "uuid": f"{secret[:8]}-{secret[8:12]}-4{secret[12:15]}-8{secret[:3]}-{identity:012x}",
        "name": f"{type_name}-{identity}",
        "customer_id": f"CUST-{identity - 1000:05d}",
        "is_active": True,
        "type": type_id,
        "type_short_name": type_name,
        "software_version": _pick(versions, chances[14]),
        "hardware_version": f"{model}.{1 + bits % 3}",
        "manufacturer": manufacturer,
        "serial_number": serial,
        "unique_identifier": f"{manufacturer[:3].upper()}{bits % 0xFFFFFF:06X}-{serial}",
        "product_class": model,
        "serial_number_alt": f"{manufacturer[0]}{bits % 10**9:09d}",
        "description": f"{manufacturer} {model} in {city}",
        "organization_id": _pick(plan.organizations, chances[15]),
        "location_name": f"{city} Branch {location // len(_CITIES) + 1}",
        "location": 500 + location,
        "location_short_name": f"{city.lower()}-{location // len(_CITIES) + 1}",
        "latitude": f"{latitude + (bits % 1000) / 10000:.6f}",
        "longitude": f"{longitude + (bits // 1000 % 1000) / 10000:.6f}",
        "time_zone": zone,
        "address": f"10.{identity >> 16 & 255}.{identity >> 8 & 255}.{identity & 255}",
        "username": f"cpe-{identity}",
        "password": secret,
        "update_frequency": 300,
        "firmware_image": 40 + type_id,
        "debug": False,
    }
