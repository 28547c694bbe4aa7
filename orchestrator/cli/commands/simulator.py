"""`simulator`: a controller and its fleet to try everything on, over real HTTP."""

import json
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli import screen
from orchestrator.cli.app import new_app
from orchestrator.simulator.endpoints import DEFAULT_TOKEN

if TYPE_CHECKING:
    from orchestrator.ports import Clock
    from orchestrator.simulator.world import World

app = new_app()

PORT = 8470
BASE_URL = "ORCHESTRATOR_BASE_URL="


@app.command()
def simulator(
    *,
    devices: Annotated[int, typer.Option("--devices", min=1, help="Devices in the fleet.")] = 500,
    seed: Annotated[int, typer.Option("--seed", help="The same seed is the same fleet.")] = 7,
    speed: Annotated[
        float, typer.Option("--speed", min=1, max=10_000, help="How much faster time runs.")
    ] = 60.0,
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="0: any free.")] = PORT,
    host: Annotated[str, typer.Option("--host", help="The address to listen on.")] = "127.0.0.1",
    token: Annotated[
        str, typer.Option("--token", help="The token it takes; no secret.")
    ] = DEFAULT_TOKEN,
    faults: Annotated[
        str, typer.Option("--faults", help="none, harsh, or name=rate,... such as rate_500=0.1")
    ] = "none",
    ledger_out: Annotated[
        str | None,
        typer.Option("--ledger-out", metavar="FILE", help="At the end, write what happened here."),
    ] = None,
    until_stdin_closes: Annotated[bool, typer.Option("--until-stdin-closes", hidden=True)] = False,
) -> int:
    """Start a simulated controller with a fleet of devices, until Ctrl-C.

    Its devices live in time: they inform, boot, vanish and flap; what really happened stands in
    its ledger.
    """
    from orchestrator.adapters.machine.system_clock import SystemClock
    from orchestrator.cli.campaign import in_loop
    from orchestrator.cli.exit_codes import OutputError
    from orchestrator.simulator.endpoints import Rules
    from orchestrator.simulator.faults import Faults
    from orchestrator.simulator.fleet import make_fleet
    from orchestrator.simulator.world import World

    try:
        trouble = Faults.from_text(faults)
    except ValueError as error:
        raise typer.BadParameter(f"--faults: {error}") from error
    clock = SystemClock(speed)
    world = World(
        make_fleet(devices, seed),
        seed=seed,
        started_at=clock.now(),
        faults=trouble,
        rules=Rules(token=token),
    )
    try:
        in_loop(
            "auto", _serve, world, clock, host, port, speed, until_stdin_closes=until_stdin_closes
        )
    except OutputError:
        raise
    except OSError as error:
        what = f"it cannot listen on {host}:{port}: {(error.strerror or str(error)).lower()}"
        raise typer.BadParameter(f"{what}; --port 0 takes any free port") from error
    finally:
        if ledger_out is not None:
            _write_ledger(world, clock.now(), Path(ledger_out))
    return 0


async def _serve(
    world: "World",
    clock: "Clock",
    host: str,
    port: int,
    speed: float,
    *,
    until_stdin_closes: bool,
) -> None:
    import anyio

    from orchestrator.adapters.simulated.simulator_server import serve

    async with serve(world, clock, host=host, port=port, speed=speed) as bound:
        _introduce(world, host, bound, speed)
        async with anyio.create_task_group() as tasks:

            async def wait_for_parent() -> None:
                await anyio.to_thread.run_sync(sys.stdin.buffer.read, abandon_on_cancel=True)
                tasks.cancel_scope.cancel()

            if until_stdin_closes:
                tasks.start_soon(wait_for_parent)
            with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
                async for _ in signals:
                    break
            tasks.cancel_scope.cancel()


def _introduce(world: "World", host: str, port: int, speed: float) -> None:
    reachable = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, host)  # noqa: S104 - what was asked for
    if ":" in reachable and not reachable.startswith("["):
        reachable = f"[{reachable}]"
    address = f"http://{reachable}:{port}"
    fleet = screen.counted(len(world.population), "device")
    screen.show(
        f"A simulated controller with {fleet} is listening; a minute takes {60 / speed:g} s."
    )
    screen.show("Point the orchestrator at it from another terminal:\n")
    screen.show(f"  export {BASE_URL}{address}/api/v1")
    screen.show(f"  export ORCHESTRATOR_TOKEN={world.rules.token}")
    screen.show(f"  export ORCHESTRATOR_SPEED={speed:g}")
    screen.show("  orchestrator plan maintenance-reboot\n")
    screen.show(f"What really happens: {address}/_simulator/ledger")
    screen.show("Ctrl-C ends it.")
    with suppress(OSError):
        sys.stdout.flush()


def _write_ledger(world: "World", now: float, path: Path) -> None:
    from orchestrator.model.errors import RunError

    ledger = world.settled_ledger(now)
    truths = {str(device): world.truth(device, now) for device in ledger.touched()}
    try:
        text = json.dumps({"now": now, **ledger.summary(), "truths": truths}, indent=1)
        path.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise RunError(f"{path} cannot be written: {error.strerror or error}") from error
