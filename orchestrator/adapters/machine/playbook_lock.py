"""That a playbook is carried out once at a time against a controller, on this machine."""

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from orchestrator.adapters.machine.shared_folder import explained, flocked, open_file, open_folder


@contextmanager
def alone(locks_dir: Path, playbook: str, controller: str) -> Iterator[bool]:
    """Say whether no other process holds this lock, and hold it while the block runs.

    It is let go of with the process, however that ends. Raises RunError or UnrecordedError when the
    folder for locks cannot be used.
    """
    with explained(locks_dir):
        folder = open_folder(locks_dir)
        try:
            descriptor = open_file(folder, _name(playbook, controller))
        finally:
            os.close(folder)
    try:
        yield flocked(descriptor, fcntl.LOCK_EX)
    finally:
        os.close(descriptor)


def _name(playbook: str, controller: str) -> str:
    digest = hashlib.sha256(f"{controller}\n{playbook}".encode()).hexdigest()
    return f"playbook-{digest[:32]}"
