"""Names of record fields by which devices are sorted, spread over waves, or limited in groups."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from orchestrator.model.devices import DETAIL_ONLY_FIELDS, MOMENT_FIELDS, SECRET_FIELDS
from orchestrator.model.policies import GroupLimit
from orchestrator.playbook import composing
from orchestrator.playbook.composing import Scalar
from orchestrator.playbook.conditions import KNOWN_FIELDS, misnamed
from orchestrator.playbook.faults import nearest
from orchestrator.playbook.shapes import INVALID, JsonSchema, OneOrMany, Spot, scalar
from orchestrator.playbook.values import Whole

_LISTED_FIELDS = KNOWN_FIELDS - DETAIL_ONLY_FIELDS
_CHANGING_FIELDS = MOMENT_FIELDS | {"status", "pending_settings"}
GROUP_FIELDS = _LISTED_FIELDS - _CHANGING_FIELDS
"""The documented fields that tell where a device belongs, in every record of a list."""


def _ungroupable(name: str) -> tuple[str, str] | None:
    """Say why a field cannot form groups of devices, and what would be right; None when it can."""
    if name in DETAIL_ONLY_FIELDS:
        return (
            f"only the detail record has {name}, and devices are compared by what lists give",
            "name a field such as location, type or software_version",
        )
    if name in _CHANGING_FIELDS:
        return (
            f"{name} changes while the run goes on, so no device belongs to a value of it",
            "name a field such as location, type or organization_id",
        )
    return None


@dataclass(frozen=True, slots=True)
class _FieldName:
    """The name of one record field."""

    is_ordered: bool

    def read(self, spot: Spot) -> Any:
        node = scalar(spot, "the name of a field")
        if node is None:
            return INVALID
        name = node.text.removeprefix("-")
        if not name:
            return spot.fault("there is no field name here")
        if "," in name:
            names = ", ".join(part.strip() for part in node.text.split(","))
            return spot.fault(f"{node.text!r} is not one field", f"write a list: [{names}]")
        if name != node.text and not self.is_ordered:
            return spot.fault(
                f"{node.text!r} would turn an order around, and there is none here",
                f"write {name}",
            )
        wrong = misnamed(name, is_plain=node.is_plain)
        if wrong is None and not self.is_ordered:
            wrong = _ungroupable(name)
        return spot.fault(*wrong) if wrong else node.text

    def schema(self) -> JsonSchema:
        known = sorted(KNOWN_FIELDS if self.is_ordered else GROUP_FIELDS)
        names = [*known, *(f"-{name}" for name in known)] if self.is_ordered else known
        schema: JsonSchema = {"type": "string", "minLength": 1, "examples": names}
        if not self.is_ordered:
            refused = sorted((KNOWN_FIELDS | SECRET_FIELDS) - GROUP_FIELDS)
            schema |= {"pattern": "^[^-]", "not": {"enum": refused}}
        return schema


@dataclass(frozen=True, slots=True)
class FieldNames:
    """Names of record fields, each at most once."""

    is_ordered: bool = True
    """Devices are sorted by them, and a leading `-` turns one around; else they form groups."""

    def read(self, spot: Spot) -> Any:
        """Give them as a tuple."""
        names = OneOrMany(_FieldName(self.is_ordered)).read(spot)
        if names is INVALID:
            return INVALID
        items = spot.node.items if isinstance(spot.node, composing.Sequence) else ()
        fields = [item.text.removeprefix("-") for item in items if isinstance(item, Scalar)]
        twice = next((field for field in fields if fields.count(field) > 1), None)
        if twice is not None:
            return spot.fault(f"{twice!r} is named more than once", "name each field once")
        return names

    def schema(self) -> JsonSchema:
        """Documented fields are offered, others are taken."""
        one = _FieldName(self.is_ordered).schema()
        many = {"type": "array", "items": one, "minItems": 1, "uniqueItems": True}
        return {"anyOf": [one, many]}


_LIMIT = Whole(least=1, wanted="a whole number of devices")


@dataclass(frozen=True, slots=True)
class GroupLimits:
    """For one field, or several joined by commas: how many devices of the same values."""

    def read(self, spot: Spot) -> Any:
        """Give a tuple of GroupLimit."""
        node = spot.node
        if not isinstance(node, composing.Mapping) or not node.entries:
            if isinstance(node, Scalar) and not node.is_known:
                return INVALID
            return spot.fault(
                "expected fields with their limits", "write one a line, such as `location: 1`"
            )
        limits: dict[frozenset[str], GroupLimit] = {}
        for entry in node.entries:
            fields = _joined(spot.at_key(entry), entry.key)
            most = _LIMIT.read(spot.entry(entry))
            if fields is INVALID or most is INVALID:
                continue
            if frozenset(fields) in limits:
                spot.at_key(entry).fault("these fields are limited twice", "keep one of them")
            limits[frozenset(fields)] = GroupLimit(fields, most)
        return tuple(limits.values())

    def schema(self) -> JsonSchema:
        """Documented fields are offered; others, and several joined by commas, are taken."""
        offered: Mapping[str, JsonSchema] = {
            name: {"description": f"For each value of {name}.", **_LIMIT.schema()}
            for name in sorted(GROUP_FIELDS)
        }
        refused = sorted((KNOWN_FIELDS | SECRET_FIELDS) - GROUP_FIELDS)
        return {
            "type": "object",
            "minProperties": 1,
            "properties": {**offered, **dict.fromkeys(refused, False)},
            "additionalProperties": _LIMIT.schema(),
        }


def _joined(spot: Spot, key: Scalar) -> Any:
    fields = tuple(name.strip() for name in key.text.split(","))
    for field in fields:
        wrong = _wrong_field(field, fields, is_plain=key.is_plain)
        if wrong:
            return spot.fault(*wrong)
    return fields


def _wrong_field(field: str, fields: tuple[str, ...], *, is_plain: bool) -> tuple[str, str] | None:
    if not field:
        return (
            "there is no field name here",
            "join fields by one comma, as in `organization_id, type`",
        )
    if fields.count(field) > 1:
        return f"{field!r} is named more than once", "name each field once"
    # Several need quotes inside { }, so there quotes say nothing about a name.
    wrong = misnamed(field, is_plain=is_plain or len(fields) > 1)
    if wrong and wrong[1] and len(fields) > 1:
        wrong = wrong[0], nearest(field, sorted(KNOWN_FIELDS))
    return wrong or _ungroupable(field)
