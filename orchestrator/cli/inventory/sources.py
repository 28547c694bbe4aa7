"""A file of rows, checked whole before any request; its types are looked up before anything is planned."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from orchestrator.model.errors import RunError

if TYPE_CHECKING:
    from orchestrator.planning.drafting.refining import Checked
    from orchestrator.settings import Settings

_MOST_BYTES = 64 * 1024 * 1024


def read(file: str, key: str, needed: Sequence[str] = ()) -> "Checked":
    """Read a file of rows and everything that can be said of it without the controller.

    Each row has to have a value in the columns that are `needed`. Raises RunError when there is no
    such table, PlaybookError with all that is wrong with it.
    """
    from orchestrator.planning.drafting.refining import check

    return check(file, _text(file), key, needed)


def _text(file: str) -> str:
    from orchestrator.adapters.runs.journal_reading import why
    from orchestrator.planning.drafting.refining import SUFFIXES

    path = Path(file)
    if path.suffix.lower() not in SUFFIXES:
        raise RunError(f"{file} is no table that can be read; name it *.csv, *.jsonl or *.yaml")
    try:
        if not path.exists():
            raise RunError(f"there is no file {file}")
        # Asked before reading: a device or a pipe would never end, a huge file fill the memory.
        if not path.is_file():
            raise RunError(f"{file} is {'a folder' if path.is_dir() else 'no file'}; name a table")
        if path.stat().st_size > _MOST_BYTES:
            raise RunError(f"{file} is larger than {_MOST_BYTES // 1024 // 1024} MB")
        raw = path.read_bytes()
    except OSError as error:
        raise RunError(f"{file} cannot be read: {why(error)}") from error
    if not raw.strip():
        raise RunError(f"{file} is empty; write one row a device under a header")
    return _decoded(file, raw)


def _decoded(file: str, raw: bytes) -> str:
    from orchestrator.playbook.decoding import decoded

    try:
        return decoded(raw, is_table=True)
    except OSError as error:
        raise RunError(f"{file}: {error}") from error


async def with_types(settings: "Settings", checked: "Checked") -> "tuple[Checked, tuple[str, ...]]":
    """Give the file with its types as numbers that the controller knows, and warnings where it tells none.

    Raises PlaybookError for types that do not exist, or ControllerError.
    """
    from orchestrator.bootstrap import connected
    from orchestrator.model.policies import RequestLimits
    from orchestrator.model.readings import DeviceFilter
    from orchestrator.planning.drafting import refining
    from orchestrator.runtime.listing import Listing

    if not checked.types:
        return checked, ()
    async with connected(settings, RequestLimits()) as (controller, _):
        offers = controller.offers
        types = None if offers is None else await offers.list_types()
        if types is not None:
            return refining.resolved(checked, types), ()
        checked = refining.unnamed(checked)
        filters = [DeviceFilter(each) for each in checked.organizations] or [DeviceFilter()]
        listed: set[int] = set()
        async for page in Listing(controller, filters, page_size=settings.page_size):
            found = (device.fields.get("type") for device in page.devices)
            listed.update(each for each in found if isinstance(each, int))
    return checked, refining.untold_types(checked, listed)
