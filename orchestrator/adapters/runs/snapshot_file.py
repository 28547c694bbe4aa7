"""The snapshots of a run in one file: what each device was before the run changed it (ports.Snapshots)."""

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import orjson

from orchestrator.adapters.machine.durable_folders import sync_folder
from orchestrator.adapters.runs.journal_reading import why
from orchestrator.model import moments
from orchestrator.model.devices import SECRET_FIELDS, DeviceId
from orchestrator.model.errors import RunError, UnrecordedError
from orchestrator.model.secrecy import masked
from orchestrator.model.snapshots import Extras, Snapshot

FILE = "snapshots.jsonl"
"""The file's name in the folder of a run."""

_FLAGS = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
_CHUNK = 65_536
_sync = getattr(os, "fdatasync", os.fsync)


class SnapshotFile:
    """The snapshots port over one file; a batch is one write and one sync.

    After a failed write the file is as it was before, and the next batch may be tried.
    """

    def __init__(self, path: Path, descriptor: int, end: int) -> None:
        self._path = path
        self._descriptor = descriptor
        self._end = end

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Go on with the file in a run's folder, or begin it, for its owner's eyes only.

        A last line that a crash tore is cut off. Raises UnrecordedError when it cannot be opened.
        """
        path = folder / FILE
        try:
            descriptor = os.open(path, _FLAGS, 0o600)
        except OSError as error:
            raise UnrecordedError(f"{path} cannot be opened: {why(error)}") from error
        try:
            end = _whole_lines(descriptor)
            os.ftruncate(descriptor, end)
            sync_folder(folder)
        except OSError as error:
            os.close(descriptor)
            raise UnrecordedError(f"{path} cannot be opened: {why(error)}") from error
        return cls(path, descriptor, end)

    def save(self, snapshots: Sequence[Snapshot]) -> None:
        if not snapshots:
            return
        data = b"".join(map(_line, snapshots))
        try:
            _write(self._descriptor, data, self._end)
            _sync(self._descriptor)
        except OSError as error:
            reason = f"{self._path} cannot be written: {why(error)}"
            raise UnrecordedError(self._taken_back(reason)) from error
        self._end += len(data)

    def _taken_back(self, reason: str) -> str:
        try:
            os.ftruncate(self._descriptor, self._end)
        except OSError as error:
            # Harmless: the next batch is written over it, and a torn line is cut at the next opening.
            return f"{reason}; nor can the unfinished lines be taken back: {why(error)}"
        return reason

    def close(self) -> None:
        """Take no more snapshots and let go of the file; what was saved is durable already."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class MemorySnapshots:
    """The port's twin in memory; `room` batches fit before it refuses as a full disk does."""

    def __init__(self, *, room: int | None = None) -> None:
        self.saved: list[Snapshot] = []
        self._room = room

    def save(self, snapshots: Sequence[Snapshot]) -> None:
        if not snapshots:
            return
        if self._room is not None:
            if self._room == 0:
                raise UnrecordedError("the snapshots cannot be written: the disk is full")
            self._room -= 1
        # Through its line and back, so that what the file would not keep is not kept here either.
        self.saved += [_snapshot(orjson.loads(line)) for line in map(_line, snapshots)]


def read_snapshots(path: Path) -> Iterator[Snapshot]:
    """Give every snapshot in order, also while a run appends to them; none where there is no file.

    A torn last line is left out. Raises RunError with file and line for what is no snapshot.
    """
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                if not line.endswith(b"\n"):
                    return
                yield _read(path, number, line)
    except FileNotFoundError:
        return
    except OSError as error:
        raise RunError(f"{path} cannot be read: {why(error)}") from error


def _read(path: Path, number: int, line: bytes) -> Snapshot:
    try:
        return _snapshot(orjson.loads(line))
    except (KeyError, TypeError, ValueError) as error:
        raise RunError(f"{path}:{number}: this line is damaged: it is no snapshot") from error


def _line(snapshot: Snapshot) -> bytes:
    try:
        return orjson.dumps(_facts(snapshot)) + b"\n"
    except TypeError as error:
        what = f"the snapshot of device {snapshot.device} cannot be written down: {error}"
        raise UnrecordedError(what) from error


def _facts(snapshot: Snapshot) -> dict[str, object]:
    record = snapshot.record.items()
    facts: dict[str, object] = {
        "device": snapshot.device,
        "step": snapshot.step,
        "taken_at": moments.as_text(snapshot.taken_at),
        "record": {name: masked(name, v) for name, v in record if name not in SECRET_FIELDS},
    }
    if snapshot.extras is not None:
        facts |= {
            "settings": _plain(snapshot.extras.settings),
            "variables": _plain(snapshot.extras.variables),
            "note": snapshot.extras.note,
        }
    return facts


def _plain(values: Mapping[str, object] | None) -> dict[str, object] | None:
    return None if values is None else dict(values)


def _snapshot(facts: Any) -> Snapshot:
    extras = None
    if "settings" in facts:
        settings, variables = _mapping(facts["settings"]), _mapping(facts["variables"])
        extras = Extras(settings, variables, str(facts["note"]))
    record = _mapping(facts["record"])
    if record is None:
        raise ValueError("it has no record")
    return Snapshot(
        device=DeviceId(int(facts["device"])),
        step=int(facts["step"]),
        taken_at=moments.from_text(facts["taken_at"]),
        record=record,
        extras=extras,
    )


def _mapping(value: Any) -> Mapping[str, object] | None:
    if value is not None and not isinstance(value, dict):
        raise ValueError("it is no object")
    return value


def _whole_lines(descriptor: int) -> int:
    """Count the bytes up to the end of the last line that was written to its end."""
    end = os.fstat(descriptor).st_size
    while end > 0:
        start = max(0, end - _CHUNK)
        found = os.pread(descriptor, end - start, start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        end = start
    return 0


def _write(descriptor: int, data: bytes, offset: int) -> None:
    view = memoryview(data)
    while view:
        written = os.pwrite(descriptor, view, offset)
        view, offset = view[written:], offset + written
