"""The key `window`: when devices may be started, read from YAML and checked for contradictions."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from cronsim import CronSim, CronSimError

from orchestrator.model import durations
from orchestrator.model.devices import DETAIL_ONLY_FIELDS, SECRET_FIELDS
from orchestrator.model.windows import ANY_DAY, Blackout, Window
from orchestrator.model.zones import is_zone, nearest_zone
from orchestrator.playbook import composing
from orchestrator.playbook.conditions import KNOWN_FIELDS, TEXT_FIELDS, misnamed
from orchestrator.playbook.shapes import (
    INVALID,
    VARIABLE,
    JsonSchema,
    Key,
    Keys,
    OneOrMany,
    Spot,
    scalar,
    spot_at,
)
from orchestrator.playbook.values import Duration

_LONGEST = 200
_OPENS = 'a cron expression such as "0 1 * * sat", or one date-time such as 2026-12-05T01:00'
_BEGINS_AS_DATE = re.compile(r"\d{4}-\d")
_DATE_TIME = re.compile(r"(\d{4}-\d{2}-\d{2})[Tt ]+(\d{2}:\d{2}(?::\d{2})?)")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_ZONED = re.compile(r".*\d\s*([Zz]|[+-]\d{2}:?\d{2})")
_CRON_FIELDS = (
    ("minute", "0 to 59"),
    ("hour", "0 to 23"),
    ("day of the month", "1 to 31, L for the last day, LW for the last working day"),
    ("month", "1 to 12 or jan to dec"),
    (
        "day of the week",
        "0 to 7 or sun to sat, where 0 and 7 are Sunday; 5#2 is the second Friday, 5L the last",
    ),
)
_NAMED_CRON = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}


@dataclass(frozen=True, slots=True)
class Opens:
    """A cron expression of five fields, or one local date-time."""

    def read(self, spot: Spot) -> Any:
        """Give the expression with single spaces, or a date-time without a zone."""
        node = scalar(spot, _OPENS)
        if node is None:
            return INVALID
        text = " ".join(node.text.split())
        if len(text) > _LONGEST:
            return spot.fault(f"this text is longer than {_LONGEST} characters", f"write {_OPENS}")
        return _date_time(spot, text) if _BEGINS_AS_DATE.match(text) else _cron(spot, text)

    def schema(self) -> JsonSchema:
        """Five fields, or what begins with a date and a time; a pattern cannot tell all of it."""
        fields = r"^\s*[^\s@]+(\s+[^\s@]+){4}\s*$"
        once = r"^\s*\d{4}-\d{2}-\d{2}[Tt\s]+\d{2}:\d{2}(:\d{2})?\s*$"
        return {
            "anyOf": [
                {"type": "string", "pattern": fields},
                {"type": "string", "pattern": once},
                VARIABLE,
            ]
        }


def _date_time(spot: Spot, text: str) -> Any:
    found = _DATE_TIME.fullmatch(text)
    if found is not None:
        try:
            return datetime.fromisoformat("T".join(found.groups()))
        except ValueError:
            return spot.fault(f"there is no such date or time as {text}", f"write {_OPENS}")
    if _DAY.fullmatch(text):
        return spot.fault(f"{text} has no time of day", f"write one behind it: {text}T01:00")
    if _ZONED.fullmatch(text):
        return spot.fault(
            f"{text} has a zone of its own, and the clock of a window is that of `timezone`",
            "write the local time without a zone, such as 2026-12-05T01:00",
        )
    return spot.fault(f"{text!r} is not a date-time", "write it as 2026-12-05T01:00")


def _cron(spot: Spot, text: str) -> Any:
    fields = text.split()
    if text.lower() in _NAMED_CRON:
        return spot.fault(
            f"{text} is no cron expression here", f'write "{_NAMED_CRON[text.lower()]}"'
        )
    if len(fields) == len(_CRON_FIELDS) + 1:
        return spot.fault(
            f"{text!r} has 6 fields, and a cron expression here has no seconds",
            "write five: minute, hour, day of the month, month, day of the week",
        )
    if len(fields) <= 1:
        return spot.fault(
            f"{text!r} is neither a cron expression nor a date-time", f"write {_OPENS}"
        )
    if len(fields) != len(_CRON_FIELDS):
        return spot.fault(
            f"{text!r} has {len(fields)} fields, a cron expression has 5",
            "write five: minute, hour, day of the month, month, day of the week",
        )
    for index, (field, (name, range_)) in enumerate(zip(fields, _CRON_FIELDS, strict=True)):
        alone = ["*"] * index + [field] + ["*"] * (len(fields) - index - 1)
        if not _is_cron(" ".join(alone)):
            return spot.fault(f"{field!r} is no {name} of a cron expression", f"write {range_}")
    if not _is_cron(text):
        return spot.fault(
            f"{text!r} never comes: none of its months has such a day",
            "write a day that one of the months has, or L for the last one",
        )
    return text


def _is_cron(text: str) -> bool:
    try:
        CronSim(text, ANY_DAY)
    except CronSimError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class Zone:
    """The name of an IANA time zone."""

    def read(self, spot: Spot) -> Any:
        """Give the name as written."""
        wanted = "a time zone such as America/Mexico_City"
        node = scalar(spot, wanted)
        if node is None:
            return INVALID
        if is_zone(node.text):
            return node.text
        near = nearest_zone(node.text)
        hint = f"did you mean {near!r}?" if near else "write an IANA name such as Europe/Berlin"
        return spot.fault(f"{node.text[:_LONGEST]!r} is no time zone that is known here", hint)

    def schema(self) -> JsonSchema:
        """Text; which zones there are is known when it is read."""
        examples = ["America/Mexico_City", "America/New_York", "Europe/Berlin", "UTC"]
        return {"type": "string", "minLength": 1, "examples": examples}


@dataclass(frozen=True, slots=True)
class Cutoff:
    """`fits`, or a duration before the end."""

    def read(self, spot: Spot) -> Any:
        """Give None for `fits`, else seconds."""
        wanted = "fits, or a duration before the end such as 30m"
        node = scalar(spot, wanted)
        if node is None:
            return INVALID
        if node.text == "fits":
            return None
        if re.match(r"\s*[-+.]?\d", node.text):
            return Duration().read(spot)
        hint = "did you mean 'fits'?" if "fit" in node.text.lower() else ""
        return spot.fault(f"{node.text[:_LONGEST]!r} is not {wanted}", hint)

    def schema(self) -> JsonSchema:
        """The word, or a duration."""
        return {"anyOf": [{"const": "fits"}, Duration().schema()]}


@dataclass(frozen=True, slots=True)
class Day:
    """One day of the calendar."""

    wanted: str = "a day such as 2026-12-24"

    def read(self, spot: Spot) -> Any:
        """Give a date."""
        node = scalar(spot, self.wanted)
        if node is None:
            return INVALID
        text = node.text.strip()
        if not _DAY.fullmatch(text):
            return spot.fault(f"{node.text[:_LONGEST]!r} is not {self.wanted}")
        try:
            return date.fromisoformat(text)
        except ValueError:
            return spot.fault(f"there is no such day as {text}", f"write {self.wanted}")

    def schema(self) -> JsonSchema:
        """Text of the form year-month-day."""
        return {"anyOf": [{"type": "string", "pattern": r"^\s*\d{4}-\d{2}-\d{2}\s*$"}, VARIABLE]}


_FROM_TO = Keys(
    {
        "from": Key(Day(), "The first day without an opening.", is_required=True),
        "to": Key(Day(), "The last day without an opening.", is_required=True),
    },
    "a blackout",
    {
        "first": "did you mean 'from'?",
        "last": "did you mean 'to'?",
        "until": "did you mean 'to'? It is the last day without an opening",
    },
)


@dataclass(frozen=True, slots=True)
class BlackoutDays:
    """One day, or the first and the last of several."""

    def read(self, spot: Spot) -> Any:
        """Give a Blackout."""
        if not isinstance(spot.node, composing.Mapping):
            day = Day("a day such as 2026-12-24, or {from: 2026-12-30, to: 2027-01-02}").read(spot)
            return INVALID if day is INVALID else Blackout(day, day)
        values = _FROM_TO.read(spot)
        if "from" not in values or "to" not in values:
            return INVALID
        if values["to"] < values["from"]:
            return spot_at(spot, "to").fault(
                f"this blackout ends on {values['to']}, before it begins on {values['from']}",
                "write the earlier day at `from`",
            )
        return Blackout(values["from"], values["to"])

    def schema(self) -> JsonSchema:
        """Text, or an object of two."""
        return {"anyOf": [*Day().schema()["anyOf"], _FROM_TO.schema()]}


@dataclass(frozen=True, slots=True)
class ZoneField:
    """The name of a field of the record, of those that every page of a list has."""

    def read(self, spot: Spot) -> Any:
        """Give the name."""
        node = scalar(spot, "the name of a field")
        if node is None:
            return INVALID
        name = node.text
        wrong = misnamed(name, is_plain=node.is_plain)
        if wrong is None and name in DETAIL_ONLY_FIELDS:
            wrong = (
                f"{name} cannot name a zone: only the detail record has it",
                "name a field that stands in the list of devices, such as location_name",
            )
        if wrong is None and name in KNOWN_FIELDS - TEXT_FIELDS:
            wrong = (
                f"{name} never holds the name of a time zone",
                "name a field with text, such as one in which you keep each device's zone",
            )
        if wrong is None and (not name.strip() or len(name) > _LONGEST):
            wrong = ("there is no field name here", "name the field that holds each device's zone")
        return spot.fault(*wrong) if wrong else name

    def schema(self) -> JsonSchema:
        """Documented fields are offered, others are taken."""
        refused = (KNOWN_FIELDS - TEXT_FIELDS) | DETAIL_ONLY_FIELDS | SECRET_FIELDS
        return {
            "type": "string",
            "minLength": 1,
            "not": {"enum": sorted(refused)},
            "examples": sorted(TEXT_FIELDS - DETAIL_ONLY_FIELDS),
        }


WINDOW = Keys(
    {
        "opens": Key(
            Opens(),
            'When it opens, on the clock of `timezone`: a cron expression such as "0 1 * * sat", or'
            " one date-time such as 2026-12-05T01:00 for a window that opens once.",
            is_required=True,
        ),
        "lasts": Key(
            Duration(may_be_zero=False),
            "How long it stays open, as time really passes, also when the clocks are changed.",
            is_required=True,
        ),
        "timezone": Key(
            Zone(),
            "The IANA time zone of `opens` and `blackout`, such as America/Mexico_City.",
            is_required=True,
        ),
        "cutoff": Key(
            Cutoff(),
            "fits: a device is begun only if it is expected to be finished before the end. A"
            " duration: nothing is begun so long before the end. Default fits.",
        ),
        "blackout": Key(
            OneOrMany(BlackoutDays()),
            "Days without an opening, one by one or as {from: ..., to: ...}, both included; an"
            " opening that runs into one ends at its midnight.",
        ),
        "timezone_field": Key(
            ZoneField(),
            "A field of the record with each device's own time zone; where it holds none, `timezone`"
            " is taken.",
        ),
    },
    "window",
    {
        "once": "write the date-time at `opens`",
        "cron": "write the expression at `opens`",
        "starts": "did you mean 'opens'?",
        "start": "did you mean 'opens'?",
        "duration": "did you mean 'lasts'?",
        "zone": "did you mean 'timezone'?",
        "tz": "did you mean 'timezone'?",
        "except": "did you mean 'blackout'?",
    },
)
"""What `window` may hold."""


def window_of(values: Mapping[str, Any]) -> Window:
    """Make a window of what WINDOW has read without a fault."""
    return Window(
        opens=values["opens"],
        lasts=values["lasts"],
        timezone=values["timezone"],
        cutoff=values.get("cutoff"),
        blackouts=values.get("blackout", ()),
        timezone_field=values.get("timezone_field"),
    )


def check_window(spot: Spot, values: Mapping[str, Any]) -> None:
    """Note every contradiction between the values of a window; the spot is that of the window."""
    lasts, cutoff, opens = values.get("lasts"), values.get("cutoff"), values.get("opens")
    if lasts is not None and cutoff is not None and cutoff >= lasts:
        spot_at(spot, "cutoff").fault(
            f"a cutoff of {durations.as_text(cutoff)} leaves nothing of a window that lasts"
            f" {durations.as_text(lasts)}, so nothing could ever be started",
            "write a shorter one, or fits",
        )
    if isinstance(opens, datetime):
        for days in values.get("blackout", ()):
            if days.first <= opens.date() <= days.last:
                spot_at(spot, "blackout").fault(
                    f"{opens.date()}, the only day on which the window opens, is a blackout day",
                    "take it out of the blackout, or choose another day",
                )
                break
