"""The command of the settings that prints one secret for one device."""

import json
import shlex
import subprocess
from collections.abc import Mapping
from pathlib import PurePath

from anyio import (
    BrokenResourceError,
    ClosedResourceError,
    EndOfStream,
    create_task_group,
    fail_after,
    open_process,
)
from anyio.abc import Process

from orchestrator.adapters.runs.journal_reading import why
from orchestrator.model.errors import SecretError

PATIENCE = 30.0
"""Seconds that one call may take."""
_MOST = 4096
"""Bytes; far more than any secret has, so that an endless output is not read to its end."""


async def asked(command: str, device: Mapping[str, object], *, patience: float = PATIENCE) -> str:
    """Run the command without a shell, tell it the device on stdin, and give the line it prints.

    Raises SecretError, which never repeats what was printed, when it cannot be run, fails, takes
    longer than `patience` seconds, or prints nothing, no text, more than a line, or too much.
    """
    words = shlex.split(command)
    name = PurePath(words[0]).name
    try:
        with fail_after(patience):
            code, printed = await _run(words, json.dumps(device).encode() + b"\n")
    except TimeoutError:
        raise SecretError(f"the password command {name} took longer than {patience:g}s") from None
    except OSError as error:
        raise SecretError(f"the password command {name} cannot be run: {why(error)}") from None
    if len(printed) > _MOST:
        raise SecretError(f"the password command {name} printed far too much")
    if code != 0:
        raise SecretError(f"the password command {name} failed with exit code {code}")
    try:
        lines = printed.decode("utf-8").splitlines()
    except UnicodeDecodeError:
        raise SecretError(f"the password command {name} printed what is not text") from None
    if len(lines) != 1:
        what = "nothing" if not lines else "more than one line"
        raise SecretError(f"the password command {name} printed {what}")
    return lines[0]


async def _run(words: list[str], told: bytes) -> tuple[int, bytes]:
    # In a session of its own: Ctrl-C is for the run, which ends in order.
    process = await open_process(words, stderr=subprocess.DEVNULL, start_new_session=True)
    async with process, create_task_group() as tasks:
        tasks.start_soon(_tell, process, told)
        printed = await _printed(process)
        if len(printed) > _MOST:
            process.kill()
        code = await process.wait()
        tasks.cancel_scope.cancel()
    return code, printed


async def _tell(process: Process, told: bytes) -> None:
    assert process.stdin is not None
    try:
        await process.stdin.send(told)
        await process.stdin.aclose()
    except (BrokenResourceError, ClosedResourceError, OSError):
        return  # it need not listen


async def _printed(process: Process) -> bytes:
    assert process.stdout is not None
    printed = b""
    try:
        while len(printed) <= _MOST:
            printed += await process.stdout.receive()
    except EndOfStream:
        pass
    return printed
