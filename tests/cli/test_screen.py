"""Text for people: aligned, folded, coloured only where somebody wants it."""

import io

import pytest

from orchestrator.cli import screen


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_table_is_aligned_and_folds_its_last_column():
    lines = screen.table(("ID", "WHY"), [(1, "short"), (1002, "a reason " * 8)], limit=40)

    assert lines[0] == "ID    WHY"
    assert lines[1] == "1     short"
    assert lines[2].startswith("1002  a reason")
    assert all(line.startswith("      ") for line in lines[3:])
    assert max(map(len, lines)) <= 40


def test_a_table_for_a_program_is_never_folded():
    lines = screen.table(("ID", "WHY"), [(1, "a reason " * 30)])

    assert len(lines) == 2


def test_a_cell_is_one_line_without_control_characters():
    assert screen.table(("", ""), [("a\nb\x1b", None)]) == ["a b?"]


def test_an_empty_table_has_no_lines():
    assert screen.table(("", ""), []) == []


def test_colours_are_for_terminals(monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")

    assert screen.coloured("x", "red", Terminal()) == "\x1b[31mx\x1b[0m"
    assert screen.coloured("x", "red", io.StringIO()) == "x"
    assert screen.coloured("x", None, Terminal()) == "x"


@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_colours_can_be_forbidden(monkeypatch, name, value):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv(name, value)

    assert screen.coloured("x", "red", Terminal()) == "x"


def test_a_terminal_sets_the_width_within_bounds(monkeypatch):
    monkeypatch.setattr("sys.stdout", Terminal())
    widths = []
    for columns in ("10", "100", "900"):
        monkeypatch.setenv("COLUMNS", columns)
        widths.append(screen.width())

    assert widths == [40, 100, 120]


@pytest.mark.parametrize(("count", "told"), [(1, "1 device"), (2, "2 devices"), (0, "0 devices")])
def test_a_number_comes_with_its_noun(count, told):
    assert screen.counted(count, "device") == told
