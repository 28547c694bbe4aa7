"""Which names of time zones are known, and which one was probably meant."""

import re
from difflib import get_close_matches
from functools import lru_cache
from zoneinfo import available_timezones

_NO_PLACES = frozenset({"Factory", "localtime", "posixrules"})
"""Files among the zones that name none, or another one on each host."""

_AREAS = (
    "Africa", "America", "Antarctica", "Asia", "Atlantic", "Australia", "Europe", "Indian",
    "Pacific",
)  # fmt: skip
_OFFSET = re.compile(r"(utc|gmt|z)?_*[+-]?\d[\d:.]*")
_LONGEST = 64


def is_zone(name: object) -> bool:
    """Tell whether this is the name of an IANA time zone, exactly as it is written there."""
    return isinstance(name, str) and name in _names()


def nearest_zone(name: str) -> str | None:
    """Give the zone that was probably meant, also by its city alone; None when none is near."""
    word = re.sub(r"\s+", "_", name[:_LONGEST].strip().lower())
    zones, cities = _by_lower_case()
    city = word.rpartition("/")[2]
    known = zones.get(word) or cities.get(city)
    if known or _OFFSET.fullmatch(word):
        return known
    close = get_close_matches(word, [*zones, *cities], n=1, cutoff=0.7)
    if close:
        return zones.get(close[0]) or cities[close[0]]
    close = get_close_matches(city, cities, n=1, cutoff=0.8)
    return cities[close[0]] if close else None


@lru_cache(maxsize=1)
def _names() -> frozenset[str]:
    return frozenset(available_timezones() - _NO_PLACES)


@lru_cache(maxsize=1)
def _by_lower_case() -> tuple[dict[str, str], dict[str, str]]:
    names = sorted(_names(), reverse=True)
    cities = (name for name in names if name.partition("/")[0] in _AREAS)
    return (
        {name.lower(): name for name in names},
        {name.rpartition("/")[2].lower(): name for name in cities},
    )
