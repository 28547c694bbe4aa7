"""A run's devices as CSV: a row each, and nothing that a spreadsheet would run."""

import csv
import io

import pytest

from orchestrator.model.devices import DeviceId
from orchestrator.model.plans import PlannedDevice
from orchestrator.report.exports.as_csv import COLUMNS, as_csv
from tests.support.histories import finished, run_started
from tests.support.reported import careful_report, hostile_report, reported


def rows(report):
    return list(csv.DictReader(io.StringIO("".join(as_csv(report)), newline="")))


def test_the_columns_are_the_ones_that_people_rely_on():
    assert ",".join(COLUMNS) == (
        "device,serial_number,name,location,verdict,step,reason,began,ended,seconds,attempts,record,"
        "status_before,status_change_before,last_connection_before,pending_before"
    )


def test_every_device_has_a_row():
    found = rows(careful_report())

    assert [row["device"] for row in found] == [str(number) for number in range(1, 21)]
    assert found[4] == {
        "device": "5",
        "serial_number": "ZN5",
        "name": "branch 5",
        "location": "",
        "verdict": "unconfirmed",
        "step": "step 1 (factory)",
        "reason": "no return within 20m",
        "began": "2026-11-22T04:27:42.250000Z",
        "ended": "2026-11-22T04:30:20.250000Z",
        "seconds": "158.0",
        "attempts": "2",
        "record": "5",
        "status_before": "Up",
        "status_change_before": "",
        "last_connection_before": "2026-11-22T04:14:00.250000Z",
        "pending_before": "wifi_ssid",
    }


def test_what_is_not_known_is_an_empty_cell():
    last = rows(careful_report())[-1]

    assert (last.pop("device"), last.pop("record")) == ("20", "20")
    assert (last.pop("serial_number"), last.pop("name"), last.pop("attempts")) == (
        "ZN20",
        "branch 20",
        "0",
    )
    assert set(last.values()) == {""}


@pytest.mark.parametrize(
    "name",
    [
        *("=1+1", "+1", "-1", "@SUM(A1)", " =1+1", "\t=1+1", "\r\n=1+1"),
        *("\N{FULLWIDTH EQUALS SIGN}1", "\N{FULLWIDTH PLUS SIGN}1"),
        *("\N{FULLWIDTH HYPHEN-MINUS}1", "\N{FULLWIDTH COMMERCIAL AT}a"),
    ],
    ids=ascii,
)
def test_text_never_begins_a_formula(name):
    device = PlannedDevice(DeviceId(1), name, name, location=name)
    report = reported(run_started(), finished(1, reason=name), planned={1: device})

    (row,) = rows(report)

    cells = (row["serial_number"], row["name"], row["location"], row["reason"])
    assert all(cell.startswith("'") for cell in cells)


def test_a_hostile_name_stays_in_its_cell_and_steers_no_terminal():
    text = "".join(as_csv(hostile_report()))
    first, second = rows(hostile_report())

    assert text.replace("\r\n", "").isprintable()
    assert len(text.splitlines()) == 3
    assert first["name"].startswith("<script>alert('x')</script> | `rm -rf`")
    assert (first["verdict"], second["verdict"]) == ("failed", "skipped")
