"""What may stand at a key: each shape reads what is there and describes itself as JSON Schema.

Reading never stops at the first fault. What cannot be read is noted with its place and gives
INVALID, so that everything else of the file is still judged.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from orchestrator.playbook import composing
from orchestrator.playbook.composing import Node, Scalar
from orchestrator.playbook.faults import Faults, Place, nearest

JsonSchema = dict[str, Any]


class _Invalid:
    """What stands for a value that could not be read."""

    def __repr__(self) -> str:
        return "INVALID"


INVALID: Final = _Invalid()

VARIABLE: Final[JsonSchema] = {"$ref": "#/$defs/variable"}
"""Wherever a value is expected, `${name}` may stand for it."""


@dataclass(frozen=True, slots=True)
class Spot:
    """One value, where it stands, and the key path that leads to it."""

    node: Node
    key: str
    place: Place
    faults: Faults
    files: Callable[[str], str]
    """Gives the text of a file beside the playbook; raises OSError with one clear sentence."""

    def fault(self, message: str, hint: str = "") -> _Invalid:
        """Note what is wrong with this value."""
        self.faults.add(self.place, self.key, message, hint)
        return INVALID

    def entry(self, entry: composing.Entry) -> "Spot":
        """Go to the value of one key."""
        key = f"{self.key}.{entry.key.text}" if self.key else entry.key.text
        # A block that begins on the next line, or nothing at all, is shown by its key.
        node = entry.value
        shown = isinstance(node, Scalar) and node.place.length > 0
        place = node.place if shown else entry.key.place
        return Spot(node, key, place, self.faults, self.files)

    def item(self, index: int, node: Node) -> "Spot":
        """Go to one item of a list."""
        first = (
            node.entries[0].key if isinstance(node, composing.Mapping) and node.entries else node
        )
        return Spot(node, f"{self.key}[{index}]", first.place, self.faults, self.files)

    def at_key(self, entry: composing.Entry) -> "Spot":
        """Point at a key itself."""
        spot = self.entry(entry)
        return Spot(spot.node, spot.key, entry.key.place, self.faults, self.files)


def spot_at(spot: Spot, *path: str) -> Spot:
    """Go down a path of keys as far as it exists, to point at what is wrong there."""
    for name in path:
        if not isinstance(spot.node, composing.Mapping):
            break
        entry = next((e for e in spot.node.entries if e.key.text == name), None)
        if entry is None:
            break
        spot = spot.entry(entry)
    return spot


class Shape(Protocol):
    """A promise about a value."""

    def read(self, spot: Spot) -> Any:
        """Give what the value means, or INVALID after noting why it cannot be read."""
        ...

    def schema(self) -> JsonSchema:
        """Describe the same as JSON Schema."""
        ...


def scalar(spot: Spot, wanted: str) -> Scalar | None:
    """Give the single value that stands here; None when there is none that can be judged."""
    node = spot.node
    if not isinstance(node, Scalar):
        what = "a list" if isinstance(node, composing.Sequence) else "a mapping"
        spot.fault(f"expected {wanted}, found {what}")
        return None
    if not node.is_known:
        return None
    if node.is_null:
        spot.fault(f"there is no value here, expected {wanted}")
        return None
    return node


@dataclass(frozen=True, slots=True)
class OneOrMany:
    """One value, or a list of at least one; the same value twice counts once."""

    shape: Shape

    def read(self, spot: Spot) -> Any:
        """Give a tuple."""
        node = spot.node
        if not isinstance(node, composing.Sequence):
            value = self.shape.read(spot)
            return INVALID if value is INVALID else (value,)
        if not node.items:
            return spot.fault("this list is empty", "name at least one value, or remove the key")
        values = [self.shape.read(spot.item(index, item)) for index, item in enumerate(node.items)]
        if INVALID in values:
            return INVALID
        # True is no 1 here: the type is a part of what counts as the same.
        return tuple({(type(value), value): value for value in values}.values())

    def schema(self) -> JsonSchema:
        """One, or an array of them."""
        one = self.shape.schema()
        return {"anyOf": [one, {"type": "array", "items": one, "minItems": 1}]}


@dataclass(frozen=True, slots=True)
class Many:
    """A list of at least one value, in its order; the same value may stand twice."""

    shape: Shape
    wanted: str

    def read(self, spot: Spot) -> Any:
        """Give a tuple."""
        node = spot.node
        if not isinstance(node, composing.Sequence):
            if isinstance(node, Scalar) and not node.is_known:
                return INVALID
            alone = isinstance(node, Scalar) and not node.is_null
            hint = f"write [{node.text}]" if alone and isinstance(node, Scalar) else ""
            return spot.fault(f"expected {self.wanted}", hint)
        if not node.items:
            return spot.fault("this list is empty", "name at least one value, or remove the key")
        values = [self.shape.read(spot.item(index, item)) for index, item in enumerate(node.items)]
        return INVALID if INVALID in values else tuple(values)

    def schema(self) -> JsonSchema:
        """An array."""
        return {"type": "array", "items": self.shape.schema(), "minItems": 1}


@dataclass(frozen=True, slots=True)
class Key:
    """One key of a mapping: what it means, and the shape of its value."""

    shape: Shape
    description: str
    is_required: bool = False


@dataclass(frozen=True, slots=True)
class Keys:
    """A mapping with known keys; any other key is a fault with the nearest known one."""

    keys: Mapping[str, Key]
    wanted: str
    hints: Mapping[str, str] = field(default_factory=dict)
    """What to say about a key that people try and that is none."""
    may_be_empty: bool = True

    def read(self, spot: Spot) -> Any:
        """Give the values of the keys that are there and could be read, by name."""
        node = spot.node
        if not isinstance(node, composing.Mapping):
            if not isinstance(node, Scalar) or node.is_known:
                spot.fault(f"expected {self.wanted}, which is a mapping of keys", self._known)
            return INVALID
        if not node.entries and not self.may_be_empty:
            return spot.fault(f"nothing is said under {self.wanted}", self._known)
        values: dict[str, Any] = {}
        for entry in node.entries:
            known = self.keys.get(entry.key.text)
            if known is None:
                self._unknown(spot, entry)
                continue
            value = known.shape.read(spot.entry(entry))
            if value is not INVALID:
                values[entry.key.text] = value
        for name, known in self.keys.items():
            if known.is_required and node.get(name) is None:
                key = f"{spot.key}.{name}" if spot.key else name
                spot.faults.add(spot.place, key, f"the key {name!r} is missing", known.description)
        return values

    @property
    def _known(self) -> str:
        return f"known here: {', '.join(self.keys)}"

    def _unknown(self, spot: Spot, entry: composing.Entry) -> None:
        name = entry.key.text
        hint = self.hints.get(name) or nearest(name, list(self.keys))
        spot.at_key(entry).fault(f"{name!r} is no key of {self.wanted}", hint)

    def schema(self) -> JsonSchema:
        """An object that takes no other keys."""
        required = [name for name, key in self.keys.items() if key.is_required]
        return {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                name: {"description": key.description, **key.shape.schema()}
                for name, key in self.keys.items()
            },
            **({"required": required} if required else {}),
            **({} if self.may_be_empty else {"minProperties": 1}),
        }
