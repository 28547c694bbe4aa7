"""Software versions in their natural order, for vendors who number as they please."""

import re
from functools import lru_cache

_PART = re.compile(r"\d+|[a-z]+")


@lru_cache(maxsize=65536)
def version_key(text: str) -> tuple[tuple[int, int, str], ...]:
    """Give a sort key in which numbers compare as numbers and more parts are newer.

    `17.9.4` is below `17.9.4a`, `9.3(10)` above `9.3(9)`; never raises. A pre-release word
    (`alpha`, `beta`, `rc`, `dev`, `pre`) that follows a number directly is below the release.
    """
    key: list[tuple[int, int, str]] = []
    for part in _PART.findall(text.strip().lower().removeprefix("v")):
        if part.isdigit():
            key.append((3, int(part), ""))
        elif part in _EARLY:
            key.append((0, _EARLY[part], part))
        else:
            key.append((2, 0, part))
    key.append((1, 0, ""))
    return tuple(key)


_EARLY = {"dev": 0, "pre": 1, "alpha": 2, "beta": 3, "rc": 4}
