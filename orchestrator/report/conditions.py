"""How a device is doing, as its record says it: for people in a few words, for programs field by field."""

from orchestrator.model import durations
from orchestrator.model.devices import Status

_UNITS = (86_400, 3_600, 60)
_INITIAL = "initial"
"""What is pending on a device that never connected (api.md DV-29)."""


def status_text(status: str) -> str | None:
    """Give a status as the record has it; None for one that is not known."""
    return None if status == Status.UNKNOWN else status


def pending_text(pending: tuple[str, ...] | None) -> str | None:
    """Give pending settings as the record has them: `none`, or their names; None is not known."""
    if pending is None:
        return None
    return ",".join(pending) or "none"


def in_short(
    status: str, last_contact: float | None, pending: tuple[str, ...] | None, now: float
) -> str:
    """Say it in one line, such as `Up, seen 5m ago, nothing pending`; what is not known is left out.

    `now` is the controller's clock, as is `last_contact`.
    """
    words = [word] if (word := status_text(status)) is not None else []
    if last_contact is not None:
        words.append(f"seen {_age(now - last_contact)} ago")
    elif pending is not None and _INITIAL in pending:
        words.append("never seen")
    if pending is not None:
        words.append(_pending(pending))
    return ", ".join(words)


def _pending(pending: tuple[str, ...]) -> str:
    if len(pending) > 1:
        return f"{len(pending)} settings pending"
    return f"{pending[0]} pending" if pending else "nothing pending"


def _age(seconds: float) -> str:
    """Write an age in its largest unit alone; what is ahead of the clock was just now."""
    age = max(0, int(seconds))
    unit = next((size for size in _UNITS if age >= size), 1)
    return durations.as_text(age // unit * unit)
