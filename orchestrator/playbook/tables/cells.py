"""What may be written into a field of a record: the type each documented one has (api.md 1.9)."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from orchestrator.model.devices import WRITABLE_FIELDS
from orchestrator.model.values import Plain
from orchestrator.playbook.composing import FORBIDDEN
from orchestrator.playbook.conditions import KNOWN_FIELDS
from orchestrator.playbook.shapes import JsonSchema

READ_ONLY_FIELDS = KNOWN_FIELDS - frozenset(WRITABLE_FIELDS) - {"reboot"}
"""Documented fields that the controller or the device alone sets."""
LONGEST_TEXT = 10_000

_WHOLE = re.compile(r"\d{1,15}", re.ASCII)
_SIGNED = re.compile(r"[+-]?\d{1,15}", re.ASCII)
_DECIMAL = re.compile(r"[+-]?(\d{1,15}(\.\d{0,30})?|\.\d{1,30})", re.ASCII)
_CLOSE = 0.85


@dataclass(frozen=True, slots=True)
class Wrong:
    """Why a text is no value of a field, and what would be right."""

    message: str
    hint: str = ""


Reader = Callable[[str], "Plain | Wrong"]


def _flag(text: str) -> Plain | Wrong:
    word = text.strip().lower()
    if word in ("true", "1"):
        return True
    if word in ("false", "0"):
        return False
    hints = {"yes": "true", "on": "true", "up": "true", "no": "false", "off": "false"}
    return Wrong(f"{shown(text)} is not true or false", f"write {hints.get(word, 'true or false')}")


def _whole(least: int) -> Reader:
    def read(text: str) -> Plain | Wrong:
        if not _WHOLE.fullmatch(text.strip()):
            return Wrong(f"{shown(text)} is not a whole number", "write one such as 15")
        number = int(text)
        if number < least:
            return Wrong(f"{shown(text)} is below the least possible, {least}")
        return number

    return read


def _degrees(most: int) -> Reader:
    def read(text: str) -> Plain | Wrong:
        text = text.strip()
        if not _DECIMAL.fullmatch(text):
            with_point = text.replace(",", ".", 1)
            hint = f"write {with_point}" if _DECIMAL.fullmatch(with_point) else "write 47.6062"
            return Wrong(f"{shown(text)} is not a number of degrees", hint)
        if abs(float(text)) > most:
            return Wrong(f"{shown(text)} is not between -{most} and {most} degrees")
        return text

    return read


def _text(text: str) -> Plain | Wrong:
    if len(text) > LONGEST_TEXT:
        return Wrong(f"this text is longer than {LONGEST_TEXT:,} characters")
    found = FORBIDDEN.search(text)
    if found:
        code = f"U+{ord(found.group()):04X}"
        return Wrong(f"the control character {code} must not stand in a value")
    return text


def _named(text: str) -> Plain | Wrong:
    return _text(text) if text.strip() else Wrong("it must not be empty")


_READERS: Mapping[str, Reader] = {
    "is_active": _flag,
    "debug": _flag,
    "type": _whole(0),
    "organization_id": _whole(0),
    "location": _whole(0),
    "firmware_image": _whole(0),
    "update_frequency": _whole(1),
    "latitude": _degrees(90),
    "longitude": _degrees(180),
    "name": _named,
    "serial_number": _named,
}
_CLEARABLE = frozenset({"customer_id", "description", "location_name"}) | {
    *("location", "latitude", "longitude", "firmware_image")
}
"""Documented fields that may be written as null."""


def value_of(field: str, text: str, *, is_text: bool) -> Plain | Wrong:
    """Read what is to be written into a field; an undocumented one takes the type of what is written.

    `is_text`: it is text whatever it looks like, as in quotes.
    """
    reader = _READERS.get(field)
    if reader is not None:
        return reader(text)
    if field in WRITABLE_FIELDS or is_text:
        return _text(text)
    return typed(text)


def typed(text: str) -> Plain | Wrong:
    """Read a number or a truth value where the text is one, else the text."""
    if _SIGNED.fullmatch(text):
        return int(text)
    if _DECIMAL.fullmatch(text):
        return float(text)
    if text in ("true", "True", "false", "False"):
        return text in ("true", "True")
    return _text(text)


def null_of(field: str) -> Wrong | None:
    """Give null where a field may be emptied by it."""
    if field in WRITABLE_FIELDS and field not in _CLEARABLE:
        return Wrong(f"{field} cannot be null", "write a value, or leave it out")
    return None


def is_typed(field: str) -> bool:
    """True for a field whose value is no free text."""
    return field in _READERS and _READERS[field] is not _named


def near_writable(name: str) -> str | None:
    """Give the writable field that a name is nearly, None when it is one or is like none."""
    if name in WRITABLE_FIELDS or name in KNOWN_FIELDS:
        return None
    close = get_close_matches(name.lower().strip(), WRITABLE_FIELDS, n=1, cutoff=_CLOSE)
    return close[0] if close else None


def shown(text: str) -> str:
    """Quote a text for a message, cut where it is long."""
    return repr(text if len(text) <= 40 else text[:39] + "…")  # noqa: PLR2004 - told for people


def schema_of(field: str) -> JsonSchema:
    """Describe what may be written into a field; never stricter than the reader."""
    template: JsonSchema = {"type": "string", "pattern": r"\$\{"}
    reader = _READERS.get(field)
    if reader is _flag:
        return {"anyOf": [{"type": "boolean"}, {"enum": [0, 1]}, {"type": "string"}]}
    if reader is None or reader is _named:
        return {"type": ["string", "number", "boolean", "null"]}
    number: JsonSchema = {"type": "number"}
    if field in ("latitude", "longitude"):
        most = 90 if field == "latitude" else 180
        number |= {"minimum": -most, "maximum": most}
    else:
        number = {"type": "integer", "minimum": 0}
    quoted = {"type": "string", "pattern": rf"^\s*{_DECIMAL.pattern}\s*$"}
    return {"anyOf": [number, quoted, template, {"type": "null"}]}
