"""What no schedule can beat, given how long each device took and the limits."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from heapq import heapreplace

from orchestrator.model.events import Event, OperationIntended, StepSucceeded


@dataclass(frozen=True, slots=True)
class Walk:
    """One device's way from its first request to its last proof."""

    device: int
    begun_at: float
    ended_at: float
    requests: int

    @property
    def seconds(self) -> float:
        """How long it took."""
        return self.ended_at - self.begun_at


def walks_of(events: Iterable[Event]) -> list[Walk]:
    """Give the walk of every device that has succeeded in something, in the order of the first requests."""
    begun: dict[int, float] = {}
    ended: dict[int, float] = {}
    requests: dict[int, int] = {}
    for event in events:
        match event:
            case OperationIntended():
                begun.setdefault(event.device, event.at)
                requests[event.device] = requests.get(event.device, 0) + 1
            case StepSucceeded():
                ended[event.device] = event.at
            case _:
                pass
    return [
        Walk(each, at, ended[each], requests[each]) for each, at in begun.items() if each in ended
    ]


def makespan(walks: Sequence[Walk]) -> float:
    """Give the seconds from the first request to the last proof."""
    return max(each.ended_at for each in walks) - min(each.begun_at for each in walks)


def lower_bound(
    walks: Sequence[Walk],
    *,
    max_down: int,
    delay: float = 0.0,
    per_second: float | None = None,
) -> float:
    """Give the seconds below which nobody comes: the work shared evenly, the longest, the pacing."""
    work = sum(each.seconds for each in walks)
    requests = sum(each.requests for each in walks)
    gap = max(delay, 0.0 if per_second is None else 1 / per_second)
    shortest = min(each.seconds for each in walks)
    # The last device begins no earlier than all first requests but its own have left.
    pacing = max((requests - 1) * gap, (len(walks) - 1) * gap + shortest)
    return max(work / max_down, pacing, *(each.seconds for each in walks))


def greedy_makespan(walks: Sequence[Walk], *, max_down: int) -> float:
    """Give the seconds when each takes as long as it did and begins, in order, when a place is free."""
    ends = [0.0] * max_down
    for each in walks:
        heapreplace(ends, ends[0] + each.seconds)
    return max(ends)
