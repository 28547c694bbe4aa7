"""A table of one flat JSON object a line."""

import json
import re

from orchestrator.playbook.faults import Place
from orchestrator.playbook.tables.cells import shown
from orchestrator.playbook.tables.sheets import (
    LONGEST_NAME,
    Cell,
    Complain,
    Sheet,
    split_lines,
    take_row,
)

_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?", re.ASCII)
_PLAIN_NUMBER = re.compile(r"-?\d{1,15}(\.\d{1,15})?", re.ASCII)
_BLANKS = re.compile(r"[ \t]*")
_DECODER = json.JSONDecoder()


class _UnreadableError(Exception):
    def __init__(self, at: int, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.at = at
        self.message = message
        self.hint = hint


def read_jsonl(text: str, complain: Complain) -> Sheet:
    """Read one flat object a line; the columns are all names, in the order of their first use."""
    sheet = Sheet()
    for number, line in enumerate(split_lines(text), start=1):
        if not line.strip(" \t"):
            continue
        try:
            cells = _object(line, number)
        except _UnreadableError as wrong:
            sheet.is_complete = False
            complain(Place(number, wrong.at + 1), wrong.message, wrong.hint)
            continue
        start = len(line) - len(line.lstrip(" \t")) + 1
        take_row(sheet, Place(number, start), cells)
    return sheet


def _object(line: str, number: int) -> dict[str, Cell]:
    at = _skip(line, 0)
    if not line.startswith("{", at):
        hint = "write one object a line" + (
            ", or name the file .yaml, which may hold one list" if line.startswith("[", at) else ""
        )
        raise _UnreadableError(at, "this line is no JSON object", hint)
    cells: dict[str, Cell] = {}
    at = _skip(line, at + 1)
    if line.startswith("}", at):
        at += 1
    else:
        while True:
            name, end = _string(line, at, "a name in double quotes")
            if name in cells:
                raise _UnreadableError(
                    at, f"{shown(name)} stands twice in this line", "keep one of them"
                )
            if not name.strip() or len(name) > LONGEST_NAME:
                raise _UnreadableError(at, "this is no name of a column", "name it in a word")
            start = _skip(line, _expect(line, end, ":"))
            cells[name], at = _cell_at(line, number, start)
            at = _skip(line, at)
            if line.startswith(",", at):
                at = _skip(line, at + 1)
                continue
            at = _expect(line, at, "}")
            break
    at = _skip(line, at)
    if at < len(line):
        raise _UnreadableError(at, "something stands behind the object of this line", "one a line")
    return cells


def _cell_at(line: str, number: int, at: int) -> tuple[Cell, int]:
    if line.startswith('"', at):
        content, end = _string(line, at, "a text")
        return Cell(content, number, at + 1, end - at, is_text=True), end
    for word in ("true", "false", "null"):
        if line.startswith(word, at):
            end = at + len(word)
            is_null = word == "null"
            return Cell(word, number, at + 1, len(word), is_text=False, is_null=is_null), end
    found = _NUMBER.match(line, at)
    if found and not _PLAIN_NUMBER.fullmatch(found.group()):
        hint = "write at most 15 digits and no exponent, or a text in double quotes"
        raise _UnreadableError(at, "this number is too long to be kept as it is", hint)
    if found:
        return Cell(found.group(), number, at + 1, len(found.group()), is_text=False), found.end()
    if line.startswith(("{", "["), at):
        raise _UnreadableError(at, "a cell holds one value, not a list or an object")
    raise _UnreadableError(at, "this is no JSON value", 'a text stands in double quotes: "text"')


def _string(line: str, at: int, wanted: str) -> tuple[str, int]:
    if not line.startswith('"', at):
        raise _UnreadableError(at, f"expected {wanted}")
    try:
        content, end = _DECODER.raw_decode(line, at)
    except json.JSONDecodeError as error:
        raise _UnreadableError(min(error.pos, len(line)), "this text is not valid JSON") from error
    return content, end


def _skip(line: str, at: int) -> int:
    found = _BLANKS.match(line, at)
    return found.end() if found else at


def _expect(line: str, at: int, sign: str) -> int:
    at = _skip(line, at)
    if not line.startswith(sign, at):
        raise _UnreadableError(at, f"expected {sign} here")
    return at + 1
