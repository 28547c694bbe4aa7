"""Moments are seconds since 1970 UTC as floats; this is how they are read and written as text."""

import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Annotated

import msgspec

_FORM = re.compile(
    r"^(\d{4})-(\d{2})-(\d{2})"
    r"(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?)?"
    r"\s*(Z|z|[+-]\d{2}:?\d{2})?$"
)

_COMMON = {
    len(text): text[4:20:3] for text in ("2026-11-22T04:15:00Z", "2026-11-22T04:15:00.000000Z")
}
"""What stands between the numbers of the common forms, by their lengths."""

Written = Annotated[datetime, msgspec.Meta(tz=True)]
"""What `from_written` reads, for whoever reads whole lines at once; its `timestamp` is the moment."""

_SHORTEST = 1_000_000
_KEPT = 1024
_texts: dict[float, str] = {}
"""Texts of the last moments: what is decided at once happens at one moment."""


def as_text(moment: float) -> str:
    """Write a moment as ISO 8601 in UTC with microseconds and a Z; `from_text` reads it back exactly."""
    text = _texts.get(moment)
    if text is None:
        if len(_texts) >= _KEPT:
            _texts.clear()
        text = _texts[moment] = _written(moment)
    return text


def _written(moment: float) -> str:
    micros = round(moment * 1_000_000)
    second = _second_as_text(micros // 1_000_000)
    if micros < _SHORTEST:
        return f"{second}.{micros % 1_000_000:06d}Z"
    # The last digits of the number are those of the text, and sooner had than by dividing.
    return f"{second}.{str(micros)[-6:]}Z"


def as_short_text(moment: float) -> str:
    """Write a moment for people: whole seconds, UTC."""
    second = round(moment * 1_000_000) // 1_000_000
    return _second_as_text(second).replace("T", " ") + "Z"


@lru_cache(maxsize=1024)
def _second_as_text(second: int) -> str:
    """Events come many to the second, and the calendar is what makes their text dear."""
    return datetime.fromtimestamp(second, UTC).isoformat()[:19]


def from_written(text: object) -> float:
    """Read what `as_text` wrote, or any other date-time with a zone after RFC 3339.

    Raises ValueError for anything else.
    """
    try:
        return msgspec.convert(text, Written).timestamp()
    except msgspec.ValidationError as error:
        raise ValueError(f"{text!r} is not a date-time with a zone") from error


def from_text(text: str) -> float:
    """Read every form the controller is known to use (api.md 1.9); a missing zone means UTC.

    Accepts a date, `T` or a space before the time, fractions, `Z`, `+00:00` and `+0000`.
    Raises ValueError for anything else.
    """
    if text[4:20:3] == _COMMON.get(len(text)) and text[-1] == "Z":
        # What as_text and the controller mostly write, millions of times; the odd is left to the form.
        try:
            return datetime.fromisoformat(text).timestamp()
        except ValueError:
            pass
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
