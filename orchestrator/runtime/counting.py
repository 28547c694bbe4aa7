"""Taking a census: which devices are out of service where a run works, whoever is the cause."""

from orchestrator.engine.choosing.selecting import belongs_to_census, census_filters_of
from orchestrator.model.answering import failure_of
from orchestrator.model.devices import Device
from orchestrator.model.errors import ControllerError
from orchestrator.model.readings import Census
from orchestrator.model.selections import Selection
from orchestrator.ports import Clock, Controller
from orchestrator.runtime.listing import Listing


async def census_of(
    selection: Selection, controller: Controller, clock: Clock, *, page_size: int
) -> Census:
    """List the Down devices of the selection's organizations, of every type and in every place.

    A controller may ignore the filters, so every row is checked again. Whatever keeps it from
    being read is in the census; nothing is raised.
    """
    asked_at = began_at = clock.now()
    wanted = census_filters_of(selection)
    found: list[Device] = []
    is_first = True
    try:
        async for page in Listing(controller, wanted, page_size=page_size):
            asked_at, is_first = (page.asked_at if is_first else asked_at), False
            found += [each for each in page.devices if belongs_to_census(selection, each)]
    except ControllerError as error:
        return Census(began_at, None, failure_of((), error))
    return Census(asked_at, tuple(found))
