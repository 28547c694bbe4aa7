"""One record, grouped as a person reads it."""

from collections.abc import Iterator, Mapping, Sequence

from orchestrator.model import durations, moments
from orchestrator.model.devices import MOMENT_FIELDS, Device, as_moment
from orchestrator.model.readings import Testimony
from orchestrator.model.secrecy import masked

_GROUPS: Mapping[str, Sequence[str]] = {
    "identity": (
        "id", "serial_number", "name", "uuid", "customer_id", "type", "type_short_name",
        "manufacturer", "hardware_version", "product_class", "unique_identifier",
        "serial_number_alt", "description",
    ),
    "state": ("status", "status_change", "is_active", "debug"),
    "contacts": (
        "last_connection", "last_configuration", "last_change", "created", "update_frequency",
        "address",
    ),
    "place": (
        "organization_id", "location_name", "location_short_name", "location", "latitude",
        "longitude",
    ),
    "firmware": ("software_version", "firmware_image", "firmware_image_is_pending"),
    "pending": ("pending_settings",),
}  # fmt: skip

_Facts = list[tuple[str, str]]


def groups_of(device: Device, now: float) -> dict[str, _Facts]:
    """Give the whole record in groups, whatever nobody documents in the last one; secrets masked.

    Ages are told by `now`, the controller's clock.
    """
    fields = {**device.fields, "id": device.id}
    known = {name for names in _GROUPS.values() for name in names}
    groups = {**_GROUPS, "other": sorted(fields.keys() - known)}
    found = {
        group: [(name, _told(name, fields[name], now)) for name in names if name in fields]
        for group, names in groups.items()
    }
    return {group: facts for group, facts in found.items() if facts}


def as_object(device: Device) -> dict[str, object]:
    """Give the record for programs, secrets masked."""
    return {name: masked(name, value) for name, value in {"id": device.id, **device.fields}.items()}


def values_of(found: Mapping[str, object]) -> _Facts:
    """Give settings or variables by name, secrets masked."""
    return [(name, _text(masked(name, value))) for name, value in sorted(found.items())]


def testimony_of(told: Testimony, since: float) -> _Facts:
    """Say what the device log and the device's own count of seconds tell since a moment."""
    applied = {None: "nothing is known", True: "applied", False: "failed"}[told.applied]
    booted = {None: "nothing is known", True: "yes", False: "no"}[told.booted]
    facts = [
        ("since", moments.as_short_text(since)),
        ("last command", applied),
        ("booted after it", booted),
    ]
    if told.up_time is not None:
        facts.append(("up for", durations.as_text(told.up_time)))
    return facts


_NARROWEST_NAME = 26


def lines_of(groups: Mapping[str, _Facts]) -> Iterator[str]:
    """Give aligned lines, a head before each group."""
    for number, (group, facts) in enumerate(groups.items()):
        wide = max(_NARROWEST_NAME, *(len(name) for name, _ in facts))
        if number:
            yield ""
        yield group
        for name, told in facts:
            yield f"  {name:<{wide}}  {told}".rstrip()


def _told(name: str, value: object, now: float) -> str:
    moment = as_moment(value) if name in MOMENT_FIELDS else None
    if moment is not None:
        age = now - moment
        return f"{moments.as_short_text(moment)}, {durations.as_text(max(0.0, round(age)))} ago"
    if name == "update_frequency" and isinstance(value, int | float) and value > 0:
        return f"{value:g} s"
    return _text(masked(name, value))


def _text(value: object) -> str:
    if value is None or value == "":
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
