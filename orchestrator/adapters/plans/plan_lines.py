"""A plan's file line by line: a head as one document, then a device a line, never all in memory."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
import orjson

from orchestrator.model.device_sets import DeviceRows, DeviceSet
from orchestrator.model.planned_devices import PlannedDevice, lasting_part

_BEGIN = b'"devices": [\n'
_END = b"]}}\n"
_PIECE = 1 << 16


@dataclass(frozen=True, slots=True)
class PlanLines:
    """What was read of a plan's file whose devices stand a line each."""

    document: dict[str, Any]
    """As the file has it, but with no devices."""
    devices: DeviceSet
    seal: str
    """The digest of what was read."""


def digest_of(head: Mapping[str, Any], lasting_rows: Iterable[bytes]) -> str:
    """Give the SHA-256 of a plan's head and of its rows, which are in one order and without what a
    run counts anew.
    """
    seal = hashlib.sha256(_plain(head))
    for row in lasting_rows:
        seal.update(b"\n%b" % row)
    return seal.hexdigest()


def lines_of(
    version: int, seal: str, head: Mapping[str, Any], rows: Iterable[bytes]
) -> Iterator[bytes]:
    """Give the file in pieces of some length, a device a line."""
    piece = bytearray(b'{"v": %d, "digest": "%s", "plan": {\n' % (version, seal.encode()))
    for name, value in head.items():
        piece += b"%s: %s,\n" % (orjson.dumps(name), orjson.dumps(value))
    piece += _BEGIN.rstrip()
    before = b"\n"
    for row in rows:
        piece += before
        piece += row
        before = b",\n"
        if len(piece) >= _PIECE:
            yield bytes(piece)
            piece.clear()
    yield bytes(piece) + b"\n" + _END


def read_lines(path: Path, versions: Iterable[int]) -> PlanLines | None:
    """Read a file of one of these versions that is laid out as `lines_of` does it.

    None for every other file, whatever is wrong with it: whoever reads it as one document can say.
    """
    try:
        with path.open("rb") as file:
            return _read(file, frozenset(versions))
    except (ArithmeticError, KeyError, OSError, TypeError, ValueError):
        return None


def _read(file: BinaryIO, versions: frozenset[int]) -> PlanLines | None:
    document = _head(file)
    if document is None or document.get("v") not in versions or "digest" not in document:
        return None
    head = {name: value for name, value in document["plan"].items() if name != "devices"}
    seal, rows = hashlib.sha256(_plain(head)), DeviceRows()
    is_more = True
    for line in file:
        if line == _END:
            is_whole = not file.read(1) and not (is_more and rows.ids)
            return PlanLines(document, DeviceSet(rows), seal.hexdigest()) if is_whole else None
        if not is_more:
            return None
        is_more = line.endswith(b",\n")
        content = orjson.loads(line[:-2] if is_more else line)
        row = _plain(content)
        rows.add_row(msgspec.convert(content, PlannedDevice).id, row)
        seal.update(b"\n%b" % lasting_part(row))
    return None


def _head(file: BinaryIO) -> dict[str, Any] | None:
    """Give the document with no devices, and leave the file where they begin."""
    lines = bytearray()
    for line in file:
        if line == _BEGIN:
            found = orjson.loads(bytes(lines) + b'"devices": []}}')
            return found if isinstance(found, dict) and isinstance(found["plan"], dict) else None
        lines += line
    return None


def _plain(content: Mapping[str, Any]) -> bytes:
    return orjson.dumps(content, option=orjson.OPT_SORT_KEYS)
