"""What a run costs the controller."""

import math

from orchestrator.model.operations import Action, Operation
from orchestrator.model.plans import Limits
from orchestrator.model.playbooks import Playbook
from orchestrator.model.policies import Depth
from orchestrator.model.steps import (
    UPDATE_FREQUENCY_SECONDS,
    CheckStep,
    DoneStep,
    RecordStep,
    RequestStep,
    Step,
)
from orchestrator.planning.timing import waits_for_device

POLL_SECONDS = 30.0
PAGE_ROWS = 100
"""What `reading_requests` assumes of the watcher's pace and of the pages of a listing."""


def reading_requests(playbook: Playbook, limits: Limits, *, listed: int) -> int:
    """Estimate the reads of a run in which every step succeeds at its first attempt.

    Per operation step: one read of each device right before it, and while devices are waited for
    one round of reading every 30 s. A round costs one request a waiting device or one a page of
    100 listed devices, whichever is less. As many devices wait together as may be down (all of
    them for `sync` and `reconf`); a wait lasts one periodic contact of 300 s plus the step's
    `settle` and `stable_for`. Per check and per `done_if`: one read of each device. Per step that
    changes a record: one full read of each device before it and one after it, and the waiting only
    where the device itself has to do something. Where whole snapshots are kept: two reads more of
    each device that a step changes, for its settings and variables.
    """
    devices = limits.devices
    pages = max(1, math.ceil(max(listed, devices) / PAGE_ROWS))
    reads = 0
    for step in playbook.steps:
        if isinstance(step, CheckStep | DoneStep):
            reads += devices
        elif isinstance(step, RecordStep) and not waits_for_device(step):
            reads += 2 * devices
        elif isinstance(step, RequestStep):
            together = limits.max_down if step.operation.is_disruptive else max(1, devices)
            waits = UPDATE_FREQUENCY_SECONDS + step.proof.settle + step.proof.stable_for
            rounds = math.ceil(devices / together) * math.ceil(waits / POLL_SECONDS)
            reads += devices + rounds * min(together, pages)
            reads += devices if isinstance(step, RecordStep) else 0
    if playbook.snapshots is Depth.FULL and any(_is_saved_before(s) for s in playbook.steps):
        reads += 2 * devices
    return reads


def _is_saved_before(step: Step) -> bool:
    """Say whether a snapshot is taken before a step; a creation has nothing to save."""
    if isinstance(step, RecordStep):
        return step.action is not Action.CREATE
    if not isinstance(step, RequestStep):
        return False
    return step.operation.is_destructive or step.operation is Operation.RECONF
