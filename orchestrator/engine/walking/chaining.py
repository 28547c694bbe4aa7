"""Chains: the steps that bring a device back into service after it lost its configuration."""

from collections.abc import Iterator, Sequence

from orchestrator.model.operations import Operation
from orchestrator.model.steps import RequestStep, Step

NO_CHAIN = -1


def chain_ends(steps: Sequence[Step]) -> tuple[int, ...]:
    """Give for each step the index of the last step of the chain it continues, or -1.

    A chain begins with a destructive operation and ends with the last `reconf` before the next
    destructive operation, or the last `sync` when there is no `reconf`; without either there is
    none. A device that stands before step i is inside its chain where the i-th entry is not -1.
    """
    ends = [NO_CHAIN] * len(steps)
    for begin, behind in _stretches(steps):
        end = _end(steps, begin, behind)
        if end is not None:
            ends[begin + 1 : end + 1] = [end] * (end - begin)
    return tuple(ends)


def _stretches(steps: Sequence[Step]) -> Iterator[tuple[int, int]]:
    """Give each destructive step and the index behind the last step that may restore it."""
    begins = [
        index
        for index, step in enumerate(steps)
        if isinstance(step, RequestStep) and step.operation.is_destructive
    ]
    yield from zip(begins, [*begins[1:], len(steps)], strict=False)


def _end(steps: Sequence[Step], begin: int, behind: int) -> int | None:
    for restoring in (Operation.RECONF, Operation.SYNC):
        for index in range(behind - 1, begin, -1):
            step = steps[index]
            if isinstance(step, RequestStep) and step.operation is restoring:
                return index
    return None
