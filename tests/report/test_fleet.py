"""A fleet in numbers: what is counted, in which order, and how it fits a terminal."""

import pytest

from orchestrator.report.fleet import (
    MOST_LINES,
    Census,
    Dimension,
    Picture,
    as_lines,
    as_object,
)
from tests.support.playbooks import NOW, record


def picture(*devices, by=tuple(Dimension)) -> Picture:
    census = Census(by, NOW)
    for device in devices:
        census.add(device)
    return census.picture()


def counted(by: str, *devices) -> list[tuple[str, int]]:
    (section,) = picture(*devices, by=(Dimension(by),)).sections
    return [(count.label, count.devices) for count in section.counts]


def test_devices_are_counted_by_status_and_by_what_is_pending_on_them():
    total = picture(
        record(status="Up", pending_settings="wifi"),
        record(status="Down"),
        record(status="resting", pending_settings="initial"),
    ).total

    assert (total.devices, total.up, total.down, total.unknown, total.pending) == (3, 1, 1, 1, 2)


@pytest.mark.parametrize(
    ("by", "fields", "label"),
    [
        ("type", {"type_short_name": "router", "type": 15}, "router"),
        ("type", {"type": 15}, "15"),
        ("type", {"type": None}, "unknown"),
        ("organization", {"organization_id": 123}, "123"),
        ("location", {"location_name": " Seattle "}, "Seattle"),
        ("location", {"location_name": "", "location": 7}, "7"),
        ("firmware", {"software_version": "2.5"}, "2.5"),
        ("pending", {"pending_settings": "none"}, "nothing"),
        ("pending", {"pending_settings": "wifi"}, "something"),
        ("pending", {"pending_settings": "initial"}, "first configuration"),
        ("pending", {"pending_settings": 7}, "unknown"),
        ("status", {"status": 1}, "Up"),
        ("status", {"status": "resting"}, "unknown"),
    ],
)
def test_a_device_is_counted_under_what_its_record_says(by, fields, label):
    assert counted(by, record(**fields)) == [(label, 1)]


@pytest.mark.parametrize(
    ("last", "label"),
    [
        ("2026-09-21T14:13:19Z", "< 1 h"),
        ("2026-09-21T15:00:00Z", "< 1 h"),
        ("2026-09-21T13:13:20Z", "< 1 d"),
        ("2026-09-20T14:13:20Z", "< 7 d"),
        ("2026-09-14T14:13:20Z", "older"),
        (None, "never"),
        ("", "never"),
        ("yesterday", "unknown"),
    ],
)
def test_the_last_contact_is_told_in_classes(last, label):
    assert counted("last_contact", record(last_connection=last)) == [(label, 1)]


def test_the_largest_count_comes_first_and_what_is_unknown_last():
    devices = [record(software_version=v) for v in ("1", "2", "2", None, None, None)]

    assert counted("firmware", *devices) == [("2", 2), ("1", 1), ("unknown", 3)]


def test_classes_keep_their_order():
    devices = [record(last_connection=None)] * 3 + [record()]

    assert counted("last_contact", *devices) == [("< 1 h", 1), ("never", 3)]


def test_a_dimension_asked_for_twice_is_shown_once():
    by = (Dimension.STATUS, Dimension.STATUS)

    assert len(picture(record(), by=by).sections) == 1


@pytest.mark.parametrize("columns", [40, 60, 80, 120])
def test_no_line_is_wider_than_the_terminal(columns):
    devices = [record(location_name=f"Site {'x' * i}") for i in range(60)]

    lines = as_lines(picture(*devices, by=tuple(Dimension)), columns=columns)

    assert max(map(len, lines[1:])) <= columns


def test_bars_are_drawn_in_proportion_and_whatever_there_is_gets_a_column():
    devices = [record(software_version="1")] * 99 + [record(software_version="2")]
    drawn = picture(*devices, by=(Dimension.FIRMWARE,))

    bars = [line.split()[-1] for line in as_lines(drawn, columns=80, full="#", empty="-")[3:]]

    assert bars[0] == "#" * 39 + "-"
    assert bars[1] == "#" + "-" * 39


def test_many_values_are_added_up_in_the_last_line():
    devices = [record(location_name=f"Site {i}") for i in range(100)]

    lines = as_lines(picture(*devices, by=(Dimension.LOCATION,)), columns=80)

    assert len(lines) == 3 + MOST_LINES
    assert lines[-1].startswith("89 others")
    assert lines[-1].split()[2:4] == ["89", "89"]


def test_what_a_device_calls_itself_cannot_steer_the_terminal():
    lines = as_lines(picture(record(location_name="\x1b[2Jx")), columns=80)

    assert "\x1b" not in "".join(lines)


def test_an_empty_fleet_is_a_picture_too():
    assert as_lines(picture(), columns=80)[0].startswith("0 devices: 0 Up, 0 Down")


def test_programs_are_given_every_value():
    devices = [record(location_name=f"Site {i}") for i in range(100)]

    told = as_object(picture(*devices, by=(Dimension.LOCATION,)))

    assert told["at"] == NOW
    assert len(told["by"]["location"]) == 100
    assert told["by"]["location"][0] == {
        "value": "Site 0",
        "devices": 1,
        "up": 1,
        "down": 0,
        "unknown": 0,
        "pending": 0,
    }
