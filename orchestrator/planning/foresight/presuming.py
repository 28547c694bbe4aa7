"""What is presumed of an operation that no earlier run has measured yet: the documented defaults.

The figures come from rehearsals of the simulated ordinary fleet (`simulator.temperaments.NORMAL_MIX`,
which acts out api.md section 2) with a controller that makes no trouble: 16 fleets of 300 devices an
operation, about 4,300 device runs each, measured by `planning.foresight.learning.learn` and rounded.

* Devices make contact every 60, 120 or 300 s. Most take a command within 30 s, those behind NAT
  only at their next contact; that is the step in the tables of what takes a device out of service.
* `reboot` and the factory kinds are proven only by a contact after the settling time and a while
  without a new outage, hence nothing below one and a half to two minutes.
* `factory` and `device_factory` cannot be told apart by how long they take.
* `reconf` was measured alone and right after a factory reset, each to one half.
* A change of a record is read back at the next round of reading. Where the device itself has to have
  been in contact afterwards, that takes up to one period; a device that was only just created is
  given about five minutes, and a firmware upgrade three to ten. Nobody has measured these.
* What was not proven within the step's own limit (2 x 300 s and 15 or 5 minutes, less where a record
  that was read in full says that the device calls more often) never came back, came back hours
  later, or does not obey. Each device was asked once.
"""

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass

from orchestrator.model.operations import Action, Operation
from orchestrator.planning.timing import Timed, WithContact

PERCENT = (0, 5, 10, 20, 30, 40, 50, 60, 65, 70, 75, 80, 85, 90, 93, 95, 97, 98, 99, 100)
"""So many of a hundred proven device runs took at most the seconds that stand below."""


@dataclass(frozen=True, slots=True)
class Presumption:
    """How device runs of one operation are presumed to go."""

    seconds: tuple[int, ...]
    """From the first request to the proof, one figure for each of `PERCENT`."""
    never_back: int
    """Of a thousand device runs, those that are not proven."""
    given_up_after: int
    """Seconds from the first request of such a device run to its end."""

    def seconds_at(self, share: float) -> float:
        """Give what so large a share of the proven device runs took at most, from 0 to 1."""
        percent = 100 * share
        above = max(1, bisect_left(PERCENT, percent))
        low, high = PERCENT[above - 1 : above + 1]
        part = (percent - low) / (high - low)
        return self.seconds[above - 1] * (1 - part) + self.seconds[above] * part


# fmt: off
_FACTORY = Presumption(
    (135, 180, 200, 230, 250, 260, 270, 300, 410, 430,
     440, 450, 460, 550, 590, 615, 640, 650, 690, 800),
    never_back=20,
    given_up_after=1500,
)
_REBOOT = Presumption(
    (100, 135, 140, 160, 180, 200, 220, 280, 370, 380,
     390, 400, 405, 500, 580, 600, 620, 635, 650, 750),
    never_back=12,
    given_up_after=900,
)
_SYNC = Presumption(
    (5, 14, 16, 20, 23, 26, 29, 33, 35, 37,
     39, 41, 45, 52, 75, 105, 150, 205, 265, 325),
    never_back=10,
    given_up_after=900,
)
_RECONF = Presumption(
    (5, 15, 18, 20, 25, 28, 30, 34, 37, 39,
     40, 42, 46, 65, 100, 165, 270, 280, 290, 320),
    never_back=10,
    given_up_after=900,
)
_RECORD = Presumption(
    (1, 1, 2, 3, 4, 5, 6, 7, 7, 8,
     8, 9, 9, 10, 10, 11, 11, 12, 12, 15),
    never_back=2,
    given_up_after=60,
)
_CONTACT = Presumption(
    (5, 15, 25, 45, 70, 100, 130, 170, 190, 210,
     230, 250, 270, 290, 300, 305, 310, 312, 315, 320),
    never_back=10,
    given_up_after=900,
)
_ARRIVAL = Presumption(
    (60, 120, 150, 190, 230, 265, 300, 330, 345, 360,
     380, 400, 430, 470, 500, 525, 550, 565, 580, 600),
    never_back=20,
    given_up_after=900,
)
_UPGRADE = Presumption(
    (180, 205, 225, 260, 295, 325, 355, 390, 410, 430,
     450, 475, 500, 535, 555, 570, 585, 590, 595, 600),
    never_back=12,
    given_up_after=2400,
)
# fmt: on

PRESUMED: Mapping[Timed, Presumption] = {
    Operation.REBOOT: _REBOOT,
    Operation.FACTORY: _FACTORY,
    Operation.DEVICE_FACTORY: _FACTORY,
    Operation.SYNC: _SYNC,
    Operation.RECONF: _RECONF,
    **dict.fromkeys(Action, _RECORD),
    **{WithContact(action): _CONTACT for action in Action},
    WithContact(Action.CREATE): _ARRIVAL,
    Action.UPGRADE: _UPGRADE,
}
"""The presumption for each operation and each change of a record."""
