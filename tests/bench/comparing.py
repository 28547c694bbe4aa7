"""Two saved runs side by side: what became of every figure. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tests.bench.figures import Figure
from tests.bench.tables import ratio, with_unit

SAME = 0.10
"""Change of a figure without rounds below which nothing is said."""
MARK = " *"
LEGEND = (
    f"* the rounds of the two runs do not overlap; without rounds: changed by more than {SAME:.0%}"
)


def compared_runs(then: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """Write for every figure what it was, what it is and by how much it changed.

    Ratios are compared where there are some, because two runs seldom meet the machine in the same
    mood; a change is marked where the rounds of the two runs do not overlap, or, where there are
    none, where it is large.
    """
    lines = [*_warnings(then, now)]
    before = {key(each): each for each in figures_of(then)}
    after = figures_of(now)
    width = max((len(name_of(each)) for each in after), default=0)
    for figure in after:
        was = before.pop(key(figure), None)
        told = "new" if was is None else _change(was, figure)
        lines.append(f"{name_of(figure):{width}}  {told}".rstrip())
    lines += [
        f"{name_of(each):{width}}  gone" for each in before.values() if each.part in now["seconds"]
    ]
    if any(line.endswith(MARK) for line in lines):
        lines.append(LEGEND)
    return "\n".join(lines)


def figures_of(said: Mapping[str, Any]) -> list[Figure]:
    """Give the figures of a saved run."""
    return [Figure(**each) for each in said["figures"]]


def key(figure: Figure) -> tuple[str, str, str]:
    """Give what makes two figures of different runs the same."""
    return figure.part, figure.name, figure.yardstick


def name_of(figure: Figure) -> str:
    """Name a figure so that it cannot be taken for another."""
    beside = f" / {figure.yardstick}" if figure.yardstick else ""
    return f"{figure.part}  {figure.name}{beside}"


def _change(was: Figure, now: Figure) -> str:
    if was.ratio is not None and now.ratio is not None:
        then_and_now = f"{ratio(was.ratio)} -> {ratio(now.ratio)}"
        before, after = was.ratio, now.ratio
    else:
        then_and_now = f"{with_unit(was.ours, was.unit)} -> {with_unit(now.ours, now.unit)}"
        before, after = was.ours, now.ours
    if not before:
        return then_and_now
    change = after / before - 1
    mark = MARK if _is_beyond(was, now, change) else ""
    return f"{then_and_now}  {change:+.0%}{mark}"


def _is_beyond(was: Figure, now: Figure, change: float) -> bool:
    ranges = (was.least, was.most, now.least, now.most)
    if any(each is None for each in ranges):
        return abs(change) > SAME
    assert was.least is not None
    assert was.most is not None
    assert now.least is not None
    assert now.most is not None
    return now.least > was.most or now.most < was.least


def _warnings(then: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    """Name what makes two runs hard to compare."""
    for what in ("rounds", "quick", "loop"):
        if then["asked"][what] != now["asked"][what]:
            yield f"note: {what} was {then['asked'][what]}, and is {now['asked'][what]}"
    for what in ("cores", "python", "processor"):
        if then["machine"][what] != now["machine"][what]:
            yield f"note: {what} was {then['machine'][what]}, and is {now['machine'][what]}"


def missed(figures: Sequence[Figure]) -> int:
    """Count the goals that are not reached."""
    return sum(figure.is_met is False for figure in figures)
