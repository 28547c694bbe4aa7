"""Put the values of `vars` where `${name}` stands; text only, no code, no environment.

`${device.field}` and `${row.column}` are cut out in the same pass, so that no value of a variable
is ever taken for one.
"""

import re
from collections.abc import Mapping as Given
from dataclasses import replace

from orchestrator.model.values import Reference
from orchestrator.playbook.composing import Entry, Mapping, Node, Scalar, Sequence
from orchestrator.playbook.faults import Faults, Place, nearest
from orchestrator.playbook.steps.templating import (
    misplaced,
    reference_of,
    takes_references,
    unknown_origin,
    wrong_reference,
)

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_USE = re.compile(r"\$(\$?)\{([^}]*)\}")


def substitute(root: Node, given: Given[str, str], faults: Faults) -> Node:
    """Replace every `${name}` in values (never in keys) by its value; `$${` stands for `${`.

    A value that is one variable and nothing else is read as if its value had been written there.
    """
    declared, places = _declared(root, given, faults)
    block = places.get("", Place(1, 1))
    for name in given:
        if name not in declared:
            message = f"--var {name}: the playbook declares no such variable"
            hint = nearest(name, sorted(declared)) or "declare it under `vars`"
            faults.add(block, "vars", message, hint)
    if not isinstance(root, Mapping):
        return root
    entries = tuple(
        entry
        if entry.key.text == "vars"
        else Entry(entry.key, _in_node(entry.value, entry.key.text, declared, faults))
        for entry in root.entries
    )
    return replace(root, entries=entries)


def _declared(
    root: Node, given: Given[str, str], faults: Faults
) -> tuple[dict[str, Scalar | None], dict[str, Place]]:
    """Give every declared variable with its value; None for one that has none."""
    block = root.get("vars") if isinstance(root, Mapping) else None
    if not isinstance(block, Mapping):
        return {}, {}
    declared: dict[str, Scalar | None] = {}
    places = {"": next(e.key.place for e in root.entries if e.key.text == "vars")}  # type: ignore[union-attr] # a block was found in it
    for entry in block.entries:
        name, key = entry.key.text, f"vars.{entry.key.text}"
        declared[name] = None
        if not NAME.fullmatch(name):
            faults.add(entry.key.place, key, f"{name!r} is not a name for a variable", _NAMES)
        elif name in given:
            declared[name] = Scalar(given[name], entry.key.place)
        elif not isinstance(entry.value, Scalar):
            faults.add(entry.key.place, key, "a variable holds one value, not a list or mapping")
        elif entry.value.is_null:
            faults.add(
                entry.key.place,
                key,
                f"the variable {name!r} needs a value",
                f"give it with --var {name}=..., or write a default here",
            )
        else:
            declared[name] = entry.value
    return declared, places


_NAMES = "letters, digits and _, not beginning with a digit"


def _in_node(
    node: Node,
    key: str,
    declared: Given[str, Scalar | None],
    faults: Faults,
    *,
    is_template: bool = False,
) -> Node:
    if isinstance(node, Scalar):
        if "${" not in node.text:
            return node
        return _Text(node, key, declared, faults, is_template=is_template).read()
    if isinstance(node, Mapping):
        templated = takes_references(key)
        return replace(
            node,
            entries=tuple(
                Entry(
                    e.key,
                    _in_node(
                        e.value, f"{key}.{e.key.text}", declared, faults, is_template=templated
                    ),
                )
                for e in node.entries
            ),
        )
    return Sequence(
        tuple(_in_node(n, f"{key}[{i}]", declared, faults) for i, n in enumerate(node.items)),
        node.place,
    )


class _Text:
    """One value with something to put in."""

    def __init__(
        self,
        node: Scalar,
        key: str,
        declared: Given[str, Scalar | None],
        faults: Faults,
        *,
        is_template: bool,
    ) -> None:
        self._node = node
        self._key = key
        self._declared = declared
        self._faults = faults
        self._is_template = is_template
        self._is_known = True
        self._parts: list[str | Reference] = []

    def read(self) -> Scalar:
        """Give the value with every variable replaced and its references cut out."""
        node = self._node
        end = 0
        for found in _USE.finditer(node.text):
            self._add(node.text[end : found.start()])
            escaped, name = found.groups()
            if escaped:
                self._add(found.group()[1:])
            elif (reference := reference_of(name)) is not None:
                self._refer(reference)
            else:
                self._add(self._value(name))
            end = found.end()
        self._add(node.text[end:])
        has_references = any(isinstance(part, Reference) for part in self._parts)
        whole = _USE.fullmatch(node.text)
        alone = self._declared.get(whole.group(2)) if whole and not whole.group(1) else None
        return replace(
            node,
            text="".join(map(str, self._parts)),
            is_plain=alone.is_plain if alone else False,
            is_known=self._is_known,
            parts=tuple(self._parts) if has_references else (),
        )

    def _add(self, text: str) -> None:
        if text and self._parts and isinstance(self._parts[-1], str):
            self._parts[-1] += text
        elif text:
            self._parts.append(text)

    def _refer(self, reference: Reference) -> None:
        wrong = wrong_reference(reference) if self._is_template else misplaced(reference)
        if wrong:
            self._is_known = False
            self._faults.add(self._node.place, self._key, *wrong)
        self._parts.append(reference)

    def _value(self, name: str) -> str:
        known = self._declared.get(name)
        if name not in self._declared:
            hint = unknown_origin(name) or nearest(name, list(self._declared))
            hint = hint or f"declare it: `vars: {{{name}: ...}}`"
            message = f"no variable {name!r} is declared under `vars`"
            self._faults.add(self._node.place, self._key, message, hint)
        self._is_known = self._is_known and known is not None
        return known.text if known else ""
