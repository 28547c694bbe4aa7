"""Whoever watches a fleet sees the newest picture, its age, and why there is no newer one."""

import io

import anyio
import pytest
from rich.console import Console

from orchestrator.cli.inventory import counting, filters
from orchestrator.model.errors import UnreachableError
from orchestrator.model.readings import Page
from orchestrator.planning.drafting.composing import Filters
from orchestrator.report.fleet import Census, Dimension
from tests.support.playbooks import NOW, record


class Watch:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def picture():
    census = Census((Dimension.STATUS,), NOW)
    census.add(record())
    return census.picture()


def test_a_picture_is_shown_with_its_age():
    steady = Watch()
    watcher = counting.Watcher(steady)
    watcher.show(picture())
    steady.now += 12

    assert watcher.lines(80)[0] == "as of 2026-09-21 14:13:20Z, 12s ago"


def test_the_last_picture_outlives_the_controllers_trouble():
    steady = Watch()
    watcher = counting.Watcher(steady)
    watcher.show(picture())
    steady.now += 95
    watcher.miss(UnreachableError("the controller cannot be reached"))

    lines = watcher.lines(80)

    assert lines[0].endswith("1m35s ago")
    assert lines[1] == "not read since: the controller cannot be reached"
    assert any("1 device: 1 Up" in line for line in lines)


def test_a_new_picture_ends_the_trouble():
    watcher = counting.Watcher(Watch())
    watcher.show(picture())
    watcher.miss(UnreachableError("gone"))
    watcher.show(picture())

    assert not any("not read since" in line for line in watcher.lines(80))


def test_without_any_picture_the_trouble_ends_the_command():
    with pytest.raises(UnreachableError):
        counting.Watcher(Watch()).miss(UnreachableError("gone"))


def test_the_view_fits_its_terminal():
    console = Console(file=io.StringIO(), width=50, force_terminal=True)
    watcher = counting.Watcher(Watch())
    assert "Reading the inventory" in str(watcher.renderable(console)().renderable)
    watcher.show(picture())

    console.print(watcher.renderable(console)())

    assert "1 Up" in console.file.getvalue()


def test_tables_are_shortened_to_the_rows_of_the_terminal():
    census = Census((Dimension.FIRMWARE, Dimension.LOCATION), NOW)
    for number in range(40):
        census.add(record(software_version=f"1.{number}", location_name=f"Site {number}"))
    watcher = counting.Watcher(Watch())
    watcher.show(census.picture())

    assert len(watcher.lines(80, rows=24)) <= 24
    assert len(watcher.lines(80)) > 24


class Pages:
    """Answers by pages of two; the second device never connected."""

    asked = ()

    async def list_devices(self, wanted, *, offset, limit):
        self.asked = (*self.asked, offset)
        fleet = (
            record(id=1),
            record(id=2, last_connection=None, pending_settings="initial", status="Down"),
            record(id=3, status="Down"),
        )
        rows = fleet[offset : offset + 2]
        return Page(rows, 3, offset + len(rows) < 3, len(rows), 0.0, NOW)


def test_every_page_is_counted_and_devices_that_never_connected_are_part_of_it():
    playbook = filters.playbook_of(Filters())
    pages = Pages()

    async def count():
        return await counting.take(pages, playbook, (Dimension.LAST_CONTACT,), page_size=2)

    found = anyio.run(count)

    assert (found.total.devices, found.total.up, found.total.down) == (3, 1, 2)
    assert [count.label for count in found.sections[0].counts] == ["< 1 h", "never"]
    assert pages.asked == (0, 2)


def test_filters_hold_for_the_count_too():
    playbook = filters.playbook_of(Filters(status="down", where=("last_connection: missing",)))

    async def count():
        return await counting.take(Pages(), playbook, (Dimension.STATUS,), page_size=2)

    assert anyio.run(count).total.devices == 1
