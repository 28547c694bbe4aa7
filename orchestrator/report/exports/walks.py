"""When each device's walk began and ended: a fold that keeps one small entry a device."""

from dataclasses import dataclass

from orchestrator.model.events import Baseline, DeviceFinished, Event, OperationIntended


@dataclass(slots=True)
class Walk:
    """One device's walk through the run, as far as it has come."""

    began_at: float | None = None
    """The first thing that happened to it; None when it never had its turn."""
    ended_at: float | None = None
    """Its verdict."""
    attempts: int = 0
    """Operation requests that were about to leave for it, those that were tried again included."""
    before: Baseline | None = None
    """What its record said right before the first of them."""

    @property
    def seconds(self) -> float | None:
        """Give how long it took; None unless it began and ended."""
        if self.began_at is None or self.ended_at is None:
            return None
        return max(0.0, self.ended_at - self.began_at)


class Walks:
    """The walks of all devices; `after` takes every event of the run once and in order."""

    def __init__(self) -> None:
        self._walks: dict[int, Walk] = {}

    def after(self, event: Event) -> None:
        """Take one more event into account."""
        device = getattr(event, "device", None)
        if device is None:
            return
        walk = self._walks.get(device)
        if walk is None:
            walk = self._walks[device] = Walk()
        if isinstance(event, DeviceFinished):
            if walk.ended_at is None:
                walk.ended_at = event.at
            return
        if walk.began_at is None:
            walk.began_at = event.at
        if isinstance(event, OperationIntended):
            walk.attempts += 1
            walk.before = walk.before or event.baseline

    def of(self, device: int) -> Walk:
        """Give one device's walk; an empty one when nothing happened to it."""
        return self._walks.get(device) or Walk()
