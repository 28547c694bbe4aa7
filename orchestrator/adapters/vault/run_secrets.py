"""The secrets of one run: made once for each step, stored before they are sent, kept until seen."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

import structlog
from anyio import to_thread

from orchestrator.adapters.vault.run_salt import RunSalt, check_vault
from orchestrator.adapters.vault.secret_sources import SecretSources, Subject
from orchestrator.adapters.vault.sent_secrets import Ended, SentSecrets, is_of_new_device, is_seen
from orchestrator.adapters.vault.vault_entries import Book, Entry, Holding, Origin, Owner, State
from orchestrator.adapters.vault.vault_file import VaultFile, is_there
from orchestrator.adapters.vault.vault_key import fingerprint, require_key
from orchestrator.engine.walking.rendering import rendered
from orchestrator.model.commands import PrepareDevice, SendChange
from orchestrator.model.errors import SecretError
from orchestrator.model.events import DeviceFound, Event, OperationAccepted
from orchestrator.model.plans import Plan
from orchestrator.model.playbooks import Playbook
from orchestrator.model.steps import RecordStep, Step
from orchestrator.model.values import Secret, SecretKind
from orchestrator.ports import Clock

log = structlog.get_logger(__name__)

_NAMING = (OperationAccepted, DeviceFound)
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
        self._playbook = plan.playbook
        self._devices = plan.devices
        self._any = bool(secrets_of(plan.playbook))
        """Without any there is nothing to follow."""
        self._sources = sources
        self._store = store
        self._fingerprint_key = fingerprint_key
        self._clock = clock
        self._records: dict[int, int] = {}
        self._sent = SentSecrets()
        self._ended: dict[tuple[int, int], Ended] = {}

    async def prepare(self, wanted: PrepareDevice) -> Mapping[str, str]:
        made = self._store.made_in(self._run, wanted.device, wanted.step)
        fresh = [
            await self._made(wanted, each.field, each.value)
            for each in wanted.secrets
            if isinstance(each.value, Secret) and each.field not in made
        ]
        if fresh:
            ended = dict(self._ended)  # a thread must not meet the events that come meanwhile
            await to_thread.run_sync(
                self._store.store, lambda book: [*self._outcomes(book, ended), *fresh]
            )
            self._forget(ended)
            made = self._store.made_in(self._run, wanted.device, wanted.step)
        return {
            each.field: fingerprint(self._fingerprint_key, made[each.field].value.reveal())
            for each in wanted.secrets
        }

    async def _made(self, wanted: PrepareDevice, what: str, secret: Secret) -> Entry:
        record = wanted.record or self._records.get(wanted.device)
        planned = self._devices.find(wanted.device)
        name = None if planned is None else planned.name
        subject = Subject(record, wanted.serial_number, name, wanted.row)
        return Entry(
            state=State.PREPARED,
            owner=Owner(self._controller, self._owner_in(wanted), what),
            origin=Origin(self._run, wanted.device, wanted.step, what),
            value=await self._sources.value_of(what, secret, subject),
            at=self._clock.now(),
            record=record,
            name=name,
        )

    def _owner_in(self, wanted: PrepareDevice) -> str:
        """Name whom a value is for: the serial number that the same step writes, else the present one."""
        step, table = _at(self._playbook.all_steps, wanted.step), self._playbook.table
        if isinstance(step, RecordStep):
            row = None if table is None else table.row_of(wanted.row)
            written = rendered(step, None, row, table=table).fields.get("serial_number")
            if written is not None and str(written).strip():
                return str(written)
        return wanted.serial_number or f"id {wanted.device}"

    def reveal(self, change: SendChange) -> Mapping[str, str]:
        made = self._store.made_in(self._run, change.device, change.step)
        missing = [name for name in change.secrets if name not in made]
        if missing:
            raise SecretError(
                f"no {missing[0]} was prepared for device {change.device}; nothing was sent"
            )
        return {name: made[name].value.reveal() for name in change.secrets}

    def check(self, places: Iterable[tuple[int, int]]) -> None:
        """Return only if every source can be used of which devices that stand at these steps still need
        a value; a value that was made already needs none.

        Raises SecretError in one sentence.
        """
        steps = self._playbook.all_steps
        first = min((self._first_unmade(*place) for place in places), default=len(steps))
        wanted = secrets_of(self._playbook, steps[first:])
        self._sources.check(secret for _, secret in wanted)

    def _first_unmade(self, device: int, step: int) -> int:
        here = secrets_of(self._playbook, self._playbook.all_steps[step : step + 1])
        made = self._store.made_in(self._run, device, step)
        # Of a row that is written whole not every device has each cell.
        is_made = bool(made) if _takes_row(_at(self._playbook.all_steps, step)) else False
        return step + 1 if is_made or all(name in made for name, _ in here) else step

    def hear(self, events: Sequence[Event]) -> None:
        if not self._any:
            return
        for event in events:
            if isinstance(event, _NAMING) and event.record is not None:
                self._records[event.device] = event.record
            ended = self._sent.after(event)
            if ended is not None and self._is_open(ended.device, ended.step):
                self._ended.setdefault((ended.device, ended.step), ended)
        self._note(wait=False)

    def close(self) -> None:
        """Note what could not be noted while somebody else wrote; a resumed run would note it as well."""
        self._note(wait=True)

    def _note(self, *, wait: bool) -> None:
        """Have the store know how steps ended; what fails now is tried again with the next events."""
        ended = self._ended
        if not ended:
            return
        try:
            is_noted = self._store.store(
                lambda book: list(self._outcomes(book, ended)), durable=False, wait=wait
            )
        except SecretError as error:
            log.warning("vault.unnoted", reason=str(error))
            return
        if is_noted:
            self._ended = {}

    def _forget(self, noted: Mapping[tuple[int, int], Ended]) -> None:
        self._ended = {
            place: ended for place, ended in self._ended.items() if noted.get(place) is not ended
        }

    def _is_open(self, device: int, step: int) -> bool:
        made = self._store.made_in(self._run, device, step)
        return any(entry.state is State.PREPARED for entry in made.values())

    def _outcomes(self, book: Book, ended: Mapping[tuple[int, int], Ended]) -> Iterator[Entry]:
        """Give the entries that say what became of the values of steps that ended; none twice."""
        for (device, step), end in ended.items():
            made = list(book.made_in(self._run, device, step).values())
            for entry in made:
                if entry.state is State.PREPARED:
                    yield from self._outcome(book, entry, end)

    def _outcome(self, book: Book, entry: Entry, end: Ended) -> Iterator[Entry]:
        what = entry.owner.field
        if what not in end.intended:
            yield entry.dropped
        elif what in end.proven:
            owner = replace(entry.owner, device=end.serial_number or entry.owner.device)
            if owner != entry.owner:
                yield entry.dropped
            if end.former not in (None, owner.device):
                yield from _retired(book.holdings.get(replace(owner, device=end.former)), end.at)
            step = _at(self._playbook.all_steps, end.step)
            is_present = is_seen(step) or (
                is_of_new_device(step) and _is_only(entry, book.holdings.get(owner))
            )
            record = self._records.get(end.device, entry.record)
            if is_present:
                yield replace(entry, state=State.PRESENT, owner=owner, at=end.at, record=record)
            elif owner != entry.owner:
                yield replace(entry, owner=owner, record=record)


def _is_only(entry: Entry, holding: Holding | None) -> bool:
    """Tell whether nothing else is kept that the device may have."""
    kept = () if holding is None else (holding.present, *holding.prepared)
    return all(each is None or each.origin == entry.origin for each in kept)


def _retired(holding: Holding | None, at: float) -> Iterator[Entry]:
    """Give the entry by which what a device had is kept under its own name only."""
    if holding is None or holding.is_retired:
        return
    last = holding.present or (holding.prepared or (holding.newest,))[-1]
    if last.at <= at:
        yield replace(last.unnamed, state=State.RETIRED)


def _at(steps: Sequence[Step], index: int) -> Step | None:
    return steps[index] if index < len(steps) else None


def _takes_row(step: Step | None) -> bool:
    return isinstance(step, RecordStep) and step.takes_row


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
    Raises SecretError in one sentence when something is missing, or the run was begun with another
    vault or key, UnrecordedError when nothing can be written in the folder.
    """
    kinds = {secret.kind for _, secret in secrets_of(plan.playbook)}
    vault = _vault_for(kinds, place)
    sources = _sources(plan, vault, command, environment)
    salt = RunSalt.of(folder) if kinds else RunSalt(folder.name, b"")
    if kinds:
        check_vault(folder, None if vault is None else vault.identity(), place.file)
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


def secrets_of(playbook: Playbook, steps: Sequence[Step] | None = None) -> list[tuple[str, Secret]]:
    """Give every secret that some step writes, with its field; those of whole rows among them.

    Without steps it looks at all of the playbook.
    """
    chosen = playbook.all_steps if steps is None else steps
    writing = [step for step in chosen if isinstance(step, RecordStep)]
    named = [
        (each.field, each.value)
        for step in writing
        for each in step.secrets
        if isinstance(each.value, Secret)
    ]
    table = playbook.table
    if table is None or not any(step.takes_row for step in writing):
        return named
    return named + [(column, Secret(SecretKind.ROW, column)) for column in sorted(table.secrets)]
