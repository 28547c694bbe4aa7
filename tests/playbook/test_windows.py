"""When devices may be started: what may stand under `window`, and what contradicts itself."""

from datetime import date, datetime

import pytest
import yaml
from jsonschema import Draft202012Validator

from orchestrator.model.devices import DETAIL_ONLY_FIELDS
from orchestrator.model.errors import PlaybookError
from orchestrator.model.windows import Blackout, Window
from orchestrator.playbook.composing import Scalar, compose
from orchestrator.playbook.faults import Faults, Place
from orchestrator.playbook.language import json_schema
from orchestrator.playbook.shapes import Spot
from orchestrator.playbook.windows import WINDOW, check_window, window_of

SATURDAYS = {"opens": '"0 1 * * sat"', "lasts": "4h", "timezone": "America/Mexico_City"}
SCHEMA = {**WINDOW.schema(), "$defs": json_schema()["$defs"]}


def text_of(**keys):
    """Write a window that is right but for the keys that are given; None takes one away."""
    written = {**SATURDAYS, **keys}
    return "".join(f"{key}: {value}\n" for key, value in written.items() if value is not None)


def read(text):
    """Give what was read and what was wrong."""
    faults = Faults("branch.yaml", text)
    node = compose(text, faults)
    assert node is not None
    spot = Spot(node, "window", node.place, faults, lambda name: "")
    values = WINDOW.read(spot)
    if isinstance(values, dict):
        check_window(spot, values)
    try:
        faults.raise_if_any()
    except PlaybookError as error:
        return values, list(error.faults)
    return values, []


def window(**keys):
    values, faults = read(text_of(**keys))
    assert faults == []
    return window_of(values)


def fault(**keys):
    _, faults = read(text_of(**keys))
    assert len(faults) == 1, [found.message for found in faults]
    return faults[0]


def test_the_necessary_keys_are_enough_and_what_fits_is_the_cutoff():
    assert window() == Window("0 1 * * sat", 14_400.0, "America/Mexico_City")


def test_every_key_reaches_the_window():
    assert window(
        opens="2026-12-05T01:00",
        cutoff="30m",
        blackout="[2026-12-24, {from: 2026-12-30, to: 2027-01-02}]",
        timezone_field="location_timezone",
    ) == Window(
        datetime(2026, 12, 5, 1, 0),  # noqa: DTZ001 - on the clock of the zone beside it
        14_400.0,
        "America/Mexico_City",
        1800.0,
        (
            Blackout(date(2026, 12, 24), date(2026, 12, 24)),
            Blackout(date(2026, 12, 30), date(2027, 1, 2)),
        ),
        "location_timezone",
    )


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("0 1 * * sat", "0 1 * * sat"),
        ("'*/15  0-4 1,15 JAN-mar *'", "*/15 0-4 1,15 JAN-mar *"),
        ("0 1 L * 5#2", "0 1 L * 5#2"),
        ("' 0 1 LW 2 7 '", "0 1 LW 2 7"),
        ("0 1 29 2 *", "0 1 29 2 *"),
    ],
)
def test_a_cron_expression_is_kept_with_single_spaces(written, meant):
    assert window(opens=written).opens == meant


@pytest.mark.parametrize(
    "written",
    ["2026-12-05T01:30", "2026-12-05 01:30", "'2026-12-05T01:30:00'", "2026-12-05t01:30"],
)
def test_one_date_time_is_a_window_that_opens_once(written):
    assert window(opens=written).opens == datetime(2026, 12, 5, 1, 30)  # noqa: DTZ001


@pytest.mark.parametrize(
    ("written", "message", "hint"),
    [
        ('"61 1 * * *"', "'61' is no minute of a cron", "0 to 59"),
        ('"0 24 * * *"', "'24' is no hour of a cron", "0 to 23"),
        ('"0 1 0 * *"', "'0' is no day of the month of a cron", "1 to 31"),
        ('"0 1 * 13 *"', "'13' is no month of a cron", "jan to dec"),
        ('"0 1 * * satday"', "'satday' is no day of the week of a cron", "sun to sat"),
        ('"0 1 * * fri-mon"', "'fri-mon' is no day of the week", "sun to sat"),
        ('"*/0 1 * * *"', "'*/0' is no minute", "0 to 59"),
        ('"0 1 31 2,4 *"', "never comes", "a day that one of the months has"),
        ('"0 0 1 * * sat"', "6 fields, and a cron expression here has no seconds", "write five"),
        ('"0 1 * *"', "has 4 fields, a cron expression has 5", "write five"),
        ('"0 0 1 * * sat 2026"', "has 7 fields", "write five"),
        ('"@Daily"', "@Daily is no cron expression here", '"0 0 * * *"'),
        ('"01:00"', "neither a cron expression nor a date-time", "2026-12-05T01:00"),
        ("''", "neither a cron expression nor a date-time", "2026-12-05T01:00"),
        ("2026-12-05", "has no time of day", "2026-12-05T01:00"),
        ("2026-12-05T01:00Z", "has a zone of its own", "without a zone"),
        ("2026-12-05 01:00:00 +01:00", "has a zone of its own", "without a zone"),
        ("2026-02-30T01:00", "no such date or time as 2026-02-30", "date-time"),
        ("2026-12-05T24:30", "no such date or time", "date-time"),
        ("2026-12-5T1:00", "'2026-12-5T1:00' is not a date-time", "2026-12-05T01:00"),
        ("[1]", "found a list", ""),
        ("", "no value", ""),
        (f'"{"1," * 200}1 1 * * *"', "longer than 200", "cron"),
    ],
)
def test_a_window_that_cannot_open_says_what_is_wrong_with_it(written, message, hint):
    found = fault(opens=written)

    assert found.key == "window.opens"
    assert message in found.message
    assert hint in found.hint


@pytest.mark.parametrize("name", ["America/Mexico_City", "UTC", "Asia/Kolkata", "Etc/GMT+6"])
def test_every_zone_of_the_world_can_be_named(name):
    assert window(timezone=name).timezone == name


@pytest.mark.parametrize(
    ("written", "hint"),
    [
        ("America/Mexico", "did you mean 'America/Mexico_City'?"),
        ("mexico city", "did you mean 'America/Mexico_City'?"),
        ("Berlin", "did you mean 'Europe/Berlin'?"),
        ("europe/berlin", "did you mean 'Europe/Berlin'?"),
        ("Amercia/Bogota", "did you mean 'America/Bogota'?"),
        ("Europe/Warsow", "did you mean 'Europe/Warsaw'?"),
        ("UTC-6", "write an IANA name such as Europe/Berlin"),
        ("-6", "write an IANA name such as Europe/Berlin"),
        ("xyzzy", "write an IANA name such as Europe/Berlin"),
        ("../Europe/Berlin", "did you mean 'Europe/Berlin'?"),
        ("localtime", "write an IANA name such as Europe/Berlin"),
    ],
)
def test_an_unknown_zone_is_a_fault_with_the_nearest_name(written, hint):
    found = fault(timezone=written)

    assert found.key == "window.timezone"
    assert "is no time zone" in found.message
    assert found.hint == hint


@pytest.mark.parametrize(
    ("written", "seconds"), [("fits", None), ("30m", 1800.0), ("90", 90.0), ("0s", 0.0)]
)
def test_the_cutoff_is_what_fits_or_a_duration(written, seconds):
    assert window(cutoff=written).cutoff == seconds


@pytest.mark.parametrize(
    ("key", "written", "message", "hint"),
    [
        ("cutoff", "fit", "is not fits, or a duration", "did you mean 'fits'?"),
        ("cutoff", "soon", "is not fits, or a duration", ""),
        ("cutoff", "30min", "is not a duration", "30m"),
        ("cutoff", "-5m", "is not a duration", "never below zero"),
        ("cutoff", "{a: 1}", "found a mapping", ""),
        ("cutoff", "4h", "a cutoff of 4h leaves nothing of a window that lasts 4h", "shorter"),
        ("cutoff", "5h", "a cutoff of 5h leaves nothing", "shorter"),
        ("lasts", "0s", "no time at all", "a duration"),
        ("lasts", "long", "is not a duration", ""),
        ("lasts", "366d", "longer than the longest", "365d"),
        ("timezone", "[UTC]", "found a list", ""),
        ("timezone_field", "''", "no field name here", "each device's zone"),
        ("timezone_field", "password", "is a secret", ""),
        ("timezone_field", "location_nam", "no documented field", "location_name"),
        ("timezone_field", "latitude", "never holds the name of a time zone", "with text"),
        ("timezone_field", "[name]", "found a list", ""),
        ("once", "2026-12-05T01:00", "'once' is no key of window", "at `opens`"),
        ("zone", "UTC", "'zone' is no key of window", "did you mean 'timezone'?"),
        ("blackouts", "2026-12-24", "is no key of window", "did you mean 'blackout'?"),
    ],
)
def test_what_no_window_can_mean_is_a_fault_at_its_key(key, written, message, hint):
    found = fault(**{key: written})

    assert found.key == f"window.{key}"
    assert message in found.message
    assert hint in found.hint


@pytest.mark.parametrize("key", SATURDAYS)
def test_no_necessary_key_has_a_default(key):
    found = fault(**{key: None})

    assert (found.key, found.message) == (f"window.{key}", f"the key {key!r} is missing")


def test_a_cutoff_is_not_compared_with_a_length_that_nobody_could_read():
    assert fault(lasts="long", cutoff="9h").key == "window.lasts"


@pytest.mark.parametrize("name", sorted(DETAIL_ONLY_FIELDS))
def test_a_zone_cannot_stand_in_a_field_that_lists_do_not_give(name):
    found = fault(timezone_field=name)

    assert found.message == f"{name} cannot name a zone: only the detail record has it"


def test_a_blackout_may_be_one_day_alone_or_one_span_alone():
    holidays = (Blackout(date(2026, 12, 24), date(2026, 12, 26)),)

    assert window(blackout="2026-12-24").blackouts == (
        Blackout(date(2026, 12, 24), date(2026, 12, 24)),
    )
    assert window(blackout="{from: 2026-12-24, to: 2026-12-26}").blackouts == holidays
    assert (
        window(blackout="{from: 2026-12-24, to: 2026-12-24}").blackouts
        == window(blackout="[2026-12-24]").blackouts
    )


@pytest.mark.parametrize(
    ("written", "key", "message"),
    [
        ("[]", "window.blackout", "list is empty"),
        ("24.12.2026", "window.blackout", "'24.12.2026' is not a day such as"),
        ("[2026-12-24, xmas]", "window.blackout[1]", "'xmas' is not a day such as"),
        ("2026-12-24T00:00", "window.blackout", "is not a day such as"),
        ("2026-02-30", "window.blackout", "there is no such day as 2026-02-30"),
        ("[[2026-12-24]]", "window.blackout[0]", "found a list"),
        ("{from: 2026-12-24}", "window.blackout.to", "'to' is missing"),
        ("[{to: 2026-12-24}]", "window.blackout[0].from", "'from' is missing"),
        ("{from: 2026-12-24, to: soon}", "window.blackout.to", "'soon' is not a day"),
        (
            "[2026-12-24, {from: 2027-01-02, to: 2026-12-30}]",
            "window.blackout[1].to",
            "ends on 2026-12-30, before it begins on 2027-01-02",
        ),
    ],
)
def test_a_blackout_that_names_no_days_is_a_fault_at_its_place(written, key, message):
    found = fault(blackout=written)

    assert found.key == key
    assert message in found.message


def test_the_end_of_a_blackout_has_one_name():
    _, found = read(text_of(blackout="{from: 2026-12-24, until: 2026-12-26}"))

    assert [one.hint for one in found if "'until'" in one.message] == [
        "did you mean 'to'? It is the last day without an opening"
    ]


def test_a_window_that_opens_once_cannot_do_so_on_a_blackout_day():
    days = "[2026-12-01, {from: 2026-12-04, to: 2026-12-06}]"
    found = fault(opens="2026-12-05T01:00", blackout=days)

    assert found.key == "window.blackout"
    assert "2026-12-05, the only day on which the window opens, is a blackout day" in found.message
    assert window(opens="2026-12-03T01:00", blackout=days).blackouts


@pytest.mark.parametrize("text", ["[1]", "sat\n"])
def test_a_window_is_a_mapping(text):
    _, found = read(text)

    assert [one.message for one in found] == ["expected window, which is a mapping of keys"]


@pytest.mark.parametrize("key", WINDOW.keys)
def test_a_variable_without_a_value_has_no_second_fault(key):
    faults = Faults("branch.yaml", "")
    node = Scalar("${x}", Place(1, 1), is_known=False)
    spot = Spot(node, key, node.place, faults, lambda name: "")

    WINDOW.keys[key].shape.read(spot)

    faults.raise_if_any()


def is_valid(**keys):
    # The quotes keep dates the texts that they are in the JSON an editor checks.
    loaded = yaml.load(text_of(**keys), Loader=yaml.BaseLoader)
    return Draft202012Validator(SCHEMA).is_valid(loaded)


def test_the_schema_is_a_valid_one_and_explains_every_key():
    Draft202012Validator.check_schema(SCHEMA)

    assert all(part["description"] for part in SCHEMA["properties"].values())
    assert set(SCHEMA["properties"]) == set(WINDOW.keys)


@pytest.mark.parametrize(
    "keys",
    [
        {},
        {"opens": "2026-12-05 01:00", "cutoff": "fits"},
        {"cutoff": "1h30m", "blackout": "2026-12-24", "timezone_field": "location_timezone"},
        {"blackout": "[2026-12-24, {from: 2026-12-30, to: 2027-01-02}]"},
    ],
    ids=str,
)
def test_what_the_reader_takes_the_schema_takes(keys):
    assert window(**keys)
    assert is_valid(**keys)


@pytest.mark.parametrize(
    "keys",
    [
        {"opens": None},
        {"opens": "0 1 * *"},
        {"opens": "0 0 1 * * sat"},
        {"opens": "2026-12-05"},
        {"lasts": "long"},
        {"timezone": "''"},
        {"cutoff": "fit"},
        {"blackout": "[]"},
        {"blackout": "24.12.2026"},
        {"blackout": "{from: 2026-12-24}"},
        {"timezone_field": "update_frequency"},
        {"timezone_field": "password"},
        {"once": "2026-12-05T01:00"},
    ],
    ids=str,
)
def test_what_the_schema_refuses_the_reader_refuses(keys):
    assert not is_valid(**keys)
    assert fault(**keys)
