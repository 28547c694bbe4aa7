"""What no plan may hold: values that no record has, and deletions of what serves somebody."""

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches

from orchestrator.engine.choosing.matching import holds, is_missing, printable
from orchestrator.model.devices import DETAIL_ONLY_FIELDS, Device, DeviceId, Status
from orchestrator.model.errors import SelectionError
from orchestrator.model.playbooks import Playbook
from orchestrator.model.steps import RecordStep
from orchestrator.model.values import Origin, Reference, Template
from orchestrator.planning.tallying import EXAMPLES, counted
from orchestrator.playbook.conditions import KNOWN_FIELDS

SAMPLE = 20
"""Devices that are read in full to see whether records have a field at all: they all have the same."""


def fields_of_templates(playbook: Playbook) -> tuple[str, ...]:
    """Give the fields of a device's record that the steps write into others, each once."""
    found: dict[str, None] = {}
    for step in playbook.all_steps:
        for each in step.assignments if isinstance(step, RecordStep) else ():
            if isinstance(each.value, Template):
                found |= dict.fromkeys(
                    part.name
                    for part in each.value.parts
                    if isinstance(part, Reference) and part.origin is Origin.DEVICE
                )
    return tuple(found)


def unheard_of(fields: Sequence[str], chosen: Iterable[Device]) -> tuple[str, ...]:
    """Give those of the fields that none of the records has."""
    left = dict.fromkeys(fields)
    for device in chosen:
        for field in [each for each in left if each in device.fields]:
            del left[field]
        if not left:
            break
    return tuple(left)


def check_templates(unheard: Sequence[str], sample: Sequence[Device]) -> None:
    """Raise SelectionError for the first of the fields, which no list page showed, that none of these
    records has, which were read in full.
    """
    for field in unheard_of(unheard, sample):
        known = {*KNOWN_FIELDS, *(name for device in sample for name in device.fields)}
        close = get_close_matches(field.lower(), sorted(known), n=1, cutoff=0.6)
        hint = f"did you mean ${{device.{close[0]}}}?" if close else "name a field that it has"
        raise SelectionError(
            f"a step writes ${{device.{printable(field)}}}, and no chosen record has that field; {hint}"
        )


def check_values(playbook: Playbook, chosen: Mapping[DeviceId, Device]) -> None:
    """Raise SelectionError for a documented field of lists that is empty in every chosen record."""
    for field in fields_of_templates(playbook):
        if field in DETAIL_ONLY_FIELDS:
            continue
        said = [each.fields[field] for each in chosen.values() if field in each.fields]
        if said and all(map(is_missing, said)):
            raise SelectionError(
                f"a step writes ${{device.{printable(field)}}}, which is empty in every chosen record;"
                " write the value itself, or take it from a row"
            )


def check_deletion(playbook: Playbook, chosen: Sequence[Device], now: float) -> None:
    """Raise SelectionError when records would be deleted of devices that are Up, unless the playbook's
    own guard lets them be.
    """
    if not playbook.deletes:
        return
    judged = [each for each in playbook.guard.delete if each.field == "status"]
    serving = [
        device.id
        for device in chosen
        if device.status is Status.UP and not all(holds(each, device, now) for each in judged)
    ]
    if serving:
        of = f"{len(serving)} of the {counted(len(chosen), 'chosen device')}"
        verb = "is" if len(serving) == 1 else "are"
        some_of = ", ".join(str(device) for device in serving[:EXAMPLES])
        raise SelectionError(
            f"delete: {of} {verb} Up, such as {some_of}; deactivate first, choose `status: down`,"
            " or write `guard: {status: any}`"
        )
