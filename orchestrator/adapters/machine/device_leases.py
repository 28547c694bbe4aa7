"""Which run on this machine holds which device: locks of the kernel in a folder that all users share.

A lock ends with its process, however it dies. Its length says whose it is: the number of the
registration file in which the run tells its name.
"""

import errno
import fcntl
import hashlib
import os
import struct
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import orjson

from orchestrator.adapters.machine.os_user import host_name, user_name
from orchestrator.adapters.machine.shared_folder import explained, flocked, open_file, open_folder
from orchestrator.model import moments
from orchestrator.model.devices import DeviceId
from orchestrator.model.errors import RunError

RECENT_SECONDS = 120.0
"""For so long after its end a run still counts as one that may have left traces."""
_SHARDS = 64  # the kernel walks a file's locks one by one: many short lists instead of a long one
_STRIDE = 1024  # bytes that stand for one device: room for a lock of each owner's length
_SLOTS = 1000
_PLACES = 2**40
_FACTS = 4096
_LONGEST_WORD = 100
_DARWIN = sys.platform == "darwin"
# Python for macOS may not name the two, though the system has them; 0 where it has not.
_SETLK: int = getattr(fcntl, "F_OFD_SETLK", 90 if _DARWIN else 0)
_GETLK: int = getattr(fcntl, "F_OFD_GETLK", 92 if _DARWIN else 0)


@dataclass(frozen=True, slots=True)
class Registered:
    """What a run tells of itself to the others."""

    run: str
    pid: int
    user: str
    host: str
    since: str
    ended: float | None = None
    """The machine's clock when it ended, or when it was first found dead."""

    def __str__(self) -> str:
        """Name it as a message does."""
        away = "" if self.host == _clipped(host_name()) else f" on {self.host}"
        return f"run {self.run} (process {self.pid}, {self.user}{away})"


class DeviceLeases:
    """The leases port over locks of open files; made by `open`, given up by `close`.

    Two of them exclude each other in one process as in two. What somebody takes away under a
    run's feet (a cleaner of old files) is made anew and taken again.
    """

    def __init__(
        self, path: Path, folder: int, controller: str, mine: Registered, wall: Callable[[], float]
    ) -> None:
        self._path = path
        self._folder = folder
        self._prefix = _short_name(controller)
        self._mine = mine
        self._wall = wall
        self._slot = 0
        self._registration = -1
        self._shards: dict[int, int] = {}
        self._held: set[DeviceId] = set()

    @classmethod
    def open(
        cls,
        locks_dir: Path,
        controller: str,
        run_id: str,
        now: float,
        *,
        wall: Callable[[], float] = time.time,  # noqa: TID251 - processes share no other clock
    ) -> Self:
        """Tell the machine that this run works against this controller; it holds no device yet.

        Raises UnrecordedError when the disk takes nothing, RunError when the folder cannot be used.
        """
        if not _SETLK:
            raise RunError("this system has no locks of open files (Linux and macOS have them)")
        mine = Registered(
            run=_clipped(run_id),
            pid=os.getpid(),
            user=_clipped(user_name()),
            host=_clipped(host_name()),
            since=moments.as_short_text(now),
        )
        with explained(locks_dir):
            leases = cls(locks_dir, open_folder(locks_dir), controller, mine, wall)
            try:
                leases._begin()
            except BaseException:
                leases.close()
                raise
        return leases

    def hold(self, device: DeviceId) -> str | None:
        with explained(self._path):
            self._mend(_shard(device))
            if device in self._held:
                return None
            for _ in range(3):  # whoever held it may let go between the two questions
                if self._lock(device):
                    self._held.add(device)
                    return None
                slot = self._slot_that_holds(device)
                if slot is not None:
                    return self._name(slot)
        return "another run"

    def release(self, device: DeviceId) -> None:
        if device not in self._held:
            return
        self._held.discard(device)
        descriptor = self._shards.get(_shard(device))
        if descriptor is not None:
            with explained(self._path):
                _set_lock(descriptor, fcntl.F_UNLCK, _place(device), _STRIDE)

    @property
    def is_alone(self) -> bool:
        with explained(self._path):
            self._mend(None)
            return not any(self._matters(name) for name in self._others())

    def close(self) -> None:
        """Give every device back and leave word when this run ended."""
        if self._registration >= 0:
            with suppress(OSError):  # then it will be found dead, which says nearly the same
                _write(self._registration, replace(self._mine, ended=self._wall()))
        self._let_go()
        self._held.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _begin(self) -> None:
        """Open everything now: what cannot be used is found before anything is sent."""
        self._register()
        for shard in range(_SHARDS):
            self._shards[shard] = open_file(self._folder, self._file_of_shard(shard))

    def _register(self) -> None:
        """Take the first number that nobody has, nor had a moment ago."""
        for slot in range(_SLOTS):
            descriptor = open_file(self._folder, self._file_of(slot))
            try:
                if flocked(descriptor, fcntl.LOCK_EX) and self._is_free(descriptor, slot):
                    _write(descriptor, self._mine)
                    self._slot, self._registration = slot, descriptor
                    return
            finally:
                if descriptor != self._registration:
                    os.close(descriptor)
        raise RunError(
            f"{_SLOTS} runs work against this controller or did a moment ago; try again later"
        )

    def _is_free(self, descriptor: int, slot: int) -> bool:
        there = self._is_there(descriptor, self._file_of(slot))
        return there and not self._is_recent(descriptor, _read(descriptor))

    def _is_recent(self, descriptor: int, found: Registered | None) -> bool:
        """Tell of a run without a process whether it ended a moment ago; the file is locked by us."""
        if found is None:
            return False
        now = self._wall()
        if found.ended is None:  # killed, nobody knows when: from now on it is known to have ended
            with suppress(OSError):  # a full disk: the next who looks says it again
                _write(descriptor, replace(found, ended=now))
            return True
        return abs(now - found.ended) < RECENT_SECONDS

    def _matters(self, name: str) -> bool:
        try:
            descriptor = open_file(self._folder, name)
        except FileNotFoundError:
            return False
        except OSError:  # somebody put it there to hinder us; it does not end the run
            return True
        try:
            if not flocked(descriptor, fcntl.LOCK_SH):
                return True
            found = _read(descriptor)
            was_us = found is not None and found.run == self._mine.run  # before it was resumed
            return self._is_recent(descriptor, found) and not was_us
        finally:
            os.close(descriptor)

    def _others(self) -> Iterator[str]:
        mine = self._file_of(self._slot)
        for name in os.listdir(self._folder):  # noqa: PTH208 - by descriptor: no other folder can step in
            if name.startswith(self._prefix) and name.endswith(".run") and name != mine:
                yield name

    def _lock(self, device: DeviceId) -> bool:
        descriptor = self._shards[_shard(device)]
        return _set_lock(descriptor, fcntl.F_WRLCK, _place(device), self._slot + 1)

    def _slot_that_holds(self, device: DeviceId) -> int | None:
        """The length of a lock is one more than its owner's number; None when it is gone."""
        found = _get_lock(self._shards[_shard(device)], _place(device))
        return None if found is None else found - 1

    def _name(self, slot: int) -> str:
        with suppress(OSError):
            descriptor = open_file(self._folder, self._file_of(slot))
            try:
                found = _read(descriptor)
            finally:
                os.close(descriptor)
            if found is not None:
                return str(found)
        return "another run"

    def _mend(self, shard: int | None) -> None:
        """If a file of ours was removed, begin anew: register, and take again what we hold."""
        if self._folder < 0:
            raise RunError(f"the leases in {self._path} are given up; open them anew")
        good = self._is_there(self._registration, self._file_of(self._slot))
        if good and shard is not None:
            good = self._is_there(self._shards[shard], self._file_of_shard(shard))
        if not good:
            # Let go before taking again: a file that is still there would refuse us our own devices.
            self._let_go()
            self._folder = open_folder(self._path)
            self._begin()
            self._held = {device for device in self._held if self._lock(device)}

    def _let_go(self) -> None:
        for descriptor in (*self._shards.values(), self._registration, self._folder):
            if descriptor >= 0:
                os.close(descriptor)
        self._shards.clear()
        self._registration = self._folder = -1

    def _is_there(self, descriptor: int, name: str) -> bool:
        try:
            there = os.stat(f"{self._path}/{name}", follow_symlinks=False)  # noqa: PTH116 - often asked
            ours = os.fstat(descriptor)
        except OSError:
            return False
        return (there.st_dev, there.st_ino) == (ours.st_dev, ours.st_ino)

    def _file_of(self, slot: int) -> str:
        return f"{self._prefix}-{slot:03}.run"

    def _file_of_shard(self, shard: int) -> str:
        return f"{self._prefix}-{shard:02}.devices"


def _shard(device: DeviceId) -> int:
    return device % _SHARDS


def _place(device: DeviceId) -> int:
    return device // _SHARDS % _PLACES * _STRIDE


def _short_name(controller: str) -> str:
    """Name a controller the same however its URL is written."""
    parts = urlsplit(controller.strip())
    host = (parts.hostname or "").rstrip(".")
    port = parts.port or (80 if parts.scheme == "http" else 443)
    text = f"{host}:{port}{parts.path.rstrip('/')}"
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _set_lock(descriptor: int, kind: int, start: int, length: int) -> bool:
    """Set or clear a lock of this open file; False when somebody else's is in the way."""
    try:
        fcntl.fcntl(descriptor, _SETLK, _packed(kind, start, length))
    except OSError as error:
        if error.errno in (errno.EAGAIN, errno.EACCES):
            return False
        raise
    return True


def _get_lock(descriptor: int, start: int) -> int | None:
    """Give the length of the lock that is in the way at this place; None when there is none."""
    answer = fcntl.fcntl(descriptor, _GETLK, _packed(fcntl.F_WRLCK, start, 1))
    if _DARWIN:
        _, length, _, kind, _ = struct.unpack("qqihh", answer)
    else:
        kind, _, _, length, _ = struct.unpack("hhqqi4x", answer)
    return None if kind == fcntl.F_UNLCK else int(length)


def _packed(kind: int, start: int, length: int) -> bytes:
    """Lay out the system's `struct flock`, from the beginning of the file."""
    if _DARWIN:
        return struct.pack("qqihh", start, length, 0, kind, os.SEEK_SET)
    return struct.pack("hhqqi4x", kind, os.SEEK_SET, start, length, 0)


def _read(descriptor: int) -> Registered | None:
    """Read what a run tells; anybody may have written it, so nothing of it is taken as it stands."""
    try:
        facts = orjson.loads(os.pread(descriptor, _FACTS, 0))
        ended = facts["ended"]
        return Registered(
            run=_clipped(str(facts["run"])),
            pid=int(facts["pid"]),
            user=_clipped(str(facts["user"])),
            host=_clipped(str(facts["host"])),
            since=_clipped(str(facts["since"])),
            ended=None if ended is None else float(ended),
        )
    except (ValueError, TypeError, KeyError):
        return None


def _write(descriptor: int, registered: Registered) -> None:
    # In one write, always as long as before: whoever reads meanwhile finds a whole one.
    os.pwrite(descriptor, orjson.dumps(asdict(registered)).ljust(_FACTS), 0)


def _clipped(text: str) -> str:
    return "".join(each if each.isprintable() else "?" for each in text[:_LONGEST_WORD]) or "?"
