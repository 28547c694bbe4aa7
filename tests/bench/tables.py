"""The table of figures, for a terminal and for the README. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from textwrap import wrap
from typing import Any

from tests.bench.figures import Figure
from tests.bench.parts import PARTS

WIDTH = 100
"""Columns of a terminal that the table fits into; a long name goes on in the next line."""

HEADS = ("what", "ours", "theirs", "ratio", "of rounds", "goal", "")
_LEFT = {0, 5, 6}
_GAP = "  "

LEGEND = (
    "theirs: the yardstick, measured in the same run and in turns with ours, in the same unit; ratio:"
    " ours/theirs, the median over the rounds, with its least and its most; a goal with a unit is"
    " one for ours, else for the ratio."
)

_OF_LETTER = {part.letter: part for part in PARTS}


def as_text(figures: Sequence[Figure]) -> str:
    """Write the table for a terminal."""
    rows = [HEADS, *(_cells(figure) for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(1, len(HEADS))]
    room = WIDTH - sum(widths) - len(_GAP) * len(widths)
    widths.insert(0, min(room, max(len(f"  {row[0]}") for row in rows)))
    lines = list(_lined(HEADS, widths, indent=""))
    for letter, of_part in groupby(figures, key=lambda figure: figure.part):
        lines += ["", *_head_of(letter)]
        beside = ""
        for figure in of_part:
            if figure.yardstick and figure.yardstick != beside:
                beside = figure.yardstick
                lines.append(f"beside {beside}:")
            lines += _lined(_cells(figure), widths, indent="  ")
    return "\n".join([*lines, "", *wrap(LEGEND, WIDTH)])


def as_markdown(said: Mapping[str, Any], figures: Sequence[Figure]) -> str:
    """Write what stands in the README: when and where it was measured, and the lines with a goal."""
    lines = [
        heading(said),
        "",
        "| | what | ours | yardstick | ratio | of rounds | goal | |",
        "|---|---|--:|---|--:|---|---|---|",
    ]
    for figure in figures:
        if figure.is_met is None:
            continue
        what, ours, theirs, *others = _cells(figure)
        yardstick = f"{figure.yardstick}: {theirs}" if theirs else ""
        lines.append("| " + " | ".join((figure.part, what, ours, yardstick, *others)) + " |")
    return "\n".join([*lines, "", LEGEND])


def heading(said: Mapping[str, Any]) -> str:
    """Say when, how and where it was measured."""
    machine, asked = said["machine"], said["asked"]
    rounds = "1 round" if asked["rounds"] == 1 else f"{asked['rounds']} rounds"
    quick = "; small sizes, for a look only" if asked["quick"] else ""
    return (
        f"Measured on {said['date'][:10]}: {machine['cores']} cores, {machine['memory_gb']:.0f} GB,"
        f" {machine['system']}, Python {machine['python']}, {asked['loop']},"
        f" aiohttp {machine['libraries']['aiohttp']}; medians of {rounds}; load of the machine"
        f" {machine['load_before']:.1f} before, {machine['load_after']:.1f} after{quick}."
    )


def _head_of(letter: str) -> list[str]:
    part = _OF_LETTER.get(letter)
    if part is None:
        return [letter]
    about = wrap(part.counted, WIDTH, initial_indent="   ", subsequent_indent="   ")
    return [f"{letter}  {part.title}", *about]


def _lined(cells: Sequence[str], widths: Sequence[int], *, indent: str) -> Iterator[str]:
    """Give the lines of one row: its figures stand in the last."""
    *before, name = wrap(
        cells[0], widths[0], initial_indent=indent, subsequent_indent=f"{indent}  "
    )
    yield from before
    padded = [
        cell.ljust(width) if column in _LEFT else cell.rjust(width)
        for column, (cell, width) in enumerate(zip((name, *cells[1:]), widths, strict=True))
    ]
    yield _GAP.join(padded).rstrip()


def _cells(figure: Figure) -> tuple[str, ...]:
    has_range = figure.least is not None and figure.most is not None
    return (
        figure.name,
        with_unit(figure.ours, figure.unit),
        "" if figure.theirs is None else number(figure.theirs),
        "" if figure.ratio is None else ratio(figure.ratio),
        f"{ratio(figure.least or 0.0)}-{ratio(figure.most or 0.0)}" if has_range else "",
        _goal(figure),
        {None: "", True: "met", False: "MISSED"}[figure.is_met],
    )


def _goal(figure: Figure) -> str:
    is_of_ours = figure.ratio is None or figure.is_absolute
    goals = [("≥", figure.at_least), ("≤", figure.at_most)]
    return ", ".join(
        f"{sign} {with_unit(goal, figure.unit) if is_of_ours else f'{goal:.2f}'}"
        for sign, goal in goals
        if goal is not None
    )


def with_unit(value: float, unit: str) -> str:
    """Write a value with three digits that count, or whole; its unit behind it."""
    return f"{number(value)}{unit}" if unit.startswith("/") else f"{number(value)} {unit}".rstrip()


def number(value: float) -> str:
    """Write a value with three digits that count, or whole."""
    return f"{value:,.0f}" if value == 0 or abs(value) >= 100 else f"{value:.3g}"


def ratio(value: float) -> str:
    """Write a ratio so that differences show."""
    if value < 10:
        return f"{value:.2f}"
    return f"{value:.1f}" if value < 100 else f"{value:,.0f}"
