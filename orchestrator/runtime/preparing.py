"""Looking at one device closely: all that a step needs, a device that lost its id, what witnesses say."""

from contextlib import aclosing

from msgspec.structs import replace

from orchestrator.engine.choosing.selecting import lasting_filters_of
from orchestrator.model.commands import AskWitnesses, FindDevice, PrepareDevice
from orchestrator.model.devices import DeviceId
from orchestrator.model.errors import ControllerError, UnauthorisedError, UnreachableError
from orchestrator.model.plans import Plan
from orchestrator.model.readings import Found, Reading, Testimony
from orchestrator.model.snapshots import Extras
from orchestrator.ports import Controller, Secrets
from orchestrator.runtime.listing import Listing


class Preparer:
    """Asks the controller, and what it may offer beside the documents, about one device at a time."""

    def __init__(
        self,
        plan: Plan,
        controller: Controller,
        secrets: Secrets | None,
        *,
        page_size: int,
    ) -> None:
        self._controller = controller
        self._offers = controller.offers
        self._secrets = secrets
        self._page_size = page_size
        self._filters = lasting_filters_of(plan.playbook.selection)

    async def look(self, command: PrepareDevice | FindDevice | AskWitnesses) -> Reading | Found:
        """Give what was asked for. Raises ControllerError or SecretError."""
        match command:
            case PrepareDevice():
                return await self._prepare(command)
            case FindDevice(device, serial_number):
                return Found(device, await self._find(device, serial_number))
            case AskWitnesses():
                return await self._hear(command)

    async def _prepare(self, wanted: PrepareDevice) -> Reading:
        """The record comes last: it is what has to be fresh when the step is judged."""
        extras = None
        if wanted.deep and wanted.record is not None:
            extras = await self._extras(wanted.record)
        fingerprints = {}
        if wanted.secrets and self._secrets is not None:
            fingerprints = dict(await self._secrets.prepare(wanted))
        if wanted.record is not None:
            reading = await self._controller.read_device(wanted.record)
        else:
            reading = await self._find(wanted.device, wanted.serial_number or "")
        return replace(
            reading,
            device_id=wanted.device,
            step=wanted.step,
            extras=extras,
            fingerprints=fingerprints,
        )

    async def _extras(self, record: DeviceId) -> Extras:
        """Settings and variables are taken where they can be had; without them the campaign goes on."""
        if self._offers is None:
            return Extras()
        try:
            settings = await self._offers.read_settings(record)
            variables = await self._offers.read_variables(record)
        except (UnreachableError, UnauthorisedError):
            raise
        except ControllerError as error:
            return Extras(note=f"settings and variables could not be read: {error}")
        return Extras(settings, variables)

    async def _find(self, device: DeviceId, serial_number: str) -> Reading:
        """By the endpoint for serial numbers where there is one, else page by page."""
        if self._offers is not None:
            found = await self._offers.find_by_serial(serial_number)
            if found is not None:
                return replace(found, device_id=device)
        listing = Listing(self._controller, self._filters, page_size=self._page_size)
        asked_at = server_at = 0.0
        async with aclosing(aiter(listing)) as pages:
            async for page in pages:
                asked_at, server_at = page.asked_at, page.server_at
                for each in page.devices:
                    if each.serial_number == serial_number:
                        return replace(
                            await self._controller.read_device(each.id), device_id=device
                        )
        return Reading(device, None, asked_at, server_at)

    async def _hear(self, command: AskWitnesses) -> Reading:
        testimony = None
        if self._offers is not None:
            try:
                testimony = await self._offers.read_testimony(
                    command.device, command.witnesses, since_at=command.since_at
                )
            except (UnreachableError, UnauthorisedError):
                raise
            except ControllerError:
                testimony = None  # a witness that cannot be heard decides nothing
        reading = await self._controller.read_device(command.device)
        return replace(reading, testimony=testimony or Testimony())
