"""Text for people: results on stdout, messages on stderr, and nothing that could steer a terminal."""

import os
import shutil
import sys
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TextIO

NARROWEST = 80
_WIDEST = 120
GAP = "  "
_COLOURS = {"red": "31", "green": "32", "yellow": "33", "bold": "1", "dim": "2"}


class Loud(str):
    """A line that nobody should overlook: shown in red where there are colours."""

    __slots__ = ()


def show(text: str = "", colour: str | None = None) -> None:
    """Write a result."""
    if colour is None and isinstance(text, Loud):
        colour = "red"
    with writing():
        sys.stdout.write(coloured(harmless(text), colour, sys.stdout) + "\n")


def show_data(text: str) -> None:
    """Write one line that is meant for programs, just as it is."""
    with writing():
        sys.stdout.write(text + "\n")


@contextmanager
def writing() -> Iterator[None]:
    """Raise OutputError when stdout takes no more; a reader who went away stays BrokenPipeError."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        from orchestrator.cli.exit_codes import OutputError

        raise OutputError.of(error) from error


def ask(text: str) -> str:
    """Put a question and give what was typed; empty when nothing more comes."""
    sys.stderr.write(harmless(text))
    sys.stderr.flush()
    return sys.stdin.readline().strip()


def note(text: str) -> None:
    """Write a message beside the results."""
    sys.stderr.write(harmless(text) + "\n")


def warn(text: str) -> None:
    """Write what is probably a mistake and yet no reason to stop."""
    sys.stderr.write(f"{coloured('warning:', 'yellow', sys.stderr)} {harmless(text)}\n")


def complain(text: str) -> None:
    """Write what is wrong."""
    sys.stderr.write(f"{coloured('error:', 'red', sys.stderr)} {harmless(text)}\n")


def coloured(text: str, colour: str | None, stream: TextIO) -> str:
    """Give text in a colour where a person watches and did not forbid it (NO_COLOR)."""
    forbidden = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    if colour is None or forbidden or not stream.isatty():
        return text
    return f"\x1b[{_COLOURS[colour]}m{text}\x1b[0m"


def is_watched() -> bool:
    """Tell whether stdout is a terminal on which a live view can be drawn."""
    return sys.stdout.isatty() and os.environ.get("TERM") != "dumb"


def width() -> int | None:
    """Give the columns to keep to; None when a program reads and lines may be long."""
    if not sys.stdout.isatty():
        return None
    return min(_WIDEST, max(NARROWEST // 2, shutil.get_terminal_size((NARROWEST, 24)).columns))


def table(
    head: Sequence[str], rows: Iterable[Sequence[object]], *, limit: int | None = None
) -> list[str]:
    """Give aligned lines; the last column is folded to `limit` columns in all, if there is a limit."""
    cells = [
        ["" if cell is None else harmless(str(cell)).replace("\n", " ") for cell in row]
        for row in rows
    ]
    lines = [list(head), *cells] if any(head) else cells
    if not lines:
        return []
    widths = [max(len(line[place]) for line in lines) for place in range(len(lines[0]))]
    taken = sum(widths[:-1]) + len(GAP) * (len(widths) - 1)
    return [line for row in lines for line in _row(row, widths, taken, limit)]


def _row(row: Sequence[str], widths: Sequence[int], taken: int, limit: int | None) -> Iterable[str]:
    start = "".join(f"{cell:<{wide}}{GAP}" for cell, wide in zip(row, widths[:-1], strict=False))
    room = max(20, limit - taken) if limit else 0
    folded = textwrap.wrap(row[-1], room) if limit and len(row[-1]) > room else [row[-1]]
    yield (start + folded[0]).rstrip()
    for more in folded[1:]:
        yield " " * taken + more


def folded(text: str, *, indent: str = "") -> str:
    """Fold prose to the terminal's width, or to 80 columns where there is none."""
    columns = width() or NARROWEST
    return textwrap.fill(
        text,
        columns,
        initial_indent=indent,
        subsequent_indent=indent,
        break_on_hyphens=False,
        break_long_words=False,
    )


def sentence(text: str) -> str:
    """End a text with a full stop, unless it ends like a sentence already."""
    return text if text.endswith((".", "?", "!")) else f"{text}."


def counted(count: int, noun: str) -> str:
    """Give a number with its noun."""
    return f"1 {noun}" if count == 1 else f"{count:,} {noun}s"


def harmless(text: str) -> str:
    """Give text without what could steer a terminal: names and reasons come from outside."""
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() or sign in "\n\t" else "?" for sign in text)
