"""Durations are seconds as floats; playbooks and people write them as `30s`, `10m`, `4h`, `2d`."""

import re

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")


def from_text(text: str) -> float:
    """Read `200ms`, `30s`, `10m`, `4h`, `2d` or a chain such as `1h30m`; raises ValueError otherwise."""
    compact = text.strip().replace(" ", "")
    parts = _PART.findall(compact)
    if not parts or "".join(number + unit for number, unit in parts) != compact:
        raise ValueError(f"{text!r} is not a duration such as 200ms, 30s, 10m, 4h or 2d")
    return sum(float(number) * _UNITS[unit] for number, unit in parts)


def as_text(seconds: float) -> str:
    """Write a duration with at most two units: `200ms`, `45s`, `2m30s`, `4h`, `2d3h`."""
    if seconds < 0:
        return "-" + as_text(-seconds)
    if seconds < 1:
        return f"{round(seconds * 1000)}ms" if seconds else "0s"
    if seconds < _UNITS["m"]:
        return f"{seconds:.3g}s"
    rest = round(seconds)
    words = []
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        count, rest = divmod(rest, size)
        if count:
            words.append(f"{count}{unit}")
    return "".join(words[:2])
