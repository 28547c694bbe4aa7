"""One seed from its drawing to its judgement, in whichever process."""

from collections import Counter
from dataclasses import dataclass, field

from tests.campaigns.covering import met
from tests.campaigns.drawing import draw
from tests.campaigns.driving import live
from tests.campaigns.invariants import broken


@dataclass(frozen=True)
class Outcome:
    """What became of a seed."""

    seed: int
    broken: tuple[str, ...]
    met: Counter[str] = field(default_factory=Counter)


def judged(seed: int) -> Outcome:
    """Run the campaign of a seed and judge it; an error of any kind is a broken promise too."""
    try:
        life = live(draw(seed))
        return Outcome(seed, tuple(broken(life)), met(life))
    except Exception as error:  # noqa: BLE001 - whatever it is, the other seeds go on
        return Outcome(seed, (f"{type(error).__name__}: {error}",))


def repeat_with(seed: int) -> str:
    """Give the one command that repeats a seed."""
    return f"make check-campaigns SEED={seed}"
