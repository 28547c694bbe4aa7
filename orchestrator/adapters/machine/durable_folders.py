"""What makes a new or renamed file survive a power loss: its folder on disk."""

import os
from contextlib import suppress
from pathlib import Path


def sync_folder(path: Path) -> None:
    """Return once the folder's entries are durable; raises OSError when it cannot be opened."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with suppress(OSError):  # some network file systems cannot, and need not
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
