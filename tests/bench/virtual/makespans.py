"""What no schedule can beat, given how long each device took and the limits."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from heapq import heapreplace

from orchestrator.model.events import Event, OperationIntended, StepSucceeded
from orchestrator.model.operations import Operation


@dataclass(frozen=True, slots=True)
class Walk:
    """One device's way from its first request to its last proof."""

    device: int
    begun_at: float
    ended_at: float
    requests: int
    down: float
    """Seconds for which it held a place among the devices that may be down: from the request of
    something disruptive to the proof of its return."""

    @property
    def seconds(self) -> float:
        """How long it took."""
        return self.ended_at - self.begun_at


def walks_of(events: Iterable[Event]) -> list[Walk]:
    """Give the walk of every device that succeeded in something, in the order of the first requests."""
    begun: dict[int, float] = {}
    found: dict[int, Walk] = {}
    requests: Counter[int] = Counter()
    down: dict[tuple[int, int], float] = {}
    for event in events:
        match event:
            case OperationIntended():
                begun.setdefault(event.device, event.at)
                requests[event.device] += 1
                if Operation(event.operation).is_disruptive:
                    down.setdefault((event.device, event.step), event.at)
            case StepSucceeded(at=at, device=device, step=step):
                before = found[device].down if device in found else 0.0
                held = before + at - down.get((device, step), at)
                found[device] = Walk(device, begun[device], at, requests[device], held)
            case _:
                pass
    return [found[device] for device in begun if device in found]


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
    work = sum(each.down for each in walks)
    requests = sum(each.requests for each in walks)
    gap = max(delay, 0.0 if per_second is None else 1 / per_second)
    shortest = min(each.seconds for each in walks)
    # The last device begins no earlier than all first requests but its own have left.
    pacing = max((requests - 1) * gap, (len(walks) - 1) * gap + shortest)
    return max(work / max_down, pacing, *(each.seconds for each in walks))


def greedy_makespan(walks: Sequence[Walk], *, max_down: int) -> float:
    """Give the seconds when each takes as long as it did and begins, in order, when a place is free."""
    free_at = [0.0] * max_down
    last = 0.0
    for each in walks:
        begun_at = free_at[0]
        heapreplace(free_at, begun_at + each.down)
        last = max(last, begun_at + each.seconds)
    return last
