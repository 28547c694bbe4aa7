"""`make bench`: one command, one table; every figure beside a yardstick measured in the same run.

`make bench-compare WITH=FILE` holds a saved run against another one, or against a new one. Ends
with 0, also where a goal is missed; with 1 where a check failed: what was measured did not do what
it has to do, a part broke down, or it was stopped and some are missing; with 2 for wrong arguments;
with 130 or 143 when it was stopped before anything was measured. A stop leaves nothing behind.
"""

import argparse
import json
import os
import signal
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.bench import comparing, machine, parts, tables
from tests.bench.asking import Asked
from tests.bench.loops import LOOPS, fastest
from tests.bench.sides import ROOT

SAVED = ROOT / "logs" / "bench"


def main(arguments: list[str] | None = None) -> int:
    """Do what is asked for; a stop ends every process and removes every temporary folder."""
    wanted = _parser().parse_args(arguments)
    try:
        return _carried_out(wanted)
    except (KeyboardInterrupt, _Stopped) as stop:
        _note("bench: stopped; nothing is saved")
        return 128 + (signal.SIGTERM if isinstance(stop, _Stopped) else signal.SIGINT)


class _Stopped(BaseException):
    """Somebody asked this process to end."""


def _stop(*_: object) -> None:
    raise _Stopped


def _carried_out(wanted: argparse.Namespace) -> int:
    """Measure, or take what is saved; print it, and compare it if that is asked for."""
    then = None if wanted.compare is None else _saved(wanted.compare)
    said = _measured(wanted) if wanted.saved is None else _saved(wanted.saved)
    if then is not None:
        print(comparing.compared_runs(then, said))
    elif wanted.markdown:
        print(tables.as_markdown(said, comparing.figures_of(said)))
    elif wanted.saved is not None:
        _show(said)
    for fault in said["faults"]:
        _note(f"bench: {fault}")
    return 1 if said["faults"] else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    letters = "".join(part.letter for part in parts.PARTS)
    parser.add_argument("--only", type=_letters, default=letters, metavar="a,e")
    parser.add_argument("--rounds", type=_count, default=5, metavar="N")
    parser.add_argument("--quick", action="store_true", help="smaller sizes, for a look")
    parser.add_argument("--loop", choices=LOOPS, default=fastest())
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="where to save it; else in logs/bench by its date"
    )
    parser.add_argument(
        "--markdown", action="store_true", help="print it as it stands in the README"
    )
    parser.add_argument(
        "--saved", type=Path, metavar="FILE", help="show a saved run, measure nothing"
    )
    parser.add_argument("--compare", type=Path, metavar="FILE", help="hold it against a saved run")
    return parser


def _letters(text: str) -> str:
    letters = text.replace(",", "").replace(" ", "")
    known = {part.letter for part in parts.PARTS}
    if not letters or not set(letters) <= known:
        raise argparse.ArgumentTypeError(
            f"takes letters of {','.join(sorted(known))}, not {text!r}"
        )
    return letters


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text)):
        raise argparse.ArgumentTypeError(f"takes a whole number from 1 on, not {text!r}")
    return int(text)


def _saved(path: Path) -> dict[str, Any]:
    try:
        said = json.loads(path.read_bytes())
        comparing.figures_of(said)
    except (OSError, ValueError, KeyError, TypeError) as error:
        print(f"bench: {path} is no saved run: {error}", file=sys.stderr)
        raise SystemExit(2) from error
    return said


def _measured(wanted: argparse.Namespace) -> dict[str, Any]:
    asked = Asked(rounds=wanted.rounds, quick=wanted.quick, loop=wanted.loop)
    described = machine.describe()
    began = datetime.now(UTC)  # noqa: TID251 - it is the date of a measurement
    measured: list[parts.Measured] = []
    waiting = [part for part in parts.PARTS if part.letter in wanted.only and part.is_there]
    faults = []
    try:
        while waiting:
            # Before each: a run in this process has handlers of its own, and leaves none behind.
            signal.signal(signal.SIGTERM, _stop)
            _note(f"{waiting[0].letter}: {waiting[0].title} ...")
            measured.append(parts.measure(waiting[0], asked, _note))
            _note(f"{waiting.pop(0).letter}: {measured[-1].seconds:.0f} s")
    except (KeyboardInterrupt, _Stopped):
        if not measured:
            raise
        faults.append(f"stopped; not measured: {', '.join(part.letter for part in waiting)}")
    described["load_after"] = os.getloadavg()[0]
    said = {
        "date": began.isoformat(timespec="seconds"),
        "asked": asdict(asked),
        "machine": described,
        "figures": [asdict(figure) for each in measured for figure in each.figures],
        "seconds": {each.part.letter: round(each.seconds, 1) for each in measured},
        "faults": [*(fault for each in measured for fault in each.faults), *faults],
    }
    if not (wanted.markdown or wanted.compare):
        _show(said)
    _save(said, wanted.json or SAVED / f"{began:%Y-%m-%dT%H%M%SZ}.json")
    return said


def _show(said: dict[str, Any]) -> None:
    figures = comparing.figures_of(said)
    print(f"{tables.heading(said)}\n\n{tables.as_text(figures)}\n")
    goals = [figure for figure in figures if figure.is_met is not None]
    seconds = said["seconds"]
    parts_took = ", ".join(f"{letter} {took:.0f}" for letter, took in seconds.items())
    print(
        f"{len(goals) - comparing.missed(figures)} of {len(goals)} goals met;"
        f" {sum(seconds.values()):.0f} s in all ({parts_took})"
    )


def _save(said: dict[str, Any], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(said, indent=2) + "\n")
    _note(f"saved in {path}")


def _note(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
