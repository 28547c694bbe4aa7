"""The table of figures, for a terminal and for the README. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from tests.bench.figures import Figure

HEADS = ("", "what", "ours", "yardstick", "ratio", "of a round", "goal", "")
_RIGHT = {2, 4}


def as_text(figures: Sequence[Figure]) -> str:
    """Write the table for a terminal."""
    rows = [HEADS, *(_cells(figure) for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADS))]
    lines = []
    for row in rows:
        padded = [
            cell.rjust(width) if column in _RIGHT else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(padded).rstrip())
    return "\n".join(lines)


def as_markdown(said: Mapping[str, Any], figures: Sequence[Figure]) -> str:
    """Write what stands in the README: when and where it was measured, and the table."""
    rows = [
        "| | what | ours | yardstick | ratio | of a round | goal | |",
        "|---|---|--:|---|--:|---|---|---|",
    ]
    rows += ["| " + " | ".join(_cells(figure)) + " |" for figure in figures]
    return f"{heading(said)}\n\n" + "\n".join(rows)


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


def _cells(figure: Figure) -> tuple[str, ...]:
    has_range = figure.least is not None and figure.most is not None
    return (
        figure.part,
        figure.name,
        with_unit(figure.ours, figure.unit),
        ""
        if figure.theirs is None
        else f"{figure.yardstick}: {with_unit(figure.theirs, figure.unit)}",
        "" if figure.ratio is None else ratio(figure.ratio),
        f"{ratio(figure.least or 0.0)} to {ratio(figure.most or 0.0)}" if has_range else "",
        _goal(figure),
        {None: "", True: "met", False: "MISSED"}[figure.is_met],
    )


def _goal(figure: Figure) -> str:
    is_of_ours = figure.ratio is None or figure.is_absolute
    unit = figure.unit if is_of_ours else ""
    goals = [("≥", figure.at_least), ("≤", figure.at_most)]
    return ", ".join(f"{sign} {with_unit(goal, unit)}" for sign, goal in goals if goal is not None)


def with_unit(value: float, unit: str) -> str:
    """Write a value with three digits that count, or whole; its unit behind it."""
    number = f"{value:,.0f}" if value == 0 or abs(value) >= 100 else f"{value:.3g}"
    return f"{number}{unit}" if unit.startswith("/") else f"{number} {unit}".rstrip()


def ratio(value: float) -> str:
    """Write a ratio so that differences show."""
    return f"{value:.2f}" if value < 10 else f"{value:,.1f}"
