"""Single values: texts, numbers, durations, moments and words, each read from what was written."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from orchestrator.model import durations, moments
from orchestrator.model.amounts import Share
from orchestrator.model.policies import Approver
from orchestrator.playbook.composing import Scalar
from orchestrator.playbook.faults import nearest
from orchestrator.playbook.shapes import INVALID, VARIABLE, JsonSchema, Spot, scalar

_WHOLE = re.compile(r"[+-]?\d{1,15}")
_DECIMAL = re.compile(r"[+-]?(\d{1,15}(\.\d*)?|\.\d+)")


@dataclass(frozen=True, slots=True)
class Text:
    """One line of text, or several."""

    pattern: str = ""
    wanted: str = "a text"
    longest: int = 10_000
    hint: str = ""
    """What would be right where the pattern does not fit."""

    def read(self, spot: Spot) -> Any:
        """Give the text as written."""
        node = scalar(spot, self.wanted)
        if node is None:
            return INVALID
        if len(node.text) > self.longest:
            return spot.fault(f"this text is longer than {self.longest} characters")
        if self.pattern and not re.fullmatch(self.pattern, node.text):
            return spot.fault(f"{node.text!r} is not {self.wanted}", self.hint)
        return node.text

    def schema(self) -> JsonSchema:
        """Numbers and truth values are taken as the text they are written as."""
        text: JsonSchema = {"type": ["string", "number", "boolean"]}
        if not self.pattern:
            return text
        return {"anyOf": [text | {"pattern": f"^{self.pattern}$"}, VARIABLE]}


_NO_WORDS = re.compile(r"true|false|yes|no|on|off|[-+.\d]+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Sentence:
    """What a person will read: it says something, and is no bare truth value or number."""

    wanted: str
    longest: int = 1000

    def read(self, spot: Spot) -> Any:
        """Give the text without the blanks around it."""
        node = scalar(spot, self.wanted)
        if node is None:
            return INVALID
        text = node.text.strip()
        if not text or (node.is_plain and _NO_WORDS.fullmatch(text)):
            return spot.fault(f"{node.text!r} is not {self.wanted}", "write it in words")
        if len(text) > self.longest:
            return spot.fault(f"this text is longer than {self.longest} characters")
        return text

    def schema(self) -> JsonSchema:
        """Text with something in it."""
        return {"type": "string", "pattern": r"\S"}


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number."""

    least: int = 0
    wanted: str = "a whole number"
    most: int | None = None

    def read(self, spot: Spot) -> Any:
        """Give an int."""
        node = scalar(spot, self.wanted)
        if node is None:
            return INVALID
        if not _WHOLE.fullmatch(node.text):
            return spot.fault(
                f"{node.text!r} is not {self.wanted}", f"write one such as {self._such}"
            )
        if not node.is_plain:
            return spot.fault(
                f"{node.text!r} in quotes is a text, expected {self.wanted}", "remove the quotes"
            )
        if int(node.text) < self.least:
            return spot.fault(f"{node.text} is below the least possible, {self.least}")
        if self.most is not None and int(node.text) > self.most:
            return spot.fault(f"{node.text} is above the most possible, {self.most}")
        return int(node.text)

    @property
    def _such(self) -> int:
        return max(self.least, 1)

    def schema(self) -> JsonSchema:
        """An integer with its bounds."""
        whole: JsonSchema = {"type": "integer", "minimum": self.least}
        if self.most is not None:
            whole["maximum"] = self.most
        return {"anyOf": [whole, VARIABLE]}


_PERCENT_DIGITS = 4
_PERCENT = re.compile(r"[0-9]{1,15}(\.[0-9]{1,4})?%")


@dataclass(frozen=True, slots=True)
class Percent:
    """A share, as so many percent; four digits behind the point are kept exactly."""

    may_be_none: bool = False
    may_be_all: bool = True

    def read(self, spot: Spot) -> Any:
        """Give a Share."""
        wanted = "a share such as 10%"
        node = scalar(spot, wanted)
        if node is None:
            return INVALID
        if not _PERCENT.fullmatch(node.text):
            return spot.fault(f"{node.text!r} is not {wanted}", _percent_hint(node.text))
        share = Share.of_percent(node.text.removesuffix("%"))
        if share.fraction > 1:
            return spot.fault(f"{node.text} is more than all of them", "write at most 100%")
        if share.fraction == 1 and not self.may_be_all:
            return spot.fault(
                f"{node.text} is never exceeded, so it would stop nothing",
                "write a share below 100%, or remove it",
            )
        if not share.fraction and not self.may_be_none:
            return spot.fault(f"{node.text} of the devices is no device", "write more than 0%")
        return share

    def schema(self) -> JsonSchema:
        """Text that ends with a percent sign, within the bounds."""
        low = "" if self.may_be_none else r"(?!0+(\.0+)?%)"
        high = r"(0*100(\.0+)?|0*[0-9]{1,2}(\.[0-9]+)?)"
        not_all = "" if self.may_be_all else r"(?!0*100(\.0+)?%)"
        return {"anyOf": [{"type": "string", "pattern": f"^{low}{not_all}{high}%$"}, VARIABLE]}


def _percent_hint(text: str) -> str:
    found = re.fullmatch(r"\s*([0-9]{0,15})(?:[.,]([0-9]+))?\s*(%|percent|per cent|pct)?\s*", text)
    if found is None:
        return "a share is never below zero" if text.strip().startswith("-") else ""
    whole, rest, sign = found.groups()
    if not whole and not rest:
        return ""
    if rest and len(rest) > _PERCENT_DIGITS:
        return f"a share has at most {_PERCENT_DIGITS} digits behind the point"
    if not sign and rest and not int(whole or 0):
        return f"did you mean {float('0.' + rest) * 100:g}%?"
    return f"did you mean {int(whole or 0)}{'.' + rest if rest else ''}%?"


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number of devices, or a share of a set of them."""

    count: Whole
    share: Percent

    def read(self, spot: Spot) -> Any:
        """Give an int or a Share."""
        node = scalar(spot, self.count.wanted)
        if node is None:
            return INVALID
        if "%" in node.text:
            return self.share.read(spot)
        if _WHOLE.fullmatch(node.text):
            return self.count.read(spot)
        is_decimal = _DECIMAL.fullmatch(node.text) and 0 < float(node.text) < 1
        hint = "" if not is_decimal else _percent_hint(node.text)
        return spot.fault(
            f"{node.text!r} is not {self.count.wanted}",
            hint or "write a count such as 5, or a share such as 10%",
        )

    def schema(self) -> JsonSchema:
        """An integer or a percentage, each with its bounds."""
        count, share = self.count.schema()["anyOf"][0], self.share.schema()["anyOf"][0]
        return {"anyOf": [count, share, VARIABLE]}


@dataclass(frozen=True, slots=True)
class Rate:
    """A number above nothing, or `none` for no limit."""

    def read(self, spot: Spot) -> Any:
        """Give a float, or None for no limit."""
        wanted = "a number such as 10, or none for no limit"
        at = spot.node
        if isinstance(at, Scalar) and (at.text == "none" or (at.is_null and at.text)):
            return None
        node = scalar(spot, wanted)
        if node is None:
            return INVALID
        if not _DECIMAL.fullmatch(node.text):
            return spot.fault(f"{node.text!r} is not {wanted}")
        if float(node.text) <= 0:
            return spot.fault(f"{node.text} would never let anything pass", f"write {wanted}")
        return float(node.text)

    def schema(self) -> JsonSchema:
        """A positive number, null or `none`."""
        return {
            "anyOf": [
                {"type": "number", "exclusiveMinimum": 0},
                {"type": "null"},
                {"const": "none"},
                VARIABLE,
            ]
        }


_DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class Duration:
    """Time in seconds or as `200ms 30s 10m 4h 2d`, of at most so many days."""

    may_be_zero: bool = True
    longest_days: int = 365

    def read(self, spot: Spot) -> Any:
        """Give seconds as a float."""
        wanted = "a duration such as 200ms, 30s, 10m, 4h or 2d"
        node = scalar(spot, wanted)
        if node is None:
            return INVALID
        if _DECIMAL.fullmatch(node.text.strip()):
            seconds = float(node.text)
        else:
            try:
                seconds = durations.from_text(node.text)
            except ValueError:
                return spot.fault(f"{node.text!r} is not {wanted}", _duration_hint(node.text))
        if seconds > self.longest_days * _DAY:
            days = f"{self.longest_days}d"
            return spot.fault(
                f"{node.text} is longer than the longest possible, {days}",
                f"write at most {days}",
            )
        if seconds < 0:
            return spot.fault(f"{node.text} is below zero", f"write {wanted}")
        if seconds == 0 and not self.may_be_zero:
            return spot.fault(f"{node.text} leaves no time at all", f"write {wanted}")
        return seconds

    def schema(self) -> JsonSchema:
        """A number of seconds, or text with units, whose length a pattern cannot bound."""
        low = "minimum" if self.may_be_zero else "exclusiveMinimum"
        seconds = {"type": "number", low: 0, "maximum": self.longest_days * _DAY}
        return {"anyOf": [seconds, {"$ref": "#/$defs/duration"}, VARIABLE]}


_UNITS = {
    "sec": "s", "secs": "s", "second": "s", "seconds": "s", "min": "m", "mins": "m",
    "minute": "m", "minutes": "m", "hour": "h", "hours": "h", "hr": "h", "hrs": "h",
    "day": "d", "days": "d", "S": "s", "M": "m", "H": "h", "D": "d", "MS": "ms",
}  # fmt: skip


def _duration_hint(text: str) -> str:
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([A-Za-z]+)\s*", text)
    if found is None:
        return ("-" in text and "a duration is never below zero") or ""
    number, unit = found.groups()
    known = _UNITS.get(unit) or _UNITS.get(unit.lower())
    if unit.lower() in ("w", "week", "weeks"):
        return f"count in days: {float(number) * 7:g}d"
    return f"did you mean {number}{known}?" if known else "the units are ms, s, m, h and d"


@dataclass(frozen=True, slots=True)
class Moment:
    """A date or a date-time; without a zone it is UTC."""

    def read(self, spot: Spot) -> Any:
        """Give seconds since 1970."""
        wanted = "a date such as 2026-01-31, or 2026-01-31 22:00:00+00:00"
        node = scalar(spot, wanted)
        if node is None:
            return INVALID
        try:
            return moments.from_text(node.text)
        except ValueError:
            return spot.fault(f"{node.text!r} is not {wanted}")

    def schema(self) -> JsonSchema:
        """Text that begins with a date."""
        return {"anyOf": [{"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}"}, VARIABLE]}


@dataclass(frozen=True, slots=True)
class Words:
    """One of a few words."""

    meanings: Mapping[str, Any]
    wanted: str
    schema_values: tuple[Any, ...]
    hints: Mapping[str, str] = field(default_factory=dict)
    """What is better written instead of a word that people try."""
    is_plain: bool = False
    """Quotes make a text of the word, which is then no longer meant."""

    def read(self, spot: Spot) -> Any:
        """Give what the word means."""
        node = scalar(spot, self.wanted)
        if node is None:
            return INVALID
        if self.is_plain and not node.is_plain:
            return spot.fault(
                f"{node.text!r} in quotes is a text, expected {self.wanted}", "remove the quotes"
            )
        if node.text not in self.meanings:
            hint = self.hints.get(node.text.lower()) or nearest(node.text, list(self.meanings))
            return spot.fault(f"{node.text!r} is not {self.wanted}", hint)
        return self.meanings[node.text]

    def schema(self) -> JsonSchema:
        """An enumeration."""
        return {"anyOf": [{"enum": list(self.schema_values)}, VARIABLE]}


FLAG = Words(
    {"true": True, "True": True, "1": True, "false": False, "False": False, "0": False},
    "true or false",
    (True, False, 0, 1),
    {"yes": "write true", "on": "write true", "no": "write false", "off": "write false"},
    is_plain=True,
)


APPROVER = Words(
    {approver.value: approver for approver in Approver},
    "a person: anybody, or another than the one who started the run",
    tuple(Approver),
    {"anyone": "did you mean 'anybody'?", "other": "did you mean 'another'?"},
)
"""Who may approve."""


@dataclass(frozen=True, slots=True)
class Value:
    """A text, a number or a truth value; quotes make a text of it."""

    is_number: bool = False

    def read(self, spot: Spot) -> Any:
        """Give a str, int, float or bool."""
        wanted = "a number" if self.is_number else "a value"
        node = scalar(spot, wanted)
        if node is None:
            return INVALID
        if _WHOLE.fullmatch(node.text) and (node.is_plain or self.is_number):
            return int(node.text)
        if _DECIMAL.fullmatch(node.text) and (node.is_plain or self.is_number):
            return float(node.text)
        if self.is_number:
            return spot.fault(f"{node.text!r} is not {wanted}")
        if node.is_plain and node.text in ("true", "True", "false", "False"):
            return node.text in ("true", "True")
        return node.text

    def schema(self) -> JsonSchema:
        """Whatever stands alone; a number may be quoted."""
        if not self.is_number:
            return {"type": ["string", "number", "boolean"]}
        quoted = {"type": "string", "pattern": rf"^{_DECIMAL.pattern}$"}
        return {"anyOf": [{"type": "number"}, quoted, VARIABLE]}
