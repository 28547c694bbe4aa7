"""`vault`: the encrypted file that keeps the passwords of devices, its key, and sealed tables."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli import files, screen
from orchestrator.cli.app import new_app
from orchestrator.cli.exit_codes import ExitCode, NeedsYesError
from orchestrator.cli.options import VAULT, AsJson, with_settings

if TYPE_CHECKING:
    from orchestrator.adapters.vault.vault_entries import Entry, Holding
    from orchestrator.adapters.vault.vault_file import VaultFile
    from orchestrator.adapters.vault.vault_key import FoundKey
    from orchestrator.settings import Settings

app = new_app(no_args_is_help=True)

_HEAD = ("DEVICE", "RECORD", "NAME", "FIELD", "STATE", "SINCE", "RUN")

Force = Annotated[
    bool, typer.Option("--force", help="Show it although stdout is no terminal but a pipe or file.")
]


@app.callback()
def vault() -> None:
    """Keep the passwords of devices, and look one up.

    A run stores every new password here before it sends it; the one before is kept until the device
    has been seen with the new one, so that nobody is locked out. The key is taken from
    ORCHESTRATOR_VAULT_KEY, else from the file ORCHESTRATOR_VAULT_KEY_FILE, else from the system's keyring.
    """


@app.command()
@with_settings(VAULT)
def init(
    *,
    settings: "Settings",
    print_key: Annotated[
        bool,
        typer.Option(
            "--print-key", help="Print the new key once, for the environment, and keep it nowhere."
        ),
    ] = False,
) -> int:
    """Make an empty vault, and a key for it unless there is one.

    The new key goes into the system's keyring, or with --print-key to stdout. Without its key nobody
    can open a vault: keep a copy of the key in a safe place.
    """
    from orchestrator.adapters.vault.vault_file import VaultFile, is_there
    from orchestrator.adapters.vault.vault_key import VaultKey, keep_key
    from orchestrator.model.errors import SecretError

    path = settings.vault_file
    if is_there(path):
        raise SecretError(f"there is a file {path} already; it was left as it is")
    found = _find_key(settings)
    if found is not None and print_key:
        raise typer.BadParameter(
            f"--print-key makes a new key, and there is one already: {found.where}"
        )
    key = VaultKey.new() if found is None else found.key
    if found is None and not print_key:
        keep_key(path, key)
    VaultFile.create(path, key)
    screen.note(f"The vault {path} is made; it is empty.")
    if print_key:
        screen.show_data(key.as_text())
        screen.note("Keep this key in ORCHESTRATOR_VAULT_KEY, and a copy of it in a safe place.")
    else:
        where = "the system's keyring" if found is None else found.where
        screen.note(f"Its key is in {where}; without it nobody can open the vault.")
    return ExitCode.DONE


@app.command("list")
@with_settings(VAULT)
def list_(*, settings: "Settings", as_json: AsJson = False) -> int:
    """List what is kept of which devices, and since when.

    No value is shown. `present`: the device was seen with the value. `changing`: a new one was stored,
    and the device may have it already; both are kept. `retired`: its record is another device's now.
    """
    from orchestrator.model import moments

    book = _open(settings).read()
    holdings = sorted(book.holdings.items(), key=lambda each: (each[0].device, each[0].field))
    rows = []
    for owner, holding in holdings:
        newest = holding.newest
        if as_json:
            screen.show_data(json.dumps(_as_object(holding)))
        since = moments.as_short_text(newest.at)
        facts = (owner.device, newest.record, newest.name, owner.field)
        rows.append([*facts, _state_of(holding), since, newest.origin.run_id])
    if rows and not as_json:
        for line in screen.table(_HEAD, rows, limit=screen.width()):
            screen.show(line)
    devices = len({(owner.controller, owner.device) for owner in book.holdings})
    screen.note(f"{screen.counted(devices, 'device')} in the vault {settings.vault_file}")
    return ExitCode.DONE


@app.command()
@with_settings(VAULT)
def show(
    device: Annotated[
        str, typer.Argument(metavar="DEVICE", help="A serial number, an id, or a name.")
    ],
    *,
    settings: "Settings",
    field: Annotated[
        str, typer.Option("--field", metavar="NAME", help="Which of its secret fields.")
    ] = "password",
    previous: Annotated[
        bool, typer.Option("--previous", help="The one it had before the present one.")
    ] = False,
    prepared: Annotated[
        bool, typer.Option("--prepared", help="The one that was stored to be sent to it.")
    ] = False,
    controller: Annotated[
        str | None,
        typer.Option("--controller", metavar="URL", help="Where several controllers have it."),
    ] = None,
    force: Force = False,
) -> int:
    """Show one value on the terminal.

    It is the one that the device was last seen with, unless another is asked for.
    """
    if previous and prepared:
        raise typer.BadParameter("--previous and --prepared exclude each other")
    _check_watched(force=force)
    holding = _one_of(settings, device, field, controller)
    entry = _chosen(holding, device, previous=previous, prepared=prepared)
    if holding.is_changing and not prepared:
        screen.warn("a newer one was stored, and the device may have that already: see --prepared")
    screen.show_data(entry.value.reveal())
    return ExitCode.DONE


@app.command()
@with_settings(VAULT)
def seal(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A table with serial_number and secret columns.")
    ],
    *,
    settings: "Settings",
    output: files.Output,
) -> int:
    """Encrypt a table of passwords with the vault's key.

    A playbook takes them with `password: {file: "@FILE.sealed"}`; each row names its device in the
    column serial_number, and the secrets stand in columns such as password.
    """
    from orchestrator.adapters.vault.sealed_table import Opened, seal
    from orchestrator.adapters.vault.secret_sources import read_text, rows_of
    from orchestrator.model.errors import SecretError

    files.check_output(output)
    files.check_spares(output, file, settings.vault_file)
    found = _require_key(settings)
    table = Opened(file.name, read_text(file))
    rows = rows_of(table.name, table.text, "serial_number")
    if not any(rows.values()):
        raise SecretError(f"{file} has no secrets: a column such as password holds them")
    with files.opened(output) as out:
        out.write(seal(table, found.key))
    screen.note(f"{screen.counted(len(rows), 'row')} sealed; {file} itself is still readable.")
    return ExitCode.DONE


@app.command()
@with_settings(VAULT)
def unseal(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A sealed table.")],
    *,
    settings: "Settings",
    output: files.Output = None,
    force: Force = False,
) -> int:
    """Give a sealed table as it was before.

    It goes to the terminal, or into a file for its owner only.
    """
    from orchestrator.adapters.vault.sealed_table import unseal
    from orchestrator.adapters.vault.secret_sources import read_text

    files.check_output(output)
    files.check_spares(output, file, settings.vault_file)
    if output in (None, files.STDOUT):
        _check_watched(force=force)
    table = unseal(read_text(file), _require_key(settings).key, str(file))
    with files.opened(output) as out:
        out.write(table.text)
    return ExitCode.DONE


@app.command()
@with_settings(VAULT)
def compact(*, settings: "Settings") -> int:
    """Write the vault anew without what is no longer needed.

    Of each field there remain the present value, the one before, and what was stored since.
    """
    before, after = _open(settings).compact()
    screen.show(f"{settings.vault_file}: {before:,} entries before, {after:,} now")
    return ExitCode.DONE


@app.command()
@with_settings(VAULT)
def key(
    *,
    settings: "Settings",
    print_key: Annotated[
        bool, typer.Option("--print-key", help="Print the key itself, to keep a copy of it.")
    ] = False,
    force: Force = False,
) -> int:
    """Say where the key comes from, and whether it opens the vault."""
    if print_key:
        _check_watched(force=force)
    found = _require_key(settings)
    if print_key:
        screen.show_data(found.key.as_text())
        return ExitCode.DONE
    _open(settings)
    screen.show(f"the key from {found.where} opens the vault {settings.vault_file}")
    return ExitCode.DONE


def _open(settings: "Settings") -> "VaultFile":
    from orchestrator.adapters.vault.run_secrets import VaultPlace

    place = VaultPlace(settings.vault_file, settings.vault_key_text, settings.vault_key_file)
    return place.open()


def _find_key(settings: "Settings") -> "FoundKey | None":
    from orchestrator.adapters.vault.vault_key import find_key

    return find_key(settings.vault_file, text=settings.vault_key_text, file=settings.vault_key_file)


def _require_key(settings: "Settings") -> "FoundKey":
    from orchestrator.adapters.vault.vault_key import require_key

    return require_key(
        settings.vault_file, text=settings.vault_key_text, file=settings.vault_key_file
    )


def _check_watched(*, force: bool) -> None:
    if not force and not sys.stdout.isatty():
        raise NeedsYesError(
            "stdout is no terminal, so a secret would end in a pipe or a file; confirm with --force"
        )


def _one_of(settings: "Settings", device: str, field: str, controller: str | None) -> "Holding":
    """Give what is kept for one field of one device; raises SecretError naming what there is."""
    from orchestrator.model.errors import SecretError

    of_device = [
        each
        for each in _open(settings).read().of_device(device)
        if controller in (None, each.newest.owner.controller)
    ]
    found = [each for each in of_device if each.newest.owner.field == field]
    if len(found) == 1:
        return found[0]
    if found:
        raise SecretError(f"the vault has {device!r} more than once: {_told_apart(found)}")
    if of_device:
        fields = ", ".join(sorted(each.newest.owner.field for each in of_device))
        raise SecretError(f"the vault has no {field} of device {device!r}, only: {fields}")
    raise SecretError(f"the vault has nothing of device {device!r}; see `orchestrator vault list`")


def _told_apart(found: Sequence["Holding"]) -> str:
    owners = [each.newest.owner for each in found]
    if len({owner.controller for owner in owners}) == len(owners):
        some = " or ".join(sorted(owner.controller for owner in owners))
        return f"say --controller {some}"
    return "give one of the serial numbers " + ", ".join(sorted(each.device for each in owners))


def _chosen(holding: "Holding", device: str, *, previous: bool, prepared: bool) -> "Entry":
    from orchestrator.model.errors import SecretError

    field = holding.newest.owner.field
    if prepared:
        entry, what = (holding.prepared or (None,))[-1], "prepared"
    elif previous:
        entry, what = holding.previous, "previous"
    else:
        entry, what = holding.present, "present"
    if entry is None:
        hint = "; see --prepared" if holding.is_changing else ""
        if holding.is_retired:
            hint = ": its record is another device's now; see --previous"
        raise SecretError(f"the vault has no {what} {field} of device {device!r}{hint}")
    return entry


def _state_of(holding: "Holding") -> str:
    if holding.is_changing:
        return "changing"
    return "retired" if holding.is_retired else "present"


def _as_object(holding: "Holding") -> dict[str, object]:
    from orchestrator.model import moments

    newest = holding.newest
    return {
        "controller": newest.owner.controller,
        "device": newest.owner.device,
        "record": newest.record,
        "name": newest.name,
        "field": newest.owner.field,
        "state": _state_of(holding),
        "values": [
            {
                "state": entry.state.value,
                "run": entry.origin.run_id,
                "step": entry.origin.step,
                "at": moments.as_text(entry.at),
            }
            for entry in holding.entries
        ],
    }
