"""Waves: how large each is, how many of it must succeed, and who is in the first."""

from collections.abc import Iterable, Sequence
from fractions import Fraction

from orchestrator.engine.choosing.grouping import group_of
from orchestrator.model.amounts import Amount, Share, at_least, at_most
from orchestrator.model.devices import Device
from orchestrator.model.errors import SelectionError
from orchestrator.model.plans import Wave
from orchestrator.model.policies import GroupLimit
from orchestrator.planning.tallying import counted


def portions(waves: Sequence[Amount], devices: int) -> tuple[int, ...]:
    """Give the size of each wave of a set of so many devices; together they are the whole set.

    Shares are of the set, rounded down, and at least one device. A count at the end repeats; a
    share at the end takes whatever is left if the waves as written make up the set.
    Raises SelectionError when they do not.
    """
    sizes: list[int] = []
    left = devices
    for wave in waves:
        size = min(left, max(1, at_most(wave, devices)))
        sizes.append(size)
        left -= size
    if left and waves:
        last = waves[-1]
        if not isinstance(last, Share):
            repeated, rest = divmod(left, max(1, last))
            sizes += [max(1, last)] * repeated + [rest]
        elif sum(_share(wave, devices) for wave in waves) >= 1:
            sizes[-1] += left
        else:
            raise SelectionError(
                f"the waves cover {devices - left} of {counted(devices, 'device')};"
                " end with 100% for all the rest, or with a count, which repeats"
            )
    return tuple(size for size in sizes if size)


def _share(wave: Amount, devices: int) -> Fraction:
    return wave.fraction if isinstance(wave, Share) else Fraction(wave, devices)


def judged(sizes: Sequence[int], succeeded: Amount | None) -> tuple[Wave, ...]:
    """Say of each wave how many must succeed: a share is rounded up, a count never exceeds it."""
    if succeeded is None:
        return tuple(Wave(size) for size in sizes)
    return tuple(Wave(size, min(size, at_least(succeeded, size))) for size in sizes)


def spread(ordered: Sequence[Device], fields: Sequence[str], first: int) -> list[Device]:
    """Move the first device of each kind to the front; all others keep their order.

    A kind is a combination of the fields' values. Raises SelectionError when the first wave, of
    `first` devices, cannot hold one of each kind.
    """
    return [ordered[place] for place in spread_places(ordered, fields, first)]


def spread_places(ordered: Iterable[Device], fields: Sequence[str], first: int) -> list[int]:
    """Give where devices stand, from 0, in the order of `spread`; raises SelectionError as it does."""
    seen: set[str] = set()
    ahead: list[int] = []
    others: list[int] = []
    by_fields = GroupLimit(tuple(fields), at_most=1)
    for place, device in enumerate(ordered):
        kind = group_of(device, by_fields)
        (others if kind in seen else ahead).append(place)
        seen.add(kind)
    if len(ahead) > first:
        raise SelectionError(
            f"the first wave, of {counted(first, 'device')}, cannot hold one of each of the"
            f" {len(ahead)} kinds by {by_fields.title}; let it have {len(ahead)} devices or more,"
            " or spread by fewer fields"
        )
    return ahead + others
