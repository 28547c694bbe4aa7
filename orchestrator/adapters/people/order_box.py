"""Orders to a run as files beside its journal: left whole or not at all, taken once, answered once.

`<name>.order` waits, `<name>.taken` was claimed, `<name>.answer` answers it, `<name>.aside` is none.
"""

import os
import secrets
import stat
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import anyio
import structlog

from orchestrator.adapters.machine.system_clock import SystemClock
from orchestrator.adapters.people.order_lines import (
    LARGEST,
    Answer,
    NoOrderError,
    Sheet,
    decode,
    decode_answer,
    encode,
    encode_answer,
)
from orchestrator.adapters.runs.journal_reading import why
from orchestrator.model import moments
from orchestrator.model.errors import RunError
from orchestrator.model.orders import Ask, Order, OrderUnansweredError

log = structlog.get_logger(__name__)

FOLDER = "orders"
AT_ONCE = 100
"""Files looked at in one round; a flood of them must not hold up a run."""
KEPT = 3600.0
"""Seconds after which what nobody fetched is taken away."""
PATIENCE = 10.0
"""Real seconds for which somebody waits for an order to be taken."""
GRACE = 10.0
"""Real seconds for which an order that was taken may still go unanswered."""

_LOOKS = 0.1
_WRITING = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
_READING = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK


def real_now() -> float:
    """Give the machine's time now; several processes compare it, however long each has lived."""
    return SystemClock().now()


class OrderBox:
    """The box of one run, for the process that drives it (ports.Orders)."""

    def __init__(
        self,
        run_folder: Path,
        *,
        now: Callable[[], float] = real_now,
        trusted: Collection[int] | None = None,
    ) -> None:
        self._folder = run_folder / FOLDER
        self._run_id = run_folder.name
        self._now = now
        self._trusted = trusted
        self._stuck: set[str] = set()
        with suppress(OSError):
            _make(self._folder)
        self._tidy()

    def take(self) -> "Sequence[PlacedOrder]":
        taken = []
        for name in self._waiting():
            placed = self._taken(name)
            if placed is not None:
                taken.append(placed)
        return taken

    def _waiting(self) -> list[str]:
        names = sorted(_names(self._folder, ".order"))
        return [name for name in names if name not in self._stuck][:AT_ONCE]

    def _taken(self, name: str) -> "PlacedOrder | None":
        """Claim one file; whoever left it may have withdrawn it a moment before."""
        taken = self._folder / f"{name}.taken"
        try:
            (self._folder / f"{name}.order").rename(taken)
        except FileNotFoundError:
            return None
        except OSError as error:
            self._stuck.add(name)
            log.warning("order.not_taken", order=name, reason=why(error))
            return None
        placed = PlacedOrder(self._folder, name, None)
        try:
            sheet = self._read(taken)
        except (NoOrderError, OSError) as error:
            reason = why(error) if isinstance(error, OSError) else str(error)
            self._put_aside(name, reason)
            placed.answer(f"this is no order that the run understands: {reason}", refused=True)
            return None
        if sheet.expires_at <= self._now():
            self._put_aside(name, "nobody waits for it any more")
            return None
        return PlacedOrder(self._folder, name, sheet.order)

    def _read(self, path: Path) -> Sheet:
        sheet = decode(_read_small(path, self._trusted_users()))
        if sheet.run_id != self._run_id:
            raise NoOrderError(f"it is for run {sheet.run_id!r}")
        return sheet

    def _trusted_users(self) -> Collection[int]:
        if self._trusted is not None:
            return self._trusted
        return {os.geteuid(), self._folder.parent.stat().st_uid}

    def _put_aside(self, name: str, reason: str) -> None:
        log.warning("order.set_aside", order=name, reason=reason)
        with suppress(OSError):
            (self._folder / f"{name}.taken").rename(self._folder / f"{name}.aside")

    def _tidy(self) -> None:
        """Take away what an earlier process or an impatient writer left behind."""
        old = self._now() - KEPT
        for ending in (".answer", ".taken", ".draft"):
            for name in _names(self._folder, ending):
                path = self._folder / f"{name}{ending}"
                with suppress(OSError):
                    if path.lstat().st_mtime < old:
                        path.unlink()


@dataclass(frozen=True, slots=True)
class PlacedOrder:
    """One order out of the box, and its answer's way back (ports.Placed)."""

    _folder: Path
    _name: str
    _order: Order | Ask | None

    @property
    def order(self) -> Order | Ask:
        assert self._order is not None
        return self._order

    def answer(self, told: str, *, refused: bool) -> None:
        try:
            _write_whole(self._folder, f"{self._name}.answer", encode_answer(Answer(told, refused)))
        except (OSError, TypeError) as error:
            reason = why(error) if isinstance(error, OSError) else str(error)
            log.warning("order.not_answered", order=self._name, reason=reason)
        with suppress(OSError):
            (self._folder / f"{self._name}.taken").unlink()


@dataclass(frozen=True, slots=True)
class Slip:
    """One order on its way, for whoever left it."""

    _folder: Path
    _name: str

    def answer(self) -> Answer | None:
        """Fetch the answer if there is one; it is there only once."""
        path = self._folder / f"{self._name}.answer"
        try:
            answer = decode_answer(_read_small(path, None))
        except (OSError, NoOrderError):
            return None
        with suppress(OSError):
            path.unlink()
        return answer

    def withdraw(self) -> bool:
        """Take the order back; False when it was taken already, so that an answer will come."""
        try:
            (self._folder / f"{self._name}.order").unlink()
        except OSError:
            return False
        return True


def place(run_folder: Path, order: Order | Ask, *, now: float, patience: float) -> Slip:
    """Leave an order for whoever drives the run; raises RunError when it cannot be left there."""
    folder = run_folder / FOLDER
    stamp = moments.as_text(now).replace(":", "").replace("-", "")
    slip = Slip(folder, f"{stamp}-{secrets.token_hex(4)}")
    try:
        _make(folder)
        sheet = Sheet(order, run_folder.name, now, now + patience)
        _write_whole(folder, f"{slip._name}.order", encode(sheet))  # noqa: SLF001 - made here
    except OSError as error:
        raise RunError(f"no order can be left in {folder}: {why(error)}") from error
    return slip


async def deliver(
    run_folder: Path,
    order: Order | Ask,
    *,
    is_driven: Callable[[], bool],
    patience: float | None = None,
) -> Answer | None:
    """Leave an order and wait for the answer; None when nobody drives the run (any more).

    Then, and also when the patience ends first, the order is taken back and does not count.
    Raises OrderUnansweredError when the patience ends, or the process that took it did.
    """
    patience = PATIENCE if patience is None else patience
    slip = place(run_folder, order, now=real_now(), patience=patience)
    try:
        return await _answer_to(slip, run_folder.name, is_driven, patience)
    except BaseException:
        slip.withdraw()
        raise


async def _answer_to(
    slip: Slip, run_id: str, is_driven: Callable[[], bool], patience: float
) -> Answer | None:
    """Look for the answer, and now and then whether there is still somebody to give it."""
    deadline = anyio.current_time() + patience
    is_taken = False
    while True:
        driven = is_driven()  # asked first: the answer may be the last thing a process wrote
        if (answer := slip.answer()) is not None:
            return answer
        if is_taken and not driven:
            raise OrderUnansweredError(_ENDED.format(run_id))
        if not driven or anyio.current_time() >= deadline:
            if is_taken:
                raise OrderUnansweredError(_SILENT.format(run_id))
            if slip.withdraw():
                if not driven:
                    return None
                raise OrderUnansweredError(_UNHEARD.format(run_id, patience))
            is_taken, deadline = True, anyio.current_time() + GRACE
        await anyio.sleep(_LOOKS)


_UNHEARD = (
    "the process that drives run {} took no order for {:g} seconds, so this one was taken back and"
    " nothing has changed; see whether it is suspended or hangs"
)
_SILENT = (
    "the process that drives run {} took the order and has not answered it; it may still count:"
    " look for it in the audit log"
)
_ENDED = (
    "the process that drove run {} took the order and ended before it answered; the audit log tells"
    " whether it counts"
)


def _names(folder: Path, ending: str) -> Iterator[str]:
    try:
        found = os.listdir(folder)  # noqa: PTH208 - looked at twice a second
    except OSError:
        return
    for name in found:
        if name.endswith(ending):
            yield name.removesuffix(ending)


def _make(folder: Path) -> None:
    """Make the folder for its run's owner, also when somebody else with the right to it comes first."""
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        return
    owner = folder.parent.stat()
    if os.geteuid() == 0:
        os.chown(folder, owner.st_uid, owner.st_gid)


def _write_whole(folder: Path, name: str, data: bytes) -> None:
    """Put a file there in one step, readable for the run's owner only."""
    draft = folder / f"{name}.{secrets.token_hex(4)}.draft"
    try:
        with os.fdopen(os.open(draft, _WRITING, 0o600), "wb") as file:
            if os.geteuid() == 0:
                owner = folder.parent.stat()
                os.fchown(file.fileno(), owner.st_uid, owner.st_gid)
            file.write(data)
        draft.rename(folder / name)
    except OSError:
        with suppress(OSError):
            draft.unlink()
        raise


def _read_small(path: Path, trusted: Collection[int] | None) -> bytes:
    """Read a small plain file; raises NoOrderError for anything else that may lie there."""
    try:
        descriptor = os.open(path, _READING)
    except OSError as error:
        if path.is_symlink():
            raise NoOrderError("it is a link") from error
        raise
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise NoOrderError("it is not a file")
        if trusted is not None and found.st_uid not in trusted:
            raise NoOrderError(f"it belongs to user {found.st_uid}")
        if found.st_size > LARGEST:
            raise NoOrderError(f"it has {found.st_size:,} bytes")
        return os.pread(descriptor, LARGEST, 0)
    finally:
        os.close(descriptor)
