"""A table of cells that are cut at commas, semicolons or tabs, as spreadsheets write it."""

import re
from collections.abc import Iterator, Sequence

from orchestrator.playbook.faults import Place
from orchestrator.playbook.tables.cells import shown
from orchestrator.playbook.tables.sheets import LINES, Cell, Complain, Row, Sheet, split_lines


def read_csv(text: str, complain: Complain) -> Sheet:
    """Read rows of cells under a header; blank rows and lines that begin with # are none."""
    sheet = Sheet()
    records = _Records(text, complain)
    sheet.separator = records.separator
    header: list[Cell] | None = None
    for record in records:
        if header is None:
            header = record
            _take_header(sheet, header, complain)
        elif len(record) != len(header):
            sheet.is_complete = False
            complain(
                Place(record[0].line, record[0].column),
                f"this row has {_counted(len(record))}, the header {len(header)}",
                f"cells are cut at {_NAMES[records.separator]}; one that holds it needs quotes",
            )
        else:
            cells = {column.text: cell for column, cell in zip(header, record, strict=True)}
            sheet.rows.append(Row(Place(record[0].line, record[0].column), cells))
    sheet.is_complete = sheet.is_complete and records.is_complete
    return sheet


_NAMES = {";": "the semicolon", "\t": "the tab", ",": "the comma"}


def _counted(cells: int) -> str:
    return "1 cell" if cells == 1 else f"{cells} cells"


def _take_header(sheet: Sheet, header: Sequence[Cell], complain: Complain) -> None:
    for number, cell in enumerate(header, start=1):
        place = Place(cell.line, cell.column, max(1, cell.length))
        if not cell.text:
            sheet.is_complete = False
            complain(place, f"column {number} has no name in the header", "name it or remove it")
        elif cell.text in sheet.columns:
            sheet.is_complete = False
            complain(place, f"the column {shown(cell.text)} stands twice in the header", "keep one")
        else:
            sheet.columns[cell.text] = place


class _Records:
    """Cuts a text into records of cells; quotes may hold separators and line breaks."""

    def __init__(self, text: str, complain: Complain) -> None:
        self._text = text
        self._complain = complain
        self._at = self._line_start = 0
        self._line = 1
        self.is_complete = True
        self.separator = self._separator()
        blank = " " if self.separator == "\t" else r"[ \t]"
        self._cell = re.compile(
            rf'{blank}*+(?:"((?:[^"]++|"")*+)"{blank}*+(?=[{self.separator}\r\n]|\Z)'
            rf"|([^{self.separator}\r\n]*+))"
        )

    def _separator(self) -> str:
        first = next((line for line in split_lines(self._text) if _counts(line)), "")
        hinted = re.fullmatch(r"\s*sep=([;,\t])\s*", first)
        if hinted:  # a first line by which spreadsheets tell the separator
            lines = self._text.find(first) + len(first)
            self._line += len(LINES.findall(self._text[:lines]))
            self._at = self._line_start = lines
            return hinted.group(1)
        bare = re.sub(r'"[^"]*"', "", first)
        return next((sign for sign in (";", "\t", ",") if sign in bare), ",")

    def __iter__(self) -> Iterator[list[Cell]]:
        text, end = self._text, len(self._text)
        while self._at < end:
            if text[self._at] == "#":
                self._at = _line_end(text, self._at)
                self._next_line()
                continue
            record = self._plain_record() or self._record()
            if record is None:
                self.is_complete = False
                return
            if any(cell.text for cell in record):
                yield record

    def _plain_record(self) -> list[Cell] | None:
        """Give the cells of a line without any quote, which is most lines; None for another."""
        end = _line_end(self._text, self._at)
        line = self._text[self._at : end]
        if '"' in line:
            return None
        record, column = [], 1
        for piece in line.split(self.separator):
            record.append(Cell(piece.strip(), self._line, column, len(piece), is_text=True))
            column += len(piece) + 1
        self._at = end
        self._next_line()
        return record

    def _record(self) -> list[Cell] | None:
        record: list[Cell] = []
        text = self._text
        while True:
            found = self._cell.match(text, self._at)
            assert found is not None, "a cell may be empty, so one is always found"
            quoted, plain = found.groups()
            column = self._at - self._line_start + 1
            line = self._line
            if quoted is None and plain.startswith('"'):
                self._refuse_quote(found.start(2))
                return None
            self._at = found.end()
            if quoted is None:
                content = plain.strip()
            else:
                content = quoted.replace('""', '"')
                for broken in LINES.finditer(quoted):
                    self._line += 1
                    self._line_start = found.start(1) + broken.end()
            length = 1 if line != self._line else found.end() - found.start()
            record.append(Cell(content, line, column, length, is_text=True))
            if self._at >= len(text) or text[self._at] != self.separator:
                self._next_line()
                return record
            self._at += 1

    def _next_line(self) -> None:
        if self._at < len(self._text):
            self._at += 2 if self._text.startswith("\r\n", self._at) else 1
            self._line += 1
            self._line_start = self._at

    def _refuse_quote(self, start: int) -> None:
        place = Place(self._line, start - self._line_start + 1)
        opened = re.compile(r'"(?:[^"]++|"")*+"').match(self._text, start)
        if opened is None:
            self._complain(
                place, "a quote is opened here and never closed", "close it, or write it twice"
            )
        else:
            hint = 'a quote inside of quotes is written twice: ""'
            self._complain(place, "something stands behind the closing quote of this cell", hint)


def _line_end(text: str, start: int) -> int:
    found = LINES.search(text, start)
    return found.start() if found else len(text)


def _counts(line: str) -> bool:
    return bool(line.strip(" \t,;")) and not line.startswith("#")
