"""`devices show`: one record whole."""

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from orchestrator.cli import screen
from orchestrator.cli.options import CONTROLLER, LOG, AsJson, with_settings

if TYPE_CHECKING:
    from orchestrator.model.devices import Device
    from orchestrator.ports import Offers
    from orchestrator.settings import Settings

_LOG_SECONDS = 86_400.0
NOT_OFFERED = "not offered by this controller"


@with_settings(CONTROLLER, LOG, opens_log=True)
def show(
    device: Annotated[
        str, typer.Argument(metavar="ID|SERIAL|NAME", help="The device, by what it is called.")
    ],
    *,
    settings: "Settings",
    with_device_settings: Annotated[
        bool, typer.Option("--settings", help="Also its settings, where the controller tells them.")
    ] = False,
    variables: Annotated[
        bool,
        typer.Option("--variables", help="Also its variables, where the controller tells them."),
    ] = False,
    device_log: Annotated[
        bool,
        typer.Option("--log", help="Also what its log tells of the last day, where there is one."),
    ] = False,
    refresh: Annotated[
        bool,
        typer.Option(
            "--refresh", help="Have the controller contact the device once before it is read."
        ),
    ] = False,
    as_json: AsJson = False,
) -> int:
    """Show one record whole.

    Only GETs are sent.
    """
    from orchestrator.cli.campaign import in_loop
    from orchestrator.cli.inventory import describing

    extras = {
        "settings": with_device_settings,
        "variables": variables,
        "log": device_log,
    }
    wanted = [name for name, is_wanted in extras.items() if is_wanted]
    found, now, told = in_loop(
        settings.event_loop, _read, settings, device, wanted, refresh=refresh
    )
    if as_json:
        record = describing.as_object(found)
        screen.show_data(json.dumps(record | {name: told[name] for name in wanted}, indent=2))
        return 0
    groups = describing.groups_of(found, now)
    for name in wanted:
        groups[name] = _facts(name, told[name], now)
    for line in describing.lines_of(groups):
        screen.show(line)
    return 0


async def _read(
    settings: "Settings", name: str, wanted: list[str], *, refresh: bool
) -> "tuple[Device, float, dict[str, Any]]":
    """Give the record, the controller's clock, and each extra; None for one that is not offered."""
    from orchestrator.bootstrap import connected
    from orchestrator.cli.inventory import addressing
    from orchestrator.model.errors import GoneError
    from orchestrator.model.policies import RequestLimits

    async with connected(settings, RequestLimits()) as (controller, _):
        offers = controller.offers
        (device,) = await addressing.find(controller, offers, [name], page_size=settings.page_size)
        reading = await controller.read_device(device.id, update_status=refresh)
        if reading.device is None:
            raise GoneError(f"device {device.id} is gone since it was found")
        now = reading.server_at
        told = {each: await _extra(offers, reading.device, each, now) for each in wanted}
        return reading.device, now, told


async def _extra(offers: "Offers | None", device: "Device", name: str, now: float) -> Any:
    from dataclasses import asdict

    from orchestrator.model.secrecy import masked
    from orchestrator.model.steps import Witness

    if offers is None:
        return None
    if name == "log":
        witnesses = (Witness.DEVICE_LOG, Witness.UP_TIME)
        said = await offers.read_testimony(device.id, witnesses, since_at=now - _LOG_SECONDS)
        return None if said is None else asdict(said)
    if name == "settings":
        found = await offers.read_settings(device.id)
    else:
        found = await offers.read_variables(device.id)
    return None if found is None else {key: masked(key, value) for key, value in found.items()}


def _facts(name: str, told: Any, now: float) -> list[tuple[str, str]]:
    from orchestrator.cli.inventory import describing
    from orchestrator.model.readings import Testimony

    if told is None:
        return [(NOT_OFFERED, "")]
    if name == "log":
        return describing.testimony_of(Testimony(**told), now - _LOG_SECONDS)
    return describing.values_of(told) or [("none", "")]
