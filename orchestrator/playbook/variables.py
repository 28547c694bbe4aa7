"""Put the values of `vars` where `${name}` stands; text only, no code, no environment."""

import re
from collections.abc import Mapping as Given
from dataclasses import replace

from orchestrator.playbook.composing import Entry, Mapping, Node, Scalar, Sequence
from orchestrator.playbook.faults import Faults, Place, nearest

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


def _in_node(node: Node, key: str, declared: Given[str, Scalar | None], faults: Faults) -> Node:
    if isinstance(node, Scalar):
        return _in_scalar(node, key, declared, faults) if "${" in node.text else node
    if isinstance(node, Mapping):
        return replace(
            node,
            entries=tuple(
                Entry(e.key, _in_node(e.value, f"{key}.{e.key.text}", declared, faults))
                for e in node.entries
            ),
        )
    return Sequence(
        tuple(_in_node(n, f"{key}[{i}]", declared, faults) for i, n in enumerate(node.items)),
        node.place,
    )


def _in_scalar(
    node: Scalar, key: str, declared: Given[str, Scalar | None], faults: Faults
) -> Scalar:
    is_known = True

    def value(found: re.Match[str]) -> str:
        nonlocal is_known
        escaped, name = found.groups()
        if escaped:
            return found.group()[1:]
        if name not in declared:
            hint = nearest(name, list(declared)) or f"declare it: `vars: {{{name}: ...}}`"
            faults.add(node.place, key, f"no variable {name!r} is declared under `vars`", hint)
        known = declared.get(name)
        is_known = is_known and known is not None
        return known.text if known else ""

    text = _USE.sub(value, node.text)
    whole = _USE.fullmatch(node.text)
    alone = declared.get(whole.group(2)) if whole and not whole.group(1) else None
    return replace(node, text=text, is_plain=alone.is_plain if alone else False, is_known=is_known)
