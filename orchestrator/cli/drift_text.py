"""A drift as text for people and as an object for programs."""

from collections import Counter
from collections.abc import Iterator

from orchestrator.cli import screen
from orchestrator.planning.restoring.drifting import DeviceDrift, Drift

_EXAMPLES = 10


def lines(drift: Drift) -> Iterator[str]:
    """Give what deviates device by device, and the counts."""
    rows = [row for each in drift.devices for row in _rows(each)]
    if rows:
        head = ("DEVICE", "SERIAL NUMBER", "FIELD", "IS", "SHOULD BE")
        yield from screen.table(head, rows, limit=screen.width())
        yield ""
    yield summary(drift)
    for field, count in _counts(drift).most_common():
        yield f"  {count:>7,}  {field}"
    if drift.without_device:
        some = ", ".join(drift.without_device[:_EXAMPLES])
        more = ", ..." if len(drift.without_device) > _EXAMPLES else ""
        yield f"{screen.counted(len(drift.without_device), 'row')} without a device: {some}{more}"


def summary(drift: Drift) -> str:
    """Give one sentence: how many of how many deviate, and from what."""
    checked = screen.counted(drift.checked, "device")
    if not drift.devices:
        return f"None of {checked} deviates from {drift.wanted}."
    verb = "deviates" if len(drift.devices) == 1 else "deviate"
    return f"{len(drift.devices):,} of {checked} {verb} from {drift.wanted}."


def _rows(each: DeviceDrift) -> Iterator[tuple[object, ...]]:
    if each.why_gone:
        yield each.device, each.serial_number, "", "", each.why_gone
    for deviation in each.deviations:
        told = (deviation.field, deviation.shown, deviation.should)
        yield each.device, each.serial_number, *told


def _counts(drift: Drift) -> Counter[str]:
    return Counter(each.field for device in drift.devices for each in device.deviations)


def as_object(drift: Drift) -> dict[str, object]:
    """Give the same to programs."""
    return {
        "wanted": drift.wanted,
        "checked": drift.checked,
        "drifting": len(drift.devices),
        "fields": dict(_counts(drift)),
        "rows_without_device": list(drift.without_device),
        "devices": [
            {
                "device": each.device,
                "serial_number": each.serial_number,
                "name": each.name,
                "gone": each.why_gone or None,
                "deviations": [
                    {
                        "field": deviation.field,
                        "is": deviation.shown,
                        "should_be": deviation.should,
                        "remedy": deviation.remedy.value,
                    }
                    for deviation in each.deviations
                ],
            }
            for each in drift.devices
        ],
    }
