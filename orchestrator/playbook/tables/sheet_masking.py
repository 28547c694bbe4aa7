"""A table's text written again without what is secret."""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence

from orchestrator.playbook.tables.sheets import LINES, Cell, Sheet


def masked_text(name: str, sheet: Sheet, secrets: frozenset[str], mask: str) -> str:
    """Write a table's text again with the mask in each secret cell that holds something.

    Read once more it means the same, and every row stands on its line. Comments are gone: one may
    hold what is secret.
    """
    rows = [
        (
            row.place.line,
            {c: _hidden(cell, mask) if c in secrets else cell for c, cell in row.cells.items()},
        )
        for row in sheet.rows
    ]
    if name.lower().endswith((".yaml", ".yml")):
        return _yaml_text(rows)
    if name.lower().endswith(".jsonl"):
        return _lines_of((line, "{" + _members(cells, _json_value) + "}") for line, cells in rows)
    header = next(iter(sheet.columns.values())).line
    names = _csv_line(sheet.columns, sheet.separator)
    lines = [(header, names)]
    lines += [
        (line, _csv_line((c.text for c in cells.values()), sheet.separator)) for line, cells in rows
    ]
    return _lines_of(lines)


def _hidden(cell: Cell, mask: str) -> Cell:
    is_empty = cell.is_null or not cell.text
    return cell if is_empty else cell._replace(text=mask, is_text=True)


def _lines_of(lines: Iterable[tuple[int, str]]) -> str:
    pieces: list[str] = []
    at = 1
    for line, text in lines:
        pieces.append("\n" * (line - at) + text + "\n")
        at = line + len(LINES.findall(text)) + 1
    return "".join(pieces)


def _csv_line(cells: Iterable[str], separator: str) -> str:
    return separator.join(_csv_cell(cell, separator) for cell in cells)


def _csv_cell(cell: str, separator: str) -> str:
    is_bare = cell == cell.strip() and not re.search(rf'["\r\n{separator};,\t]', cell)
    return (
        cell
        if is_bare and not cell.startswith(("#", "sep="))
        else '"' + cell.replace('"', '""') + '"'
    )


def _members(cells: Mapping[str, Cell], value: Callable[[Cell], str]) -> str:
    return ", ".join(f"{_quoted(name)}: {value(cell)}" for name, cell in cells.items())


def _json_value(cell: Cell) -> str:
    return _quoted(cell.text) if cell.is_text else cell.text


def _yaml_text(rows: Sequence[tuple[int, Mapping[str, Cell]]]) -> str:
    pieces = ["["]
    at = 1
    for line, cells in rows:
        pieces.append("\n" * (line - at) + "{" + _members(cells, _yaml_value) + "},")
        at = line
    return "".join(pieces) + "]\n"


_BARE = re.compile(r"[+-]?\d+\.?\d*|true|false|True|False|null|Null|NULL|~", re.ASCII)


def _yaml_value(cell: Cell) -> str:
    if cell.is_null:
        return "null"
    return cell.text if not cell.is_text and _BARE.fullmatch(cell.text) else _quoted(cell.text)


def _quoted(text: str) -> str:
    written = json.dumps(text, ensure_ascii=False)
    # Whole in JSON, these would be line breaks, or no signs at all, in YAML.
    return re.sub("[\x7f-\x9f\u2028\u2029\ufeff]", lambda f: f"\\u{ord(f.group()):04x}", written)
