"""Moments are seconds since 1970 UTC as floats; this is how they are read and written as text."""

import re
from contextlib import suppress
from datetime import UTC, datetime

_FORM = re.compile(
    r"^(\d{4})-(\d{2})-(\d{2})"
    r"(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?)?"
    r"\s*(Z|z|[+-]\d{2}:?\d{2})?$"
)

_OWN_LENGTH = len("2026-11-22T04:15:00.000000Z")


def as_text(moment: float) -> str:
    """Write a moment as ISO 8601 in UTC with microseconds and a Z; `from_text` reads it back exactly."""
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="microseconds")[:-6] + "Z"


def as_short_text(moment: float) -> str:
    """Write a moment for people: whole seconds, UTC."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def from_text(text: str) -> float:
    """Read every form the controller is known to use (api.md 1.9); a missing zone means UTC.

    Accepts a date, `T` or a space before the time, fractions, `Z`, `+00:00` and `+0000`.
    Raises ValueError for anything else.
    """
    if len(text) == _OWN_LENGTH and text[-1] == "Z" and text[19] == ".":
        # What as_text writes, millions of times in a journal; anything odd is left to the form.
        with suppress(ValueError):
            return datetime.fromisoformat(text).timestamp()
    found = _FORM.match(text.strip())
    if found is None:
        raise ValueError(f"{text!r} is not a date or date-time")
    year, month, day, hour, minute, second, fraction, zone = found.groups()
    if zone is None or zone in "Zz":
        offset = 0
    else:
        sign = -1 if zone[0] == "-" else 1
        offset = sign * (int(zone[1:3]) * 3600 + int(zone[-2:]) * 60)
    whole = datetime(
        int(year),
        int(month),
        int(day),
        int(hour or 0),
        int(minute or 0),
        int(second or 0),
        tzinfo=UTC,
    )
    micros = int((fraction or "0").ljust(6, "0")[:6])
    return whole.timestamp() - offset + micros / 1_000_000
