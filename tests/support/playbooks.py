"""Builders for playbooks and records."""

import textwrap

from orchestrator.model.devices import Device, device_from_record
from orchestrator.model.errors import Fault, PlaybookError
from orchestrator.model.playbooks import Playbook, PlaybookSource
from orchestrator.playbook.reading import read_playbook

NOW = 1_790_000_000.0  # 2026-09-21T14:13:20Z
DAY = 86_400.0


def record(**fields) -> Device:
    """Build a device from a list record of the controller, healthy unless told otherwise."""
    return device_from_record(
        {
            "id": 1001,
            "name": "branch-1",
            "serial_number": "SN1",
            "status": "Up",
            "is_active": True,
            "pending_settings": "none",
            "status_change": "2026-09-01T00:00:00Z",
            "last_connection": "2026-09-21T14:10:00Z",
            "organization_id": 123,
            "type": 15,
            "software_version": "2.4.1",
            "location_name": "Seattle North",
            **fields,
        }
    )


def source(text: str, *, variables=None, files=None) -> PlaybookSource:
    """Build a source from an indented text."""
    text = textwrap.dedent(text).lstrip("\n")
    return PlaybookSource("branch.yaml", text, variables or {}, files or {})


def playbook(text: str, **given) -> Playbook:
    """Read a whole playbook."""
    return read_playbook(source(text, **given))


def minimal(devices: str = "organization: 123", steps: str = "- operation: reboot", more="") -> str:
    """Build the text of a playbook from its two necessary parts."""
    return (
        "playbook: branch\ndevices:\n"
        + textwrap.indent(textwrap.dedent(devices).strip(), "  ")
        + "\nsteps:\n"
        + textwrap.indent(textwrap.dedent(steps).strip(), "  ")
        + "\n"
        + textwrap.dedent(more)
    )


def faults(text: str, **given) -> list[Fault]:
    """Give what is wrong with a text; nothing when it can be read."""
    try:
        playbook(text, **given)
    except PlaybookError as error:
        return list(error.faults)
    return []


def fault(text: str, **given) -> Fault:
    """Give the one thing that is wrong with a text."""
    found = faults(text, **given)
    assert len(found) == 1, [f.message for f in found]
    return found[0]
