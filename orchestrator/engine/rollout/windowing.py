"""When a window is open: it begins by the wall clock of its zone, and lasts as time really passes."""

from bisect import bisect_right
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from math import inf
from operator import attrgetter
from zoneinfo import ZoneInfo

from cronsim import CronSim

from orchestrator.model.windows import ANY_DAY, Blackout, Opening, Window
from orchestrator.model.zones import is_zone, nearest_zone

__all__ = ["Openings", "is_zone", "last_start", "may_start", "nearest_zone", "upcoming"]

_DAY = 86_400.0
_HORIZON = 5 * 366 * _DAY
"""Days of a cron expression are looked for so far ahead, and no opening is followed farther."""

_FARTHEST_BACK = 366 * _DAY
"""So far back the beginning of an opening is looked for."""

_LONGEST_PAUSE = 50 * 366
"""Days after which a cron expression is given up."""

_MOST_KNOWN = 256
_KEPT = 64

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)
_start = attrgetter("start")

Chain = tuple[timedelta, ...]
"""Starts of one day, as the wall clock shows them, each before the one before it has ended."""


class Openings:
    """The openings of a window in one zone: ordered, apart from each other, none on a blackout day.

    Asking costs nothing to speak of while the moments asked about grow, whichever they are.
    """

    def __init__(self, window: Window, zone: str) -> None:
        self._window = window
        self._clock = _Clock(zone)
        self._blackouts = _Blackouts(window.blackouts, self._clock)
        self._chains = _chains(window)
        self._known: list[Opening] = []
        self._since = inf
        """From this moment on the known openings are all there are, up to the day to be read."""
        self._horizon = _HORIZON
        self._days: Iterator[date] = iter(())
        self._day: date | None = None
        if isinstance(window.opens, datetime):
            self._since, self._horizon = -inf, inf
            self._day = window.opens.date()

    def at(self, now: float) -> Opening | None:
        """Give the opening that holds now; None when the window is closed."""
        index = self._index(now)
        if index and now < self._known[index - 1].end:
            return self._known[index - 1]
        return None

    def following(self, now: float) -> Opening | None:
        """Give the first opening that starts after now; None when it never opens any more."""
        index = self._index(now)
        return self._known[index] if index < len(self._known) else None

    def _index(self, now: float) -> int:
        """Give how many of the known openings have started, once all that matter are known."""
        if now < self._since:
            self._restart(now)
        while not self._is_known_beyond(now):
            self._read_day()
        index = bisect_right(self._known, now, key=_start)
        if index > _MOST_KNOWN:
            forgotten = index - _KEPT
            self._since = self._known[forgotten - 1].end
            del self._known[:forgotten]
            index -= forgotten
        return index

    def _is_known_beyond(self, now: float) -> bool:
        # The last known opening may still grow; the one before it is as it will be.
        last_but_one = self._known[-2].start if len(self._known) > 1 else -inf
        return last_but_one > now or not self._has_day_until(now + self._horizon)

    def _has_day_until(self, moment: float) -> bool:
        return self._day is not None and _roughly(self._day) <= moment

    def _restart(self, now: float) -> None:
        """Begin to read so far back that what holds now is known from its true beginning."""
        back = self._window.lasts + 2 * _DAY
        farthest = back + _FARTHEST_BACK
        while not self._begin(now - back, now) and back < farthest:
            back *= 2

    def _begin(self, begin: float, now: float) -> bool:
        """Read from a day on; False when the opening that holds now may have begun before it."""
        first = self._clock.day(begin)
        self._known.clear()
        self._days = _days(str(self._window.opens), first)
        self._day = next(self._days, None)
        # What started on an earlier day has ended by then.
        sure = self._clock.midnight(first) + self._window.lasts
        while self._has_day_until(now + 2 * _DAY):
            if self._known and (self._known[-1].start > sure or self._known[-1].end > now):
                break
            self._read_day()
        unsure = bisect_right(self._known, sure, key=_start)
        if unsure and self._known[unsure - 1].end > now:
            self._since = self._known[unsure - 1].start
            del self._known[: unsure - 1]
            return False
        self._since = max(sure, self._known[unsure - 1].end) if unsure else sure
        del self._known[:unsure]
        return True

    def _read_day(self) -> None:
        day, self._day = self._day, next(self._days, None)
        if day is None or self._blackouts.has(day):
            return
        midnight = datetime.combine(day, time())
        for chain in self._chains:
            for first, last in self._clock.moments(midnight, chain):
                found = self._blackouts.cut(Opening(first, last + self._window.lasts))
                if found is not None:
                    self._take(found)

    def _take(self, found: Opening) -> None:
        if self._known and found.start <= self._known[-1].end:
            last = self._known[-1]
            self._known[-1] = Opening(last.start, max(last.end, found.end))
        else:
            self._known.append(found)


def upcoming(window: Window, zone: str, now: float, count: int = 7) -> list[Opening]:
    """Give the next openings, the one that holds now among them; fewer when there are no more."""
    openings = Openings(window, zone)
    found: list[Opening] = []
    opening = openings.at(now) or openings.following(now)
    while opening is not None and len(found) < count:
        found.append(opening)
        opening = openings.following(opening.start)
    return found


def may_start(window: Window, opening: Opening, now: float, remaining: float) -> bool:
    """Tell whether a device that is expected to need so many seconds may be begun now."""
    if not opening.start <= now < opening.end:
        return False
    last = last_start(window, opening, remaining)
    return now <= last if window.cutoff is None else now < last


def last_start(window: Window, opening: Opening, remaining: float) -> float:
    """Give the moment at which `may_start` turns: after it nothing that needs so long is begun.

    At the moment itself what fits exactly is still begun; a cutoff of a given length is over.
    """
    return opening.end - (remaining if window.cutoff is None else window.cutoff)


class _Clock:
    """The wall clock of a zone: what it shows at a moment, and when it shows something."""

    def __init__(self, zone: str) -> None:
        self._zone = ZoneInfo(zone)

    def day(self, moment: float) -> date:
        """Give the date that it shows."""
        return self._shown(moment).date()

    def midnight(self, day: date) -> float:
        """Give the moment at which a day begins."""
        return self.moment(datetime.combine(day, time()))

    def moments(self, midnight: datetime, chain: Chain) -> list[tuple[float, float]]:
        """Give the first and the last moment of a chain, or those of its starts one by one."""
        first, last = self.moment(midnight + chain[0]), self.moment(midnight + chain[-1])
        if last - first == (chain[-1] - chain[0]).total_seconds():
            return [(first, last)]
        # The clock is changed in between, so that there may be a pause or a meeting.
        return [(moment, moment) for moment in (self.moment(midnight + at) for at in chain)]

    def moment(self, wall: datetime) -> float:
        """Give the first moment at which it shows this, or something later when it never does."""
        first, second = self._moments(wall)
        return first if first <= second else self._change(second, first)

    def end_of(self, day: date) -> float:
        """Give the moment from which it does not show this day any more."""
        if day == date.max:
            return inf
        following = datetime.combine(day + timedelta(days=1), time())
        first, second = self._moments(following)
        # Where clocks are put back just after midnight, they show the day before a second time.
        if first < second and self.day(second - 1) == day:
            return second
        return self.moment(following)

    def _moments(self, wall: datetime) -> tuple[float, float]:
        """Give both readings of a time: in a fold the first is earlier, in a gap it is later."""
        before, after = (wall.replace(tzinfo=self._zone, fold=fold) for fold in (0, 1))
        return before.timestamp(), after.timestamp()

    def _change(self, before: float, after: float) -> float:
        """Give the moment between these two at which the clock is changed."""
        offset = self._shown(before).utcoffset()
        while after - before > 1:
            middle = (before + after) // 2
            if self._shown(middle).utcoffset() == offset:
                before = middle
            else:
                after = middle
        return after

    def _shown(self, moment: float) -> datetime:
        return (_EPOCH + timedelta(seconds=moment)).astimezone(self._zone)


class _Blackouts:
    """Days without an opening, on the wall clock of a zone."""

    def __init__(self, blackouts: tuple[Blackout, ...], clock: _Clock) -> None:
        self._days = blackouts
        spans = sorted((clock.midnight(days.first), clock.end_of(days.last)) for days in blackouts)
        self._starts = [start for start, _ in spans]
        self._ends: list[float] = []
        for _, end in spans:
            self._ends.append(max(end, *self._ends[-1:]) if self._ends else end)

    def has(self, day: date) -> bool:
        """Tell whether a day is one of them."""
        return any(days.first <= day <= days.last for days in self._days)

    def cut(self, opening: Opening) -> Opening | None:
        """Give what is left of an opening that ends where one of them begins."""
        index = bisect_right(self._starts, opening.start)
        if index and opening.start < self._ends[index - 1]:
            return None
        for start, end in zip(self._starts[index:], self._ends[index:], strict=True):
            if start >= opening.end:
                break
            if start < end:
                return Opening(opening.start, start)
        return opening


def _roughly(day: date) -> float:
    return (day - _EPOCH.date()).days * _DAY


def _days(opens: str, first: date) -> Iterator[date]:
    """Give the days of a cron expression from a day on, until none comes for many years."""
    _, _, *fields = opens.split()
    cron = CronSim(" ".join(["0", "0", *fields]), ANY_DAY)
    last = first
    # Asked day by day it is much faster than when it finds the midnights by itself.
    for day in map(date.fromordinal, range(first.toordinal(), date.max.toordinal())):
        if (day - last).days > _LONGEST_PAUSE:
            break
        if day.month in cron.months and cron.match_day(day):
            last = day
            yield day


def _chains(window: Window) -> tuple[Chain, ...]:
    if isinstance(window.opens, datetime):
        return ((window.opens - datetime.combine(window.opens.date(), time()),),)
    minute, hour, *_ = window.opens.split()
    return _chains_of_a_day(minute, hour, window.lasts)


@lru_cache(maxsize=64)  # the same in every zone
def _chains_of_a_day(minute: str, hour: str, lasts: float) -> tuple[Chain, ...]:
    chains: list[list[timedelta]] = []
    for found in CronSim(f"{minute} {hour} * * *", ANY_DAY - _SECOND):
        start = found - ANY_DAY
        if start.days:
            break
        if chains and (start - chains[-1][-1]).total_seconds() <= lasts:
            chains[-1].append(start)
        else:
            chains.append([start])
    return tuple(map(tuple, chains))
