"""What a run costs the controller."""

import math

from orchestrator.model.plans import Limits
from orchestrator.model.playbooks import Playbook
from orchestrator.model.steps import UPDATE_FREQUENCY_SECONDS, CheckStep, OperationStep

POLL_SECONDS = 30.0
PAGE_ROWS = 100
"""What `reading_requests` assumes of the watcher's pace and of the pages of a listing."""


def reading_requests(playbook: Playbook, limits: Limits, *, listed: int) -> int:
    """Estimate the reads of a run in which every step succeeds at its first attempt.

    Per operation step: one read of each device right before it, and while devices are waited for
    one round of reading every 30 s. A round costs one request a waiting device or one a page of
    100 listed devices, whichever is less. As many devices wait together as may be down (all of
    them for `sync` and `reconf`); a wait lasts one periodic contact of 300 s plus the step's
    `settle` and `stable_for`. Per check step: one read of each device.
    """
    devices = limits.devices
    pages = max(1, math.ceil(max(listed, devices) / PAGE_ROWS))
    reads = 0
    for step in playbook.steps:
        if isinstance(step, CheckStep):
            reads += devices
        elif isinstance(step, OperationStep):
            together = limits.max_down if step.operation.is_disruptive else max(1, devices)
            waits = UPDATE_FREQUENCY_SECONDS + step.proof.settle + step.proof.stable_for
            rounds = math.ceil(devices / together) * math.ceil(waits / POLL_SECONDS)
            reads += devices + rounds * min(together, pages)
    return reads
