"""`make check-forecasts`: forecasts held against the campaigns that they foresaw.

Campaigns of ten kinds are foreseen, then carried out in virtual time by the whole brain over a
simulated fleet. Each kind begins with three campaigns that teach; those after them are held against
forecasts learnt from the three before each, and against forecasts from the documented defaults.
"""

import argparse
import os
import sys
from collections.abc import Iterator
from functools import partial
from multiprocessing import get_context

from tests.forecasts.holding import Held, Told
from tests.forecasts.kinds import KINDS
from tests.forecasts.running import APART, TEACHING, held_of
from tests.forecasts.tabulating import beside, bias, covered, share_of

LEAST, MOST = 0.85, 0.97
"""Share of the campaigns that have to end by their P90; more of them, and it says too little."""
BIAS = 0.07
"""By how much the P50 may be off in the mean over all campaigns."""
ENOUGH = 40
"""Campaigns from which on the shares are judged."""


def main(arguments: list[str] | None = None) -> int:
    """Hold as many as were asked for; 1 when the forecasts are not as good as they promise."""
    asked = _parser().parse_args(arguments)
    told = list(_told(asked.campaigns, asked.processes))
    several = [each.held for of_kind in told for each in of_kind]
    _say("One campaign of each kind; times from the first possible start, foreseen / as it was:\n")
    _say(beside(of_kind[0] for of_kind in told))
    _say(f"\nForecasts learnt from the {TEACHING} campaigns before each:\n")
    _say(covered(several))
    _say("\nThe same campaigns, forecasts from the documented defaults:\n")
    _say(covered([each.by_defaults for of_kind in told for each in of_kind if each.by_defaults]))
    found = faults(several) if len(several) >= ENOUGH else []
    _say("".join(f"\n{sentence}" for sentence in found))
    return 1 if found else 0


def faults(several: list[Held]) -> list[str]:
    """Say in sentences where forecasts do not hold what they promise."""
    found = []
    by_p90 = share_of(held.is_inside_p90 for held in several)
    if not LEAST <= by_p90 <= MOST:
        found.append(f"{float(by_p90):.0%} ended by their P90; nine of ten should")
    if abs(bias(several)) > BIAS:
        found.append(f"the P50 is off by {bias(several):+.0%} in the mean; {BIAS:.0%} is allowed")
    return found


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.forecasts",
        description=__doc__,
        epilog=f"Seeds of the n-th kind begin at {APART} n + 1, the first kind is n = 0.",
    )
    parser.add_argument(
        "campaigns", nargs="?", type=int, default=6, help="how many of each kind are held (6)"
    )
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    return parser


def _told(number: int, processes: int) -> Iterator[list[Told]]:
    carry_out = partial(held_of, number=number)
    places = range(len(KINDS))
    if processes <= 1:
        yield from map(carry_out, places)
        return
    with get_context("spawn").Pool(processes) as pool:
        yield from pool.imap(carry_out, places)


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    raise SystemExit(main())
