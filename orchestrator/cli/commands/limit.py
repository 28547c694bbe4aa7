"""`limit`: a run's limits are lowered, or raised again."""

from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli import orders
from orchestrator.cli.app import new_app
from orchestrator.cli.options import LOG, RUNS, RunReference, with_settings
from orchestrator.model import durations
from orchestrator.model.orders import ChangeLimit

if TYPE_CHECKING:
    from orchestrator.settings import Settings

app = new_app()

_PER = "max_down_per."


@app.command()
@with_settings(RUNS, LOG, opens_log=True)
def limit(
    run: RunReference,
    limits: Annotated[
        list[str],
        typer.Argument(
            metavar="NAME=VALUE",
            help="max_down=5, in_flight=2, delay=1s or max_down_per.location_name=1.",
        ),
    ],
    *,
    settings: "Settings",
    why: orders.Why = None,
) -> int:
    """Lower limits of a run, or raise them again, up to what its plan allows.

    What is under way already is not called back: a lower limit holds for what starts from now on.
    To start nothing at all, use `pause`.
    """
    wanted = _wanted(limits)
    run_id = orders.run_id_of(settings, run)
    by = orders.person(why)
    for name, value in wanted.items():
        orders.give(settings, run_id, ChangeLimit(by, name, value))
    return 0


def _wanted(given: list[str]) -> dict[str, float]:
    """Read all of them before the first is given; raises a usage error."""
    wanted: dict[str, float] = {}
    for pair in given:
        name, separator, text = pair.rpartition("=")
        name = _name(name)
        if not separator or not name:
            raise typer.BadParameter(
                f"a limit is written name=value, as in max_down=5, not {pair!r}"
            )
        if name in wanted:
            raise typer.BadParameter(f"the limit {name} is given twice")
        wanted[name] = _seconds(text) if name == "delay" else _count(name, text)
    return wanted


def _name(text: str) -> str:
    """Give a limit's name with its fields written as everywhere else."""
    text = text.strip()
    if not text.startswith(_PER):
        return text
    return _PER + ", ".join(part.strip() for part in text.removeprefix(_PER).split(","))


def _count(name: str, text: str) -> float:
    digits = text.strip()
    if not (digits.isascii() and digits.isdigit()) or len(digits) > 9:  # noqa: PLR2004 - no fleet is larger
        raise typer.BadParameter(f"{name} takes a whole number, not {text!r}")
    return float(digits)


def _seconds(text: str) -> float:
    try:
        return durations.from_text(text.strip())
    except ValueError as error:
        raise typer.BadParameter(f"delay: {error}") from error
