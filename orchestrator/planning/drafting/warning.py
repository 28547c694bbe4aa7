"""What a person should know of a plan before it becomes a run."""

from array import array
from collections import Counter
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from itertools import pairwise

from orchestrator.engine.choosing.matching import is_missing, printable
from orchestrator.engine.walking.chaining import NO_CHAIN, chain_ends
from orchestrator.model.devices import Device
from orchestrator.model.operations import Operation, Request
from orchestrator.model.plans import Limits, PlannedDevice
from orchestrator.model.playbooks import Playbook
from orchestrator.model.policies import BetweenWaves
from orchestrator.model.steps import ApproveStep, RequestStep, Step
from orchestrator.planning.tallying import Tally, counted, some
from orchestrator.playbook.conditions import KNOWN_FIELDS

FEW = 10
"""Devices up to which a person watches the run anyway."""


def playbook_warnings(
    playbook: Playbook, limits: Limits, devices: Iterable[PlannedDevice] | None = None
) -> list[str]:
    """Warn of what the playbook itself leaves open, for a set of this size.

    What only steps could do that all of these devices have behind them is no risk; without
    devices each is taken to begin at the first step.
    """
    ahead = _ahead(playbook, limits, devices)
    disrupted = sum(n for left, n in ahead.items() if any(each.is_disruptive for each in left))
    wiped = any(each.is_destructive for left in ahead for each in left)
    warnings = []
    selection = playbook.selection
    if not (selection.organizations or selection.include or playbook.table):
        warnings.append(
            "the selection names no organization: devices of every organization"
            " that the token may see can be chosen"
        )
    warnings += _restoring_warnings(playbook)
    if wiped and playbook.window is None:
        warnings.append(
            "no window: devices lose their configuration at whatever hour the run is started"
        )
    if disrupted and limits.devices > FEW and not limits.budget.is_set:
        warnings.append(
            f"no budget: the run goes on however many of the {limits.devices} devices fail;"
            " rollout.stop_when would stop it"
        )
    if 1 < disrupted <= limits.max_down:
        who = f"all {disrupted} devices"
        if disrupted < limits.devices:
            who += " that are still to be disturbed"
        warnings.append(f"max_down {playbook.rollout.max_down} lets {who} be down at once")
    return warnings


def _ahead(
    playbook: Playbook, limits: Limits, devices: Iterable[PlannedDevice] | None
) -> Counter[tuple[Request, ...]]:
    """Count the devices by the operations that they have before them."""
    if devices is None:
        return Counter({ahead_of(playbook, 0): limits.devices} if limits.devices else {})
    ahead: Counter[tuple[Request, ...]] = Counter()
    for step, count in Counter(device.begins_at for device in devices).items():
        ahead[ahead_of(playbook, step)] += count
    return ahead


def ahead_of(playbook: Playbook, step: int) -> tuple[Request, ...]:
    """Give what is asked for from a step on, with those of the rescue."""
    steps = playbook.all_steps[step:]
    return tuple(each.operation for each in steps if isinstance(each, RequestStep))


def _restoring_warnings(playbook: Playbook) -> list[str]:
    operations = operations_of(playbook)
    warnings = [
        f"no reconf follows {operation.value}: devices are left with factory defaults"
        for index, operation in enumerate(operations)
        if operation.is_destructive and Operation.RECONF not in operations[index + 1 :]
    ]
    return warnings + _approve_warnings(playbook.steps)


def _approve_warnings(steps: Sequence[Step]) -> list[str]:
    return [
        f"step {number}, approve, stands between a destructive step and step {end + 1} that"
        " brings devices back into service: they wait without their configuration until"
        " somebody approves"
        for number, (step, end) in enumerate(zip(steps, chain_ends(steps), strict=True), start=1)
        if isinstance(step, ApproveStep) and end != NO_CHAIN
    ]


def wave_warnings(playbook: Playbook, limits: Limits) -> list[str]:
    """Warn of a gate that never comes, because the first wave is the last."""
    rollout = playbook.rollout
    if rollout.between_waves == BetweenWaves() or len(limits.waves) != 1:
        return []
    nothing = "nothing is judged and nobody is asked between waves"
    if limits.devices == 1:
        return [f"the first wave holds the only device: {nothing}"]
    whole = f"all {limits.devices} devices"
    return [f"the first wave holds {whole}: {nothing}; write a share or a smaller count"]


def field_warnings(playbook: Playbook, chosen: Sequence[Device]) -> list[str]:
    """Name the fields that order or spread nothing, for then other devices come first than meant."""
    ordering = [name.removeprefix("-") for name in playbook.selection.order_by]
    warnings = [
        f"order_by names {printable(name)!r}, which no chosen record has:"
        f" it puts nothing in order{_meant(name, chosen)}"
        for name in _unheard_of(ordering, chosen)
    ]
    warnings += [
        f"spread_by names {printable(name)!r}, which no chosen record has:"
        f" all devices are of one kind in it{_meant(name, chosen)}"
        for name in _unheard_of(playbook.rollout.spread_by, chosen)
    ]
    return warnings


def _unheard_of(names: Sequence[str], chosen: Sequence[Device]) -> list[str]:
    if not chosen:
        return []
    return [
        name
        for name in names
        if name != "id" and all(is_missing(device.value(name)) for device in chosen)
    ]


def _meant(name: str, chosen: Sequence[Device]) -> str:
    fields = {*KNOWN_FIELDS, *chosen[0].fields} - {name}
    close = get_close_matches(name.lower(), sorted(fields), n=1, cutoff=0.6)
    return f"; did you mean {printable(close[0])!r}?" if close else ""


class Identities:
    """Finds, among devices that are seen one by one, those that cannot be told from another by their
    serial numbers.
    """

    def __init__(self) -> None:
        self._hashes = array("q")
        self._without = Tally()

    def see(self, device: Device) -> None:
        """Look at one device of the set."""
        if device.serial_number is None:
            self._without.add(device)
        else:
            self._hashes.append(hash(device.serial_number))

    def warnings(self, kept: Iterable[Device]) -> list[str]:
        """Warn of them; goes through the devices that were seen once more where some are twins."""
        warnings = []
        twins = [printable(serial) for serial in self._shared(kept)]
        if twins:
            warnings.append(f"records of the set share a serial number: {some(twins, len(twins))}")
        if self._without.count:
            warnings.append(
                f"{counted(self._without.count, 'device')} of the set without a serial number,"
                f" so a swapped device would go unnoticed: {self._without}"
            )
        return warnings

    def _shared(self, kept: Iterable[Device]) -> list[str]:
        hashes = sorted(self._hashes)
        shared = {one for one, next_ in pairwise(hashes) if one == next_}
        serials = Counter(
            device.serial_number
            for device in (kept if shared else ())
            if device.serial_number is not None and hash(device.serial_number) in shared
        )
        return [serial for serial, count in serials.items() if count > 1]


def identity_warnings(kept: Sequence[Device]) -> list[str]:
    """Warn of devices that cannot be told from another by their serial numbers."""
    identities = Identities()
    for device in kept:
        identities.see(device)
    return identities.warnings(kept)


class Groupings:
    """Finds, among devices that are seen one by one, those of which nobody knows where they belong."""

    def __init__(self, playbook: Playbook) -> None:
        self._unknown = [
            (field, Tally()) for limit in playbook.rollout.max_down_per for field in limit.fields
        ]
        self._seen = 0

    def see(self, device: Device) -> None:
        """Look at one device of the set."""
        self._seen += 1
        for field, unknown in self._unknown:
            if is_missing(device.value(field)):
                unknown.add(device)

    def warnings(self, kept: Sequence[Device]) -> list[str]:
        """Warn of devices that count together for it; these are the ones that were seen."""
        return [
            f"{counted(unknown.count, 'device')} of the set without a value of"
            f" {printable(field)}, by which max_down_per groups them; they count together,"
            f' as "unknown": {unknown}{_meant(field, kept) if unknown.count == self._seen else ""}'
            for field, unknown in self._unknown
            if unknown.count
        ]


def group_warnings(playbook: Playbook, kept: Sequence[Device]) -> list[str]:
    """Warn of devices that count together because nobody knows where they belong."""
    groupings = Groupings(playbook)
    for device in kept:
        groupings.see(device)
    return groupings.warnings(kept)


def operations_of(playbook: Playbook) -> tuple[Request, ...]:
    """Give what a playbook's steps ask for, without those of its rescue."""
    return tuple(step.operation for step in playbook.steps if isinstance(step, RequestStep))
