"""What a playbook may demand of the fields of a record: values, lists, and the operators."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from orchestrator.model.devices import MOMENT_FIELDS, SECRET_FIELDS, Status
from orchestrator.model.selections import (
    AtLeast,
    Below,
    Condition,
    Equals,
    Matches,
    Missing,
    NewerThan,
    NothingPending,
    OlderThan,
    Present,
    SomethingPending,
)
from orchestrator.model.versions import version_key
from orchestrator.playbook import composing
from orchestrator.playbook.composing import Scalar
from orchestrator.playbook.faults import nearest
from orchestrator.playbook.shapes import (
    INVALID,
    VARIABLE,
    JsonSchema,
    Key,
    OneOrMany,
    Spot,
)
from orchestrator.playbook.values import (
    FLAG,
    Duration,
    Moment,
    Text,
    Value,
    Words,
)

_UP = ("up", "Up", "true", "True", "1")
_DOWN = ("down", "Down", "false", "False", "0")

STATUS = Words(
    {**dict.fromkeys(_UP, Status.UP), **dict.fromkeys(_DOWN, Status.DOWN)},
    "a status: up or down",
    ("up", "down", "Up", "Down", True, False, 0, 1),
    {"on": "write up", "yes": "write up", "online": "write up"}
    | {"off": "write down", "no": "write down", "offline": "write down"}
    | {"any": "leave the key out: then every status is taken"}
    | {"unknown": "only `where: {status: missing}` asks for an unknown status"},
)

TEXT_FIELDS = frozenset(
    {
        "address", "customer_id", "description", "hardware_version", "location_name",
        "location_short_name", "manufacturer", "name", "product_class", "serial_number",
        "serial_number_alt", "software_version", "type_short_name", "unique_identifier", "uuid",
    }
)  # fmt: skip
NUMBER_FIELDS = frozenset(
    {
        "firmware_image", "id", "latitude", "location", "longitude", "organization_id", "type",
        "update_frequency",
    }
)  # fmt: skip
FLAG_FIELDS = frozenset({"debug", "firmware_image_is_pending", "is_active", "reboot"})
KNOWN_FIELDS = (
    TEXT_FIELDS | NUMBER_FIELDS | FLAG_FIELDS | MOMENT_FIELDS | {"status", "pending_settings"}
)
"""The fields of a record that the controller documents (api.md 1.9)."""

_CLOSE = 0.85
_AGE = Duration(may_be_zero=False, longest_days=36_500)  # records may be older than a year
_COMPARING = ("below", "at_least")
_AGEING = ("older_than", "newer_than")
_BARE = {"missing": Missing(), "present": Present()}

OPERATORS: Mapping[str, str] = {
    "matches": "Shell patterns (* ? [abc]) without regard to case; of a list one has to fit.",
    "below": "Strictly below this version, number or date.",
    "at_least": "This version, number or date, or above it.",
    "older_than": "For moments: longer ago than this duration.",
    "newer_than": "For moments: at most this long ago.",
    "missing": "true: the record has no such field, or it is null or empty. false: the opposite.",
    "present": "true: the record has the field with a value in it. false: the opposite.",
}


def kind_of(name: str) -> str:
    """Give what a field holds: status, pending, flag, moment, number, text, or any when unknown."""
    if name == "status":
        return "status"
    if name == "pending_settings":
        return "pending"
    kinds = (
        (FLAG_FIELDS, "flag"),
        (MOMENT_FIELDS, "moment"),
        (NUMBER_FIELDS, "number"),
        (TEXT_FIELDS, "text"),
    )
    return next((kind for fields, kind in kinds if name in fields), "any")


def misnamed(name: str, *, is_plain: bool) -> tuple[str, str] | None:
    """Say what is wrong with a field's name and what would be right; None when it can be used.

    Records may have fields that nobody documents, so only a name that is nearly a documented one
    is a fault; in quotes it is taken at its word.
    """
    if name in SECRET_FIELDS:
        return f"{name} is a secret: it is never read, so nothing can be demanded of it", ""
    if name in KNOWN_FIELDS or not is_plain:
        return None
    close = get_close_matches(name.lower(), sorted(KNOWN_FIELDS), n=1, cutoff=_CLOSE)
    if not close:
        return None
    hint = f"did you mean {close[0]!r}? If the record has such a field, write the name in quotes"
    return f"{name!r} is no documented field of a record", hint


@dataclass(frozen=True, slots=True)
class Demands:
    """What was read: conditions by field (none for a field set to `any`), and the other keys."""

    conditions: dict[str, tuple[Condition, ...]]
    others: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Conditions:
    """A mapping of record fields to what must be true of them; all of it has to hold."""

    wanted: str
    takes_any: bool = False
    """In a guard `any` takes away the default for a field."""
    others: Mapping[str, Key] = field(default_factory=dict)
    """Keys that are no fields."""
    hints: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """Keys that people try here: what is wrong with them, and what would be right."""

    def read(self, spot: Spot) -> Any:
        """Give the Demands that could be read."""
        node = spot.node
        if not isinstance(node, composing.Mapping) or not node.entries:
            if isinstance(node, Scalar) and not node.is_known:
                return INVALID
            return spot.fault(
                f"expected {self.wanted}", "write one field a line, such as `status: up`"
            )
        demands = Demands({}, {})
        for entry in node.entries:
            self._read_entry(spot, entry, demands)
        return demands

    def _read_entry(self, spot: Spot, entry: composing.Entry, demands: Demands) -> None:
        name = entry.key.text
        if name in self.others:
            value = self.others[name].shape.read(spot.entry(entry))
            if value is not INVALID:
                demands.others[name] = value
            return
        wrong = self.hints.get(name) or misnamed(name, is_plain=entry.key.is_plain)
        if wrong:
            spot.at_key(entry).fault(*wrong)
            return
        value = entry.value
        if self.takes_any and isinstance(value, Scalar) and value.text == "any":
            demands.conditions[name] = ()
            return
        tests = _tests(spot.entry(entry), name)
        if tests is not INVALID:
            demands.conditions[name] = tuple(Condition(name, test) for test in tests)

    def schema(self) -> JsonSchema:
        """An object of documented fields; others are allowed, secret ones are not."""
        properties: dict[str, Any] = {
            name: {"description": key.description, **key.shape.schema()}
            for name, key in self.others.items()
        }
        for name in sorted(KNOWN_FIELDS):
            reference = {"$ref": f"#/$defs/{kind_of(name)}_condition"}
            shape = {"anyOf": [reference, {"const": "any"}]} if self.takes_any else reference
            properties[name] = {"description": f"The record's {name}.", **shape}
        return {
            "type": "object",
            "minProperties": 1,
            "properties": properties | dict.fromkeys((*sorted(SECRET_FIELDS), *self.hints), False),
            "additionalProperties": {"$ref": "#/$defs/any_condition"},
        }


def _tests(spot: Spot, name: str) -> Any:
    """Read what stands at one field: an operator mapping, one value, or a list of values."""
    node, kind = spot.node, kind_of(name)
    if isinstance(node, composing.Mapping):
        return _operators(spot, node, name)
    if kind == "pending":
        return _pending(spot)
    if isinstance(node, Scalar) and node.is_plain and node.text in _BARE:
        return (_BARE[node.text],)
    if kind == "moment":
        if isinstance(node, Scalar) and not node.is_known:
            return INVALID
        return spot.fault(
            f"{name} is a moment, which no value equals",
            "write {older_than: 30d}, {newer_than: 1h}, {below: 2026-01-31}, missing or present",
        )
    values = OneOrMany(_VALUES[kind]).read(spot)
    return INVALID if values is INVALID else (Equals(values),)


_VALUES: Mapping[str, Any] = {
    "status": STATUS,
    "flag": FLAG,
    "number": Value(is_number=True),
    "text": Text(),
    "any": Value(),
}


def _pending(spot: Spot) -> Any:
    wanted = "none, any, or names of pending settings"
    names = OneOrMany(Text(wanted=wanted)).read(spot)
    if names is INVALID:
        return INVALID
    if names == ("none",):
        return (NothingPending(),)
    if names == ("any",):
        return (SomethingPending(),)
    if "none" in names or "any" in names:
        return spot.fault("none and any stand alone, not in a list of names", f"write {wanted}")
    return (SomethingPending(names),)


def _operators(spot: Spot, node: composing.Mapping, name: str) -> Any:
    kind = kind_of(name)
    if not node.entries:
        return spot.fault("there is no operator here", f"known: {', '.join(OPERATORS)}")
    found: dict[str, Any] = {}
    for entry in node.entries:
        operator = entry.key.text
        if operator not in OPERATORS:
            spot.at_key(entry).fault(
                f"{operator!r} is no operator", nearest(operator, list(OPERATORS))
            )
        elif operator not in _FITTING[kind]:
            fitting = ", ".join(_FITTING[kind]) or "none; write none, any, or names"
            spot.at_key(entry).fault(
                f"{operator} does not fit {name}, which is {_KINDS[kind]}",
                f"what fits: {fitting}",
            )
        else:
            test = _OPERANDS[operator](spot.entry(entry), kind)
            if test is not INVALID:
                found[operator] = test
    _refuse_impossible(spot, found)
    return tuple(found.values()) or INVALID


_KINDS = {
    "status": "up or down",
    "pending": "a list of names",
    "flag": "true or false",
    "moment": "a moment",
    "number": "a number",
    "text": "a text",
    "any": "not documented",
}
_ASKING = ("missing", "present")
_FITTING: Mapping[str, tuple[str, ...]] = {
    "status": _ASKING,
    "pending": (),
    "flag": _ASKING,
    "moment": (*_COMPARING, *_AGEING, *_ASKING),
    "number": ("matches", *_COMPARING, *_ASKING),
    "text": ("matches", *_COMPARING, *_ASKING),
    "any": tuple(OPERATORS),
}


def _matches(spot: Spot, _kind: str) -> Any:
    patterns = OneOrMany(Text(wanted="a pattern such as Seattle*")).read(spot)
    return INVALID if patterns is INVALID else Matches(patterns)


def _bound(spot: Spot, kind: str, operator: Callable[[Any], Any]) -> Any:
    shapes: Mapping[str, Any] = {
        "moment": Moment(),
        "number": Value(is_number=True),
        "text": Text(wanted="a version such as 2.5"),
    }
    bound = shapes.get(kind, Value()).read(spot)
    if isinstance(bound, bool):
        return spot.fault("nothing is below or above true and false")
    if isinstance(bound, str) and version_key(bound) == version_key(""):
        return spot.fault(f"{bound!r} is no version", "a version holds letters or digits")
    return INVALID if bound is INVALID else operator(bound)


def _age(spot: Spot, operator: Callable[[float], Any]) -> Any:
    seconds = _AGE.read(spot)
    return INVALID if seconds is INVALID else operator(seconds)


def _asked(spot: Spot, *, missing: bool) -> Any:
    flag = FLAG.read(spot)
    if flag is INVALID:
        return INVALID
    return Missing() if flag is missing else Present()


_OPERANDS: Mapping[str, Callable[[Spot, str], Any]] = {
    "matches": _matches,
    "below": lambda spot, kind: _bound(spot, kind, Below),
    "at_least": lambda spot, kind: _bound(spot, kind, AtLeast),
    "older_than": lambda spot, _kind: _age(spot, OlderThan),
    "newer_than": lambda spot, _kind: _age(spot, NewerThan),
    "missing": lambda spot, _kind: _asked(spot, missing=True),
    "present": lambda spot, _kind: _asked(spot, missing=False),
}


def _refuse_impossible(spot: Spot, found: Mapping[str, Any]) -> None:
    tests = list(found.values())
    if Missing() in tests and len(tests) > 1:
        spot.fault("what is missing cannot be anything else", "keep one of them")
    below, least = found.get("below"), found.get("at_least")
    if below and least and not order_of(least.bound) < order_of(below.bound):
        spot.fault(f"nothing is at least {least.bound} and below {below.bound}")
    older, newer = found.get("older_than"), found.get("newer_than")
    if older and newer and older.seconds >= newer.seconds:
        spot.fault(
            "nothing is older and newer than that at once",
            "older_than has to be the shorter time of the two",
        )


def order_of(bound: str | float) -> Any:
    """Give what versions and numbers are compared by."""
    # A plain 2 beside a quoted "2.5" is meant as a version too.
    return version_key(str(bound))


def condition_definitions() -> JsonSchema:
    """Give the parts of the JSON Schema that conditions refer to, one for each kind of field."""
    return {f"{kind}_condition": _condition_schema(kind) for kind in _KINDS}


def _condition_schema(kind: str) -> JsonSchema:
    words = {"enum": list(_BARE)}
    if kind == "pending":
        one: JsonSchema = {"type": "string", "minLength": 1}
        return {
            "description": "none: clear. any: something is pending. Else names, one of which is.",
            "anyOf": [one, {"type": "array", "items": one, "minItems": 1}],
        }
    value = VARIABLE if kind == "moment" else OneOrMany(_VALUES[kind]).schema()
    options: list[JsonSchema] = [value, words]
    operators = {name: _operand_schema(name, kind) for name in _FITTING[kind]}
    options.append(
        {
            "type": "object",
            "minProperties": 1,
            "additionalProperties": False,
            "properties": operators,
        }
    )
    return {"description": f"A condition on a field that is {_KINDS[kind]}.", "anyOf": options}


def _operand_schema(operator: str, kind: str) -> JsonSchema:
    if operator == "matches":
        shape = OneOrMany(Text()).schema()
    elif operator in _AGEING:
        shape = _AGE.schema()
    elif operator in _ASKING:
        shape = FLAG.schema()
    elif kind == "moment":
        shape = Moment().schema()
    else:
        shape = Value(is_number=kind == "number").schema()
    return {"description": OPERATORS[operator], **shape}
