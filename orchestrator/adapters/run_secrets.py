"""The secrets of one run: made once for each step, stored before they are sent, kept until seen."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

import structlog
from anyio import to_thread

from orchestrator.adapters.run_salt import RunSalt
from orchestrator.adapters.secret_sources import SecretSources, Subject
from orchestrator.adapters.vault_entries import Book, Entry, Origin, Owner, State
from orchestrator.adapters.vault_file import VaultFile, is_there
from orchestrator.adapters.vault_key import fingerprint, require_key
from orchestrator.model.commands import PrepareDevice, SendChange
from orchestrator.model.errors import SecretError
from orchestrator.model.events import DeviceFound, Event, OperationAccepted, StepSucceeded
from orchestrator.model.plans import Plan
from orchestrator.model.playbooks import Playbook
from orchestrator.model.steps import RecordStep
from orchestrator.model.values import Secret, SecretKind
from orchestrator.ports import Clock

log = structlog.get_logger(__name__)

_NEEDS_NO_VAULT = frozenset({SecretKind.ENV, SecretKind.ROW})
"""Whoever gave these values has them still."""


class Store(Protocol):
    """Where entries are kept: a vault, or the memory of this process."""

    def made_in(self, run: str, device: int, step: int) -> Mapping[str, Entry]:
        """Give the values that were made for this step, by field."""
        ...

    def store(
        self, wanted: Callable[[Book], Sequence[Entry]], *, durable: bool = True, wait: bool = True
    ) -> bool:
        """Add the entries that are wanted in view of what is there; False when that has to wait."""
        ...


class MemoryStore:
    """Keeps entries while the process lives, where a person or a file has the values anyway."""

    def __init__(self) -> None:
        self._book = Book()

    def made_in(self, run: str, device: int, step: int) -> Mapping[str, Entry]:
        return self._book.made_in(run, device, step)

    def store(
        self, wanted: Callable[[Book], Sequence[Entry]], *, durable: bool = True, wait: bool = True
    ) -> bool:
        for entry in wanted(self._book):
            self._book.add(entry)
        return True


@dataclass(frozen=True, slots=True)
class VaultPlace:
    """Where the settings say that the vault and its key are."""

    file: Path
    key_text: str | None = field(default=None, repr=False)
    key_file: Path | None = None

    def open(self) -> VaultFile:
        """Open it; raises SecretError when there is no vault, no key, or another vault's key."""
        if not is_there(self.file):
            raise SecretError(
                f"there is no vault {self.file}: make one with `orchestrator vault init`"
            )
        found = require_key(self.file, text=self.key_text, file=self.key_file)
        return VaultFile.open(self.file, found.key)


class RunSecrets:
    """Secrets of one run, for the port of that name; safe to hear the same events twice."""

    def __init__(
        self,
        plan: Plan,
        run: str,
        *,
        sources: SecretSources,
        store: Store,
        fingerprint_key: bytes,
        clock: Clock,
    ) -> None:
        self._run = run
        self._controller = plan.controller
        self._names = {device.id: device.name for device in plan.devices}
        self._sources = sources
        self._store = store
        self._fingerprint_key = fingerprint_key
        self._clock = clock
        self._records: dict[int, int] = {}
        self._proven: dict[tuple[int, int], float] = {}

    async def prepare(self, wanted: PrepareDevice) -> Mapping[str, str]:
        made = self._store.made_in(self._run, wanted.device, wanted.step)
        fresh = [
            await self._made(wanted, each.field, each.value)
            for each in wanted.secrets
            if isinstance(each.value, Secret) and each.field not in made
        ]
        if fresh:
            proven = dict(self._proven)  # a thread must not meet the events that come meanwhile
            await to_thread.run_sync(
                self._store.store, lambda book: [*self._seen(book, proven), *fresh]
            )
            made = self._store.made_in(self._run, wanted.device, wanted.step)
        return {
            each.field: fingerprint(self._fingerprint_key, made[each.field].value.reveal())
            for each in wanted.secrets
        }

    async def _made(self, wanted: PrepareDevice, what: str, secret: Secret) -> Entry:
        record = wanted.record or self._records.get(wanted.device)
        name = self._names.get(wanted.device)
        subject = Subject(record, wanted.serial_number, name, wanted.row)
        return Entry(
            state=State.PREPARED,
            owner=Owner(self._controller, wanted.serial_number or f"id {wanted.device}", what),
            origin=Origin(self._run, wanted.device, wanted.step, what),
            value=await self._sources.value_of(what, secret, subject),
            at=self._clock.now(),
            record=record,
            name=name,
        )

    def reveal(self, change: SendChange) -> Mapping[str, str]:
        made = self._store.made_in(self._run, change.device, change.step)
        missing = [name for name in change.secrets if name not in made]
        if missing:
            raise SecretError(
                f"no {missing[0]} was prepared for device {change.device}; nothing was sent"
            )
        return {name: made[name].value.reveal() for name in change.secrets}

    def hear(self, events: Sequence[Event]) -> None:
        for event in events:
            match event:
                case OperationAccepted(device=device, record=int(record)):
                    self._records[device] = record
                case DeviceFound(device=device, record=record):
                    self._records[device] = record
                case StepSucceeded(device=device, step=step, at=at):
                    self._proven[device, step] = at
        self._note(wait=False)

    def close(self) -> None:
        """Note what could not be noted while somebody else wrote; a resumed run would note it as well."""
        self._note(wait=True)

    def _note(self, *, wait: bool) -> None:
        """Make proven values the present ones; what fails now is tried again with the next events."""
        self._proven = {
            (device, step): at
            for (device, step), at in self._proven.items()
            if self._is_open(device, step)
        }
        if not self._proven:
            return
        try:
            self._store.store(lambda book: self._seen(book, self._proven), durable=False, wait=wait)
        except SecretError as error:
            log.warning("vault.unnoted", reason=str(error))

    def _is_open(self, device: int, step: int) -> bool:
        made = self._store.made_in(self._run, device, step)
        return any(entry.state is State.PREPARED for entry in made.values())

    def _seen(self, book: Book, proven: Mapping[tuple[int, int], float]) -> list[Entry]:
        """Give the entries by which proven values become present; none twice."""
        return [
            replace(
                entry,
                state=State.PRESENT,
                at=at,
                record=self._records.get(device, entry.record),
            )
            for (device, step), at in proven.items()
            for entry in book.made_in(self._run, device, step).values()
            if entry.state is State.PREPARED
        ]


def open_secrets(
    plan: Plan,
    folder: Path,
    clock: Clock,
    place: VaultPlace,
    *,
    command: str | None,
    environment: Mapping[str, str],
) -> RunSecrets:
    """Make the secrets of the run in this folder; a vault is opened only where it is needed.

    Generated and printed values and sealed tables need one; values from the environment or the
    playbook's table are put into the vault where there is one, and else kept in memory only.
    Raises SecretError in one sentence when something is missing, UnrecordedError when nothing can be
    written in the folder.
    """
    kinds = {secret.kind for _, secret in secrets_of(plan.playbook)}
    vault = _vault_for(kinds, place)
    sources = _sources(plan, vault, command, environment)
    salt = RunSalt.of(folder) if kinds else RunSalt(folder.name, b"")
    return RunSecrets(
        plan,
        salt.name,
        sources=sources,
        store=MemoryStore() if vault is None else vault,
        fingerprint_key=salt.fingerprint_key if vault is None else vault.fingerprint_key,
        clock=clock,
    )


def check_secrets(
    plan: Plan, place: VaultPlace, command: str | None, environment: Mapping[str, str]
) -> None:
    """Return only if every source of the plan's secrets can be used, before anything is begun.

    Raises SecretError in one sentence.
    """
    wanted = [secret for _, secret in secrets_of(plan.playbook)]
    vault = _vault_for({secret.kind for secret in wanted}, place)
    _sources(plan, vault, command, environment).check(wanted)


def _vault_for(kinds: Collection[SecretKind], place: VaultPlace) -> VaultFile | None:
    has_vault = bool(kinds) and (not _NEEDS_NO_VAULT.issuperset(kinds) or is_there(place.file))
    return place.open() if has_vault else None


def _sources(
    plan: Plan, vault: VaultFile | None, command: str | None, environment: Mapping[str, str]
) -> SecretSources:
    return SecretSources(
        plan.source,
        plan.playbook.table,
        key=None if vault is None else vault.key,
        command=command,
        environment=environment,
    )


def secrets_of(playbook: Playbook) -> list[tuple[str, Secret]]:
    """Give every secret that some step writes, with its field; those of whole rows among them."""
    steps = [step for step in playbook.all_steps if isinstance(step, RecordStep)]
    named = [
        (each.field, each.value)
        for step in steps
        for each in step.secrets
        if isinstance(each.value, Secret)
    ]
    table = playbook.table
    if table is None or not any(step.takes_row for step in steps):
        return named
    return named + [(column, Secret(SecretKind.ROW, column)) for column in sorted(table.secrets)]
