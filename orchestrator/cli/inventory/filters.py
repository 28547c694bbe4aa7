"""The options that choose devices, as a playbook's `devices` has them, and the devices they choose."""

import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from orchestrator.model.devices import Device
    from orchestrator.model.playbooks import Playbook
    from orchestrator.planning.drafting.composing import Filters
    from orchestrator.ports import Controller
    from orchestrator.runtime.listing import Listing

Organizations = Annotated[
    list[int] | None, typer.Option("--organization", help="Of this organization; repeatable.")
]
Types = Annotated[list[int] | None, typer.Option("--type", help="Of this device type; repeatable.")]
OfStatus = Annotated[
    str | None, typer.Option("--status", metavar="up|down", help="With this status.")
]
ChangedSince = Annotated[
    str | None,
    typer.Option(
        "--last-status-change-from", metavar="WHEN", help="Whose status changed since then."
    ),
]
Where = Annotated[
    list[str] | None,
    typer.Option(
        "--where",
        metavar="CONDITION",
        help="As a playbook's where has it, such as 'software_version: {below: \"2.5\"}'.",
    ),
]


def filters_of(
    organization: Sequence[int] | None,
    type_: Sequence[int] | None,
    status: str | None,
    changed_since: str | None,
    where: Sequence[str] | None,
) -> "Filters":
    """Take what was typed; raises a usage error for a condition on several lines."""
    from orchestrator.planning.drafting.composing import Filters

    if any("\n" in each for each in where or ()):
        raise typer.BadParameter("--where takes one condition on one line; repeat it for more")
    return Filters(
        tuple(organization or ()), tuple(type_ or ()), status, changed_since, tuple(where or ())
    )


@contextmanager
def on_paper(text: str, name: str = "filters.yaml") -> Iterator[Path]:
    """Give a file with this text while the block runs; its faults are the command line's."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_text(text, encoding="utf-8")
        with faults_of_command_line(path):
            yield path


@contextmanager
def faults_of_command_line(path: Path) -> Iterator[None]:
    """Have faults of a file that nobody wrote named as what they are."""
    from orchestrator.model.errors import PlaybookError

    try:
        yield
    except PlaybookError as error:
        faults = [
            replace(fault, path="command line") if fault.path == str(path) else fault
            for fault in error.faults
        ]
        raise PlaybookError(faults) from error


def playbook_of(filters: "Filters") -> "Playbook":
    """Read filters as the playbook's reader does; raises PlaybookError for what is wrong with them."""
    from orchestrator.planning.drafting.composing import listing
    from orchestrator.playbook.loading import load_playbook

    with on_paper(listing(filters)) as path:
        return load_playbook(path)[0]


async def chosen(
    playbook: "Playbook", listing: "Listing", controller: "Controller", *, in_full: bool = False
) -> "AsyncIterator[tuple[float, Sequence[Device]]]":
    """Give, page by page, the devices that its filters choose, and the controller's clock at the first.

    Also those that never connected: they are part of the inventory. With `in_full` each record is
    read by itself, for the fields that pages lack. Raises ControllerError.
    """
    from orchestrator.engine.choosing.selecting import Chooser
    from orchestrator.model.devices import DETAIL_ONLY_FIELDS
    from orchestrator.runtime.looking import read_in_full

    selection = playbook.selection
    judges_details = any(each.field in DETAIL_ONLY_FIELDS for each in selection.where)
    chooser: Chooser | None = None
    began_at = 0.0
    async for page in listing:
        if chooser is None:
            began_at = page.server_at
            chooser = Chooser(selection, began_at, may_be_new=True)
        devices: Sequence[Device] = page.devices
        if judges_details:
            devices = [each async for each in read_in_full(controller, devices, playbook.requests)]
        devices = [each for each in devices if chooser.rejection(each) is None]
        if in_full and not judges_details:
            devices = [each async for each in read_in_full(controller, devices, playbook.requests)]
        yield began_at, devices
