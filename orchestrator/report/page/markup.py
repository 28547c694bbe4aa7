"""The parts a page is put together from; whatever goes into one is escaped there, once."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from orchestrator.model import moments
from orchestrator.report.wording import printable


@dataclass(frozen=True, slots=True)
class At:
    """A moment in a table; it is never broken over lines."""

    moment: float | None
    """None leaves the cell empty."""


@dataclass(frozen=True, slots=True)
class Judged:
    """Text in a table that is good or bad news, with what else there is to say of it."""

    text: str
    good: bool
    aside: str = ""


Cell = str | int | At | Judged

_PLAIN = ("what", "device")
"""Heads that a row read by itself does not need."""


def text(foreign: str) -> str:
    """Give text as it may stand in the page; nothing in it steers a browser or an editor."""
    return escape(printable(foreign))


def paragraph(told: str, kind: str = "") -> str:
    """Give one paragraph; nothing for empty text."""
    if not told:
        return ""
    return f'<p class="{kind}">{text(told)}</p>' if kind else f"<p>{text(told)}</p>"


def section(title: str, *parts: str) -> str:
    """Give a section; nothing when there is nothing to put into it."""
    filled = [part for part in parts if part]
    return f"<section><h2>{text(title)}</h2>{''.join(filled)}</section>" if filled else ""


def facts(pairs: Iterable[tuple[str, str]]) -> str:
    """Give names and what they stand for; those that stand for nothing are left out."""
    rows = "".join(f"<dt>{text(name)}</dt><dd>{text(told)}</dd>" for name, told in pairs if told)
    return f'<dl class="facts">{rows}</dl>' if rows else ""


def tile(count: int, words: str, mood: str) -> str:
    """Give one number that is seen from afar."""
    return f'<li class="{mood}"><b>{count:,}</b>{text(words)}</li>'


def table(heads: Sequence[str], rows: Iterable[Sequence[Cell]], *, stacks: bool = False) -> str:
    """Give a table; nothing without rows. One that `stacks` shows row by row on a phone."""
    return grouped_table(heads, [("", rows)], stacks=stacks)


def grouped_table(
    heads: Sequence[str],
    groups: Iterable[tuple[str, Iterable[Sequence[Cell]]]],
    *,
    stacks: bool = False,
) -> str:
    """Give a table whose rows stand under lines of their own; nothing without rows.

    A column in which no row says anything is left out.
    The line of a group is markup made with `group_line`, or empty for none.
    """
    kept = [(line, list(rows)) for line, rows in groups]
    columns = list(zip(*(row for _, rows in kept for row in rows), strict=True))
    if not columns:
        return ""
    used = [place for place, column in enumerate(columns) if any(map(_says_something, column))]
    body = ""
    for line, rows in kept:
        body += f'<tr class="group"><th colspan="{len(used)}">{line}</th></tr>' if line else ""
        for row in rows:
            body += f"<tr>{''.join(_cell(heads[place], row[place]) for place in used)}</tr>"
    head = "".join(
        _head(heads[place], any(isinstance(cell, int) for cell in columns[place])) for place in used
    )
    kind = ' class="stack"' if stacks else ""
    inner = f"<table{kind}><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f'<div class="scroll">{inner}</div>'


def group_line(told: str, aside: str) -> str:
    """Give the line above a group of rows."""
    return f"{text(told)} <span>{text(aside)}</span>"


def _says_something(cell: Cell) -> bool:
    return cell not in ("", At(None))


def _head(head: str, is_numeric: bool) -> str:
    return f'<th class="n">{text(head)}</th>' if is_numeric else f"<th>{text(head)}</th>"


def _cell(head: str, cell: Cell) -> str:
    name = "" if head in _PLAIN else f' data-head="{text(head)}"'
    match cell:
        case Judged():
            mood = "good" if cell.good else "bad"
            aside = f": {text(cell.aside)}" if cell.aside else ""
            return f'<td{name}><b class="{mood}">{text(cell.text)}</b>{aside}</td>'
        case At():
            told = "" if cell.moment is None else moments.as_short_text(cell.moment)
            return f'<td{name} class="t">{told}</td>'
        case int():
            return f'<td{name} class="n">{cell:,}</td>'
        case _:
            return f"<td{name}>{text(cell)}</td>"


def picture(drawings: Mapping[str, str], keys: str) -> str:
    """Give a picture in each of its shapes, with what its colours mean."""
    shapes = "".join(f'<div class="{name}">{drawing}</div>' for name, drawing in drawings.items())
    return f"<figure>{shapes}{keys}</figure>"


def legend(entries: Iterable[tuple[str, str, str]]) -> str:
    """Say what colours mean; each entry has a CSS variable, a shape and its meaning.

    An entry without a shape is a remark. Shapes are `area`, `shade`, `line`, `dashed`,
    `dashed dotted`, `cross` and `dot`.
    """
    told = "".join(f"<li>{_key(*entry[:2])}{text(entry[2])}</li>" for entry in entries)
    return f'<ul class="keys">{told}</ul>' if told else ""


def _key(variable: str, shape: str) -> str:
    if not shape:
        return ""
    signs = {"cross": "✖", "dot": "●"}
    if shape in signs:
        return f'<i class="{shape}" style="color: var({variable})">{signs[shape]}</i>'
    if shape in {"area", "shade"}:
        return f'<i class="{shape}" style="background: var({variable})"></i>'
    return f'<i class="{shape}" style="border-color: var({variable})"></i>'
