"""How many devices were down when: a curve that stays small however long the run lasts."""

from dataclasses import dataclass


@dataclass(slots=True)
class _Stretch:
    begins_at: float
    level: int
    peak: int


class Timeline:
    """A step curve of at most `points` stretches; when they run out, each covers more time."""

    def __init__(self, points: int = 512) -> None:
        self._points = points
        self._grain = 0.0
        """Seconds within which changes count as one."""
        self._stretches: list[_Stretch] = []
        self.peak = 0
        """The highest level there ever was."""

    def record(self, at: float, level: int) -> None:
        """Note that from this moment on the level is this one."""
        self.peak = max(self.peak, level)
        if self._stretches and self._stretches[-1].level == level:
            return
        _add(self._stretches, _Stretch(at, level, level), self._grain)
        if len(self._stretches) > self._points:
            self._coarsen()

    def _coarsen(self) -> None:
        span = self._stretches[-1].begins_at - self._stretches[0].begins_at
        self._grain = max(2 * self._grain, 2 * span / self._points)
        merged: list[_Stretch] = []
        for stretch in self._stretches:
            _add(merged, stretch, self._grain)
        self._stretches = merged

    def curve(self) -> list[tuple[float, int]]:
        """Give the level from each moment on; a peak within the grain is as wide as the grain."""
        points = []
        for stretch in self._stretches:
            points.append((stretch.begins_at, stretch.peak))
            if stretch.level != stretch.peak:
                points.append((stretch.begins_at + self._grain, stretch.level))
        return points


def _add(stretches: list[_Stretch], new: _Stretch, grain: float) -> None:
    last = stretches[-1] if stretches else None
    if last is None or new.begins_at > last.begins_at + grain:
        stretches.append(new)
    else:
        last.level = new.level
        last.peak = max(last.peak, new.peak)
