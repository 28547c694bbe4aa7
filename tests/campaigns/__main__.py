"""`make check-campaigns`: thousands of campaigns in virtual time, judged by what really happened.

Each seed draws a fleet, a playbook, faults, people and interruptions, is run to its end, and every
promise is checked against the simulated world's ledger. A failing seed prints its broken promises
and the one command that repeats it; with --seed the story of that seed is told.
"""

import argparse
import os
import re
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from multiprocessing import get_context

from tests.campaigns.covering import never_met, table
from tests.campaigns.drawing import draw
from tests.campaigns.driving import BrokenError, Life
from tests.campaigns.driving import live as lived
from tests.campaigns.invariants import broken
from tests.campaigns.running import Outcome, judged, repeat_with
from tests.campaigns.story import told

ENOUGH_TO_MEET_ALL = 400
"""Seeds from which on everything that can be drawn has to have been met."""
SHOWN = 6
"""Broken promises of one seed that are printed."""


def main(arguments: list[str] | None = None) -> int:
    """Run what was asked for; 1 when a promise was broken or nothing was exercised."""
    asked = _parser().parse_args(arguments)
    if asked.seed is not None:
        return tell(asked.seed, everybody=asked.all)
    return check(range(asked.first, asked.first + asked.seeds), asked.processes)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.campaigns", description=__doc__)
    parser.add_argument("seeds", nargs="?", type=int, default=500, help="how many (500)")
    parser.add_argument("--first", type=int, default=0, help="the first seed (0)")
    parser.add_argument("--seed", type=int, help="tell the story of this seed")
    parser.add_argument("--all", action="store_true", help="with --seed: tell of every device")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    return parser


def check(seeds: range, processes: int) -> int:
    """Judge many seeds with all cores."""
    total: Counter[str] = Counter()
    failures: list[Outcome] = []
    began = time.monotonic()
    for number, outcome in enumerate(_outcomes(seeds, processes), start=1):
        total += outcome.met
        if outcome.broken:
            failures.append(outcome)
            _report(outcome)
        _progress(number, len(seeds), len(failures), began)
    print(table(total))
    missing = never_met(total) if len(seeds) >= ENOUGH_TO_MEET_ALL else []
    for name in missing:
        print(f"no seed met: {name}")
    print(f"{len(seeds) - len(failures)} of {len(seeds)} seeds hold every promise")
    if failures:
        print("failing: " + " ".join(str(each.seed) for each in failures[:20]))
        print("repeat one with: " + repeat_with(failures[0].seed))
    return 1 if failures or missing else 0


def _outcomes(seeds: Iterable[int], processes: int) -> Iterator[Outcome]:
    if processes <= 1:
        yield from map(judged, seeds)
        return
    with get_context("spawn").Pool(processes) as pool:
        yield from pool.imap(judged, seeds, chunksize=4)


def _report(outcome: Outcome) -> None:
    print(f"\nseed {outcome.seed}:", flush=True)
    for sentence in outcome.broken[:SHOWN]:
        print(f"  {sentence}")
    if len(outcome.broken) > SHOWN:
        print(f"  and {len(outcome.broken) - SHOWN} more")
    print(f"  {repeat_with(outcome.seed)}", flush=True)


def _progress(number: int, of: int, failures: int, began: float) -> None:
    is_terminal = sys.stderr.isatty()
    if not is_terminal and number % 100 and number != of:
        return
    rate = number / max(0.001, time.monotonic() - began)
    line = f"{number} of {of} campaigns, {failures} broken, {rate:.1f} a second"
    print(line, end="\r" if is_terminal and number != of else "\n", file=sys.stderr, flush=True)


def tell(seed: int, *, everybody: bool) -> int:
    """Tell the story of one seed, of the devices that its broken promises name."""
    drawn = draw(seed)
    try:
        life: Life | None = lived(drawn)
        found = broken(life)
    except BrokenError as error:
        life, found = error.life, [str(error)]
    journal = [] if life is None else life.journal
    named = {int(word) for sentence in found for word in re.findall(r"\b\d{4}\b", sentence)}
    known = {member.id for member in drawn.members}
    for line in told(drawn, journal, () if everybody else sorted(named & known)):
        print(line)
    print("\n".join(["", *found]) if found else "\nevery promise holds")
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main())
