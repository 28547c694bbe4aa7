"""Values that never stand in a playbook: who makes them, or where they are kept."""

import re
from dataclasses import dataclass
from typing import Any

from orchestrator.model.secrecy import is_secret
from orchestrator.model.values import Origin, Secret, SecretKind
from orchestrator.playbook import composing
from orchestrator.playbook.composing import Scalar
from orchestrator.playbook.device_lists import unsafe_name
from orchestrator.playbook.faults import Faults
from orchestrator.playbook.shapes import INVALID, JsonSchema, Key, Keys, Shape, Spot, scalar
from orchestrator.playbook.values import FLAG, Text, Whole

SHORTEST, LONGEST = 8, 128
_WAYS = (
    'write {generate: 24}, {command: true}, {env: NEW_PASSWORD}, {file: "@new.sealed"},'
    ' or "${row.password}" for a secret column of the table'
)


@dataclass(frozen=True, slots=True)
class _Sealed:
    """`"@file.sealed"`: an encrypted table beside the playbook."""

    def read(self, spot: Spot) -> Any:
        """Give its name without the @; its text is kept as it is, which nobody can read."""
        wanted = 'a sealed table such as "@new.sealed"'
        node = scalar(spot, wanted)
        if node is None:
            return INVALID
        name = node.text.strip()
        if not name.startswith("@"):
            return spot.fault(f"this is not {wanted}")
        wrong = unsafe_name(name[1:])
        if wrong:
            hint = "name a file in the playbook's own folder, or in one below it"
            return spot.fault(wrong, hint)
        try:
            text = spot.files(name[1:])
        except OSError as error:
            return spot.fault(str(error))
        if not looks_sealed(text):
            return spot.fault(
                f"{name[1:]!r} is no sealed table, so anybody could read what it holds",
                "make one with `orchestrator vault seal`",
            )
        return name[1:]

    def schema(self) -> JsonSchema:
        """Text that begins with @."""
        return {"type": "string", "pattern": r"^\s*(@|\$\{)"}


_SEALED = re.compile(r"\s*orchestrator sealed table \d+\s*\n[A-Za-z0-9_=\s-]+", re.ASCII)


def looks_sealed(text: str) -> bool:
    """Say whether a text has the title of a sealed table, and nothing readable below it."""
    return _SEALED.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class _Quiet:
    """A value that no message repeats: somebody may have written the secret itself."""

    shape: Shape
    wanted: str

    def read(self, spot: Spot) -> Any:
        """Give what the shape gives."""
        unseen = Faults("", "")
        value = self.shape.read(Spot(spot.node, spot.key, spot.place, unseen, spot.files))
        if value is INVALID and unseen.found:
            return spot.fault(f"this is not {self.wanted}")
        return value

    def schema(self) -> JsonSchema:
        """The same as the shape's."""
        return self.shape.schema()


_WAY = Keys(
    {
        "generate": Key(
            _Quiet(
                Whole(least=SHORTEST, most=LONGEST),
                f"a number of characters from {SHORTEST} to {LONGEST}",
            ),
            "Made here, for each device another: so many letters and digits, 8 to 128.",
        ),
        "command": Key(
            _Quiet(FLAG, "true, which is all that can be said here"),
            "true: printed by the command that the settings name as password_command.",
        ),
        "env": Key(
            _Quiet(Text(r"[A-Za-z_][A-Za-z0-9_]*"), "the name of an environment variable"),
            "An environment variable that holds it; the same for every device.",
        ),
        "file": Key(_Sealed(), "A sealed table beside the playbook: one row a device, encrypted."),
    },
    "a secret",
    {
        "random": "did you mean 'generate'?",
        "length": "write {generate: 24}",
        "vault": "did you mean 'file'? The vault is kept by the program itself",
        "cmd": "write {command: true}; the command stands in the settings",
        "value": "a secret does not stand in a playbook",
    },
    may_be_empty=False,
)


@dataclass(frozen=True, slots=True)
class SecretValue:
    """One of the ways to a secret; never the secret itself."""

    def read(self, spot: Spot) -> Any:
        """Give a Secret."""
        node = spot.node
        if isinstance(node, composing.Mapping):
            return self._way(spot, node)
        if isinstance(node, Scalar) and not node.is_known:
            return INVALID
        name = spot.key.rpartition(".")[2]
        if isinstance(node, Scalar) and node.parts:
            return self._column(spot, node, name)
        spot.faults.hide(node.place.line)
        return spot.fault(f"{name} is a secret, and no secret stands in a playbook", _WAYS)

    def _column(self, spot: Spot, node: Scalar, name: str) -> Any:
        alone = node.parts[0] if len(node.parts) == 1 else None
        if alone is None or isinstance(alone, str) or alone.origin is not Origin.ROW:
            return spot.fault(f"{name} is a secret, and no secret is put together", _WAYS)
        if not is_secret(alone.name):
            return spot.fault(
                f"{alone} would be kept for anybody to read: its name does not say it is a secret",
                f"name the column so that it does, such as {name}",
            )
        return Secret(SecretKind.ROW, alone.name)

    def _way(self, spot: Spot, node: composing.Mapping) -> Any:
        for entry in node.entries:
            spot.faults.hide(entry.key.place.line)
            spot.faults.hide(entry.value.place.line)
        values = _WAY.read(spot)
        if values is INVALID:
            return INVALID
        if len(node.entries) > 1:
            names = " and ".join(entry.key.text for entry in node.entries)
            return spot.fault(f"a secret comes from one place, this names {names}", "keep one")
        if not values:
            return INVALID
        ((kind, value),) = values.items()
        match SecretKind(kind):
            case SecretKind.GENERATE:
                return Secret(SecretKind.GENERATE, length=value)
            case SecretKind.COMMAND if not value:
                return spot.fault("command: false names nobody who knows the secret", _WAYS)
            case SecretKind.COMMAND:
                return Secret(SecretKind.COMMAND)
            case given:
                return Secret(given, value)

    def schema(self) -> JsonSchema:
        """An object of one key, or a reference to a column."""
        way = {**_WAY.schema(), "maxProperties": 1}
        return {"anyOf": [way, {"type": "string", "pattern": r"\$\{"}]}
