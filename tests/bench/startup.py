"""Part (h): how long a person waits for the first word, beside Python alone.

`plan` lists a small fleet over HTTP and shows it, without a forecast: forecasts are part (f).
"""

import resource
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.bench import sides
from tests.bench.asking import Asked, CheckFailedError
from tests.bench.figures import Figure, compared

DEVICES = 100
TURNS = 2
"""Each round has so many turns: one is over soon, and its length varies much."""

PLAYBOOK = """\
playbook: start-up
devices: {organization: 123}
steps:
  - operation: reboot
  - check: {status: up}
"""

GOALS = {"--help": 0.25, "validate": 0.5}


def measure(asked: Asked) -> list[Figure]:
    """Let all take their turns; raises CheckFailedError when a command ends with an error."""
    faults: list[str] = []
    with sides.serving(DEVICES) as served, sides.scratch() as scratch:
        folder = Path(scratch)
        commands = _commands(folder, served.base_url)
        taken: dict[str, list[float]] = {name: [] for name in commands}
        cpu: dict[str, list[float]] = {name: [] for name in commands}
        for command in commands.values():
            _run(command, folder)  # compiles what was not compiled yet, and fills the disk's cache
        for number in range(asked.rounds * TURNS):
            for name in sides.in_turn(number, *commands):
                seconds, of_cpu, code = _timed(commands[name], folder)
                taken[name].append(seconds)
                cpu[name].append(of_cpu)
                if code:
                    faults.append(f"{name} ended with {code}")
    figures = [
        figure
        for name in taken
        if name != "python"
        for figure in (
            _figure(name, taken, "", GOALS.get(name)),
            _figure(name, cpu, ", CPU", None),
        )
    ]
    if faults:
        raise CheckFailedError(sorted(set(faults)), figures)
    return figures


def _commands(folder: Path, base_url: str) -> dict[str, list[str]]:
    """Give the commands; they start in a folder without a `.env`."""
    playbook = folder / "start-up.yaml"
    playbook.write_text(PLAYBOOK)
    token = folder / "token"
    token.write_text("bench\n")
    token.chmod(0o600)
    program = [sys.executable, "-m", "orchestrator"]
    reach = ["--base-url", base_url, "--token-file", str(token)]
    return {
        "python": [sys.executable, "-c", "pass"],
        "--help": [*program, "--help"],
        "validate": [*program, "validate", str(playbook)],
        "plan --seeds 0": [*program, "plan", str(playbook), "--seeds", "0", *reach],
    }


def _figure(
    name: str, seconds: Mapping[str, Sequence[float]], what: str, at_most: float | None
) -> Figure:
    fleet = f", {DEVICES:,} devices" if name.startswith("plan") else ""
    return compared(
        "h",
        f"orchestrator {name}{fleet}{what}",
        unit="s",
        ours=seconds[name],
        yardstick="python -c pass",
        theirs=seconds["python"],
        at_most=at_most,
        is_absolute=True,
    )


def _timed(command: list[str], folder: Path) -> tuple[float, float, int]:
    """Give the seconds a command took, those of CPU, and its exit code."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.monotonic()
    code = _run(command, folder)
    seconds = time.monotonic() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return seconds, cpu, code


def _run(command: list[str], folder: Path) -> int:
    done = subprocess.run(
        command,
        cwd=folder,
        env=sides.clean_environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
        timeout=sides.LIMIT,
    )
    return done.returncode
