"""Part (h): how long a person waits for the first word, beside Python alone.

`plan` lists a small fleet over HTTP and shows it, without a forecast: forecasts are part (f).
"""

import subprocess
import sys
import time
from pathlib import Path

from tests.bench import sides
from tests.bench.asking import Asked, CheckFailedError
from tests.bench.figures import Figure, compared

DEVICES = 100
TURNS = 3
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
        for number in range(asked.rounds * TURNS):
            for name in sides.in_turn(number, *commands):
                before = time.monotonic()
                code = _run(commands[name], folder)
                taken[name].append(time.monotonic() - before)
                if code:
                    faults.append(f"{name} ended with {code}")
    figures = [
        compared(
            "h",
            f"orchestrator {name}" + (f", {DEVICES:,} devices" if name.startswith("plan") else ""),
            unit="s",
            ours=seconds,
            yardstick="python -c pass",
            theirs=taken["python"],
            at_most=GOALS.get(name),
            is_absolute=True,
        )
        for name, seconds in taken.items()
        if name != "python"
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
