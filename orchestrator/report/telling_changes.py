"""What a request writes into a record, for people: field by field, clipped, secrets never shown."""

from collections.abc import Iterator, Mapping

from orchestrator.model.events import OperationIntended
from orchestrator.model.operations import Action
from orchestrator.model.secrecy import MASK, NEVER_SHOWN, is_secret
from orchestrator.report.differences import is_same_value
from orchestrator.report.wording import clipped

LONGEST = 60
"""Characters of one value in a sentence or a table; the audit log has all of it."""
_MOST = 12
"""Fields that one sentence names."""
_FINGERPRINT = "fp:"


def intention(event: OperationIntended) -> str:
    """Say what is about to be requested, what it writes, and what was saved before."""
    told = f"{_request(event)} is about to be requested"
    changes = list(_changes(event))
    if changes:
        told += f": {', '.join(changes[:_MOST])}"
        hidden = len(changes) - _MOST
        told += f" and {hidden} more fields" if hidden > 0 else ""
    return f"{told}; saved before: {event.snapshot}" if event.snapshot else told


def _changes(event: OperationIntended) -> Iterator[str]:
    """Give each field whose value the request changes; the flag of an operation is none."""
    before: Mapping[str, object] = event.before or {}
    for field, after in (event.after or {}).items():
        if after is True and field == event.operation:
            continue
        if event.action == Action.CREATE:
            yield f"{field} {value_of(field, after)}"
        elif is_secret(field):
            yield f"{field} {NEVER_SHOWN} -> {value_of(field, after)}"
        elif not is_same_value(before.get(field), after):
            yield f"{field} {value_of(field, before.get(field))} -> {value_of(field, after)}"


def value_of(field: str, value: object) -> str:
    """Give a field's value as it may stand in a sentence: text in quotes, clipped; nothing is `empty`.

    Of a secret field only a fingerprint is given; whatever else stands there reads `***`.
    """
    if value in (None, ""):
        return "empty"
    if is_secret(field):
        is_fingerprint = isinstance(value, str) and value.startswith(_FINGERPRINT)
        return str(value) if is_fingerprint else MASK
    if isinstance(value, bool):
        return str(value).lower()
    told = clipped(str(value), LONGEST)
    return f"'{told}'" if isinstance(value, str) else told


def _request(event: OperationIntended) -> str:
    if event.action is None:
        return event.operation
    if event.action == Action.DELETE:
        return "delete of the record"
    word = "update" if event.action == Action.UPGRADE else event.action
    return word if event.operation in (event.action, word) else f"{word} with {event.operation}"
