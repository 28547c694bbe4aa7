"""The words that sentences about runs share: counts, verdicts, people, local times."""

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from orchestrator.model import durations, moments


def printable(text: str) -> str:
    """Give text without what could steer a terminal: names and reasons come from outside."""
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else " " for character in text)


def clipped(text: str, longest: int) -> str:
    """Give text on one line and of at most so many characters."""
    text = printable(text)
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def in_words(name: str) -> str:
    """Give a verdict or a cause as people say it."""
    return name.replace("_", " ")


def devices(count: int) -> str:
    """Give a number of devices."""
    return "1 device" if count == 1 else f"{count:,} devices"


def tally(verdicts: Mapping[str, int]) -> str:
    """Give the verdicts that occurred with their numbers; `no devices` when there is none."""
    counts = ", ".join(f"{n:,} {in_words(verdict)}" for verdict, n in verdicts.items() if n)
    return counts or "no devices"


def because(why: str) -> str:
    """Give what a person gave as a reason, to stand at the end of a sentence."""
    return f": {why}" if why else " (no reason was given)"


def stop_cause(cause: str) -> str:
    """Say what stopped a run, to stand behind `stopped`."""
    return _STOPS.get(cause, f"because of {in_words(cause)}")


_STOPS = {
    "invalid_request": "because of an invalid request",
    "controller": "because of the controller",
    "budget": "by its budget",
    "wave": "by the gate behind a wave",
    "denied": "by a denied approval",
    "person": "by a person",
}


def limit_value(limit: str, value: float) -> str:
    """Write a limit's value: the delay is a duration, all others are counts."""
    return durations.as_text(value) if limit == "delay" else f"{value:,.0f}"


def local_time(moment: float, zone: str, *, where: str = "", with_date: bool = True) -> str:
    """Write a moment on the clocks of a zone and in UTC; in UTC only where the zone is not known.

    `where` stands for the zone in a sentence that has named it already.
    """
    utc = moments.as_short_text(moment)
    utc = utc if with_date else utc[_DATE:]
    try:
        there = datetime.fromtimestamp(moment, ZoneInfo(zone))
    except (KeyError, ValueError, OSError):
        return utc
    form = "%H:%M:%S" if there.second else "%H:%M"
    form = f"%Y-%m-%d {form}" if with_date else form
    return f"{there.strftime(form)} {where or f'in {zone}'} ({utc})"


_DATE = len("2026-11-22 ")
