"""How a journal names the devices that a message handed to a person."""

import re
from collections.abc import Sequence

from orchestrator.model.devices import DeviceId

_ABOUT = re.compile(r"step (\d+): devices? (\d+(?:, \d+)*)")


def about(step: int, devices: Sequence[DeviceId]) -> str:
    """Name an `escalate` step, counted from 0, and the devices of one message."""
    word = "device" if len(devices) == 1 else "devices"
    return f"step {step + 1}: {word} {', '.join(map(str, devices))}"


def devices_in(about: str) -> tuple[int, tuple[DeviceId, ...]] | None:
    """Give the step and the devices that `about` named; None for a message about anything else."""
    found = _ABOUT.fullmatch(about)
    if found is None:
        return None
    return int(found[1]) - 1, tuple(DeviceId(int(each)) for each in found[2].split(", "))
