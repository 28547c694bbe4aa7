"""References in a template: what `${device.field}` and `${row.column}` mean, and where they may stand."""

import re

from orchestrator.model.devices import SECRET_FIELDS
from orchestrator.model.secrecy import is_secret
from orchestrator.model.values import Origin, Reference
from orchestrator.playbook.conditions import KNOWN_FIELDS, misnamed
from orchestrator.playbook.faults import nearest

_REFERENCE = re.compile(r"([^.]*)\.(.*)", re.DOTALL)
_TEMPLATED = re.compile(r"(steps|rescue)\[\d+\]\.(update|replace|create)")

WHERE = "it is known in the values of update, replace and create only"


def takes_references(key: str) -> bool:
    """Say whether the values of the mapping at this key path may hold references."""
    return _TEMPLATED.fullmatch(key) is not None


def reference_of(name: str) -> Reference | None:
    """Read what stands between the braces; None for the name of a variable."""
    found = _REFERENCE.fullmatch(name)
    if found is None or found.group(1) not in tuple(Origin):
        return None
    return Reference(Origin(found.group(1)), found.group(2))


def misplaced(reference: Reference) -> tuple[str, str]:
    """Say why a reference cannot stand outside of what a step writes."""
    return f"{reference} is a value of each single device, and there is none here", WHERE


def unknown_origin(name: str) -> str:
    """Give the hint for a dotted name that begins with neither origin; "" when it has no dot."""
    found = _REFERENCE.fullmatch(name)
    if found is None:
        return ""
    origin, rest = found.groups()
    if nearest(origin, [Origin.DEVICE]).startswith("did"):
        return f"did you mean ${{device.{rest}}}?"
    if nearest(origin, [Origin.ROW]).startswith("did"):
        return f"did you mean ${{row.{rest}}}?"
    return "a dotted name is ${device.field} or ${row.column}"


def wrong_reference(reference: Reference) -> tuple[str, str] | None:
    """Say what is wrong with a reference by itself, and what would be right; None when it can be meant."""
    name = reference.name
    if not name or name != name.strip():
        return f"{reference} names nothing", "write ${device.field} or ${row.column}"
    if reference.origin is Origin.ROW:
        return None
    if name in SECRET_FIELDS or is_secret(name):
        return f"{name} is a secret: no record shows it, so nothing can be made of it", ""
    wrong = misnamed(name, is_plain=True)
    if wrong is None:
        return None
    return wrong[0], nearest(name, sorted(KNOWN_FIELDS))
