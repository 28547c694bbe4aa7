"""A survey reads by the controller's clock how old a record is, and by ours when a window opens."""

from dataclasses import replace

import anyio
import pytest

from orchestrator.adapters.simulated_controller import SimulatedController
from orchestrator.model.errors import SelectionError
from orchestrator.playbook.reading import read_playbook
from orchestrator.runtime.surveying import survey
from tests.support.playbooks import minimal, source
from tests.support.virtual import LoopClock
from tests.support.worlds import START, world

pytestmark = pytest.mark.looptime

OPENS = "window: {opens: 2027-01-15T09:30, lasts: 4h, timezone: UTC}\n"
"""An hour and a half after the beginning of a simulated world."""


class Ahead:
    """A simulated controller whose world is so many seconds ahead of our clock."""

    def __init__(self, controller, clock, seconds):
        self._controller = controller
        self._clock = clock
        self._seconds = seconds

    async def list_devices(self, wanted, *, offset, limit):
        page = await self._controller.list_devices(wanted, offset=offset, limit=limit)
        return replace(page, server_at=page.server_at + self._seconds)


async def surveyed(ahead, *, wait=0.0):
    clock = LoopClock()
    await anyio.sleep(wait)
    text = source(minimal("all: true", "- operation: reboot", OPENS))
    controller = Ahead(SimulatedController(world(2), clock), clock, ahead)
    return await survey(
        read_playbook(text),
        text,
        controller,
        clock,
        base_url="https://control.test/api/v1",
        page_size=500,
        measured={},
    )


async def test_a_window_ahead_of_our_clock_is_no_matter_how_late_the_controller_thinks_it_is():
    plan = await surveyed(86_400.0)

    assert plan.created_at >= START + 86_400
    assert START <= plan.read_at < START + 60


async def test_a_window_that_our_clock_has_passed_never_opens_whatever_the_controller_thinks():
    with pytest.raises(SelectionError, match="never opens any more"):
        await surveyed(-86_400.0, wait=86_400.0)
