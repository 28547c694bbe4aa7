"""What commands compose ends early when the controller refuses every device alike."""

from collections import Counter

import pytest

from orchestrator.model.playbooks import PlaybookSource
from orchestrator.model.values import Table
from orchestrator.planning.drafting import composing
from orchestrator.planning.drafting.composing import Filters
from orchestrator.simulator.exchange import Request, Response
from orchestrator.simulator.fleet import FleetPlan, make_fleet
from orchestrator.simulator.world import World
from tests.promises.carrying import carried_out
from tests.support.worlds import START

pytestmark = pytest.mark.looptime
COLUMNS = ("serial_number", "name", "customer_id", "type", "organization_id")


class Refusing(World):
    """A world that reads, and answers every change with the same 400."""

    def handle(self, request: Request, now: float) -> Response:
        if request.method == "GET":
            return super().handle(request, now)
        self.refused = getattr(self, "refused", 0) + 1
        return Response(400, {"customer_id": ["Invalid value."]})


def rows(count: int) -> tuple[Table, str]:
    named = {
        f"ZNNEW{number}": dict(zip(COLUMNS[1:], (f"new-{number}", "C1", 15, 123), strict=True))
        for number in range(count)
    }
    lines = [",".join((name, *map(str, row.values()))) for name, row in named.items()]
    places = {name: line for line, name in enumerate(named, start=2)}
    table = Table("sites.csv", "serial_number", COLUMNS, named, places)
    return table, "\n".join((",".join(COLUMNS), *lines, ""))


async def verdicts(text: str, csv: str = "") -> tuple[Counter[str], int]:
    files = {"sites.csv": csv} if csv else {}
    world = Refusing(make_fleet(40, 7, FleetPlan.plain("fast")), seed=7, started_at=START)

    carried = await carried_out(PlaybookSource("made.yaml", text, {}, files), world)

    return Counter(carried.ended.values()), world.refused


@pytest.mark.parametrize("wait", [None, 3600.0], ids=["at once", "after the first contact"])
async def test_an_import_of_rows_that_are_all_refused(wait):
    table, csv = rows(30)

    ended, refused = await verdicts(composing.importing(table, file="sites.csv", wait=wait), csv)

    assert ended["failed"] == refused
    assert refused <= 5
    assert sum(ended.values()) == 30


async def test_an_update_that_is_refused_everywhere():
    text = composing.updating(Filters((123, 456)), {"description": "new"})

    ended, refused = await verdicts(text)

    assert ended["failed"] == refused
    assert refused <= 5
    assert sum(ended.values()) > 20
