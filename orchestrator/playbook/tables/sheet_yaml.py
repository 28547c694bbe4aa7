"""A table as a YAML list of flat mappings."""

from orchestrator.playbook.composing import Bounds, Mapping, Scalar, Sequence, compose
from orchestrator.playbook.faults import Faults, Place
from orchestrator.playbook.tables.sheets import LONGEST_NAME, Cell, Complain, Sheet, take_row

_BOUNDS = Bounds("table", 64 * 1024 * 1024, 5_000_000, "a table begins with `- serial_number: ...`")


def read_yaml(text: str, complain: Complain) -> Sheet:
    """Read a list of flat mappings; the columns are all keys, in the order of their first use."""
    sheet = Sheet()
    faults = Faults("", text)
    root = compose(text, faults, _BOUNDS)
    for fault in faults.found:
        sheet.is_complete = False
        complain(Place(fault.line, fault.column, fault.length), fault.message, fault.hint)
    if root is None:
        return sheet
    if not isinstance(root, Sequence):
        sheet.is_complete = False
        complain(
            root.place, "this is no list of rows", "begin each row with `- serial_number: ...`"
        )
        return sheet
    # What an alias stands for is written further up: then the alias is the place.
    for item in root.items:
        if not isinstance(item, Mapping):
            sheet.is_complete = False
            complain(item.place, "this row is no mapping", "write it as `- serial_number: ...`")
            continue
        cells: dict[str, Cell] = {}
        for entry in item.entries:
            node = entry.value
            if not isinstance(node, Scalar):
                sheet.is_complete = False
                message = "a cell holds one value, not a list or a mapping"
                complain(entry.key.place, message, "")
            elif not entry.key.text.strip() or len(entry.key.text) > LONGEST_NAME:
                sheet.is_complete = False
                complain(entry.key.place, "this is no name of a column", "name it in a word")
            else:
                place = max(node.place, entry.key.place, item.place, key=_order)
                cells[entry.key.text] = _yaml_cell(node, place)
        first = item.entries[0].key.place if item.entries else item.place
        take_row(sheet, max(first, item.place, key=_order), cells)
    return sheet


def _yaml_cell(node: Scalar, place: Place) -> Cell:
    is_text = not node.is_plain
    return Cell(node.text, place.line, place.column, place.length, is_text, node.is_null)


def _order(place: Place) -> tuple[int, int]:
    return place.line, place.column
