"""Blast radius: how many devices of one group may be out of service at once, whoever did it.

A group is what a limit `max_down_per` counts together. Three kinds of devices count in it: those
this run holds a place for, those a census of the controller found Down, and those that this run
lost: their return was never proven.
"""

from collections.abc import Iterable, Iterator

from orchestrator.engine.choosing.grouping import group_of
from orchestrator.engine.walking.proving import is_requested
from orchestrator.model.devices import Device, DeviceId, Status
from orchestrator.model.operations import Operation
from orchestrator.model.plans import PlannedDevice
from orchestrator.model.policies import GroupLimit
from orchestrator.model.steps import SETTLE_SECONDS

CENSUS_SECONDS = 60.0
"""How often the Down devices are listed while somebody waits to be started."""

CENSUS_RETRY = 10.0
"""Seconds until a listing that failed is tried again."""

CENSUS_MAX_AGE = 75.0
"""Seconds after which a census is too old for anybody to be started on it: one more is taken first."""

LONGEST_CENSUS = 600.0
"""Seconds a listing of the Down devices may take and still be believed."""

PATIENCE = 1800.0
"""Seconds for which a device waits for others' outages in its group to end."""

SETTLE = max(SETTLE_SECONDS.values())
"""Seconds after the contact that delivered a command before a later one is a return."""

_DISRUPTIVE = tuple(operation for operation in Operation if operation.is_disruptive)

NAMED = 3
"""Devices of a full group that are named."""

FULL = "max_down_per "
"""How every sentence about a full group begins."""

Group = tuple[int, str]
"""The number of a limit and the name of a group under it."""

_OURS, _DOWN, _LOST = 1, 2, 4


class Groups:
    """The groups of a run with whoever is out of service in them."""

    def __init__(self, limits: tuple[GroupLimit, ...]) -> None:
        self.limits = list(limits)
        self.lost: dict[DeviceId, float] = {}
        """Devices of this run whose return was never proven, and when that was given up, by the
        controller's clock."""
        self._undelivered: set[DeviceId] = set()
        """Lost devices whose next contact may be the one that takes them out of service."""
        self._members: dict[Group, dict[DeviceId, int]] = {}
        self._down: dict[DeviceId, tuple[Group, ...]] = {}
        self._planned: dict[DeviceId, tuple[Group, ...]] = {}
        self._blocked_for: dict[Group, float] = {}
        self._noted_at = float("-inf")

    def full_for(self, planned: PlannedDevice) -> Group | None:
        """Give the first of the device's groups that has no place for it; None when all have."""
        for group in _groups_of(planned):
            members = self._members.get(group, {})
            if len(members) >= self.limits[group[0]].at_most and planned.id not in members:
                return group
        return None

    def full_of_ours_for(self, planned: PlannedDevice) -> Group | None:
        """Give the first of its groups in which this run itself leaves no place for it."""
        for group in _groups_of(planned):
            members = self._members.get(group, {})
            ours = sum(
                bool(flag & _OURS) for device, flag in members.items() if device != planned.id
            )
            if ours >= self.limits[group[0]].at_most:
                return group
        return None

    def are_beyond(self, planned: PlannedDevice) -> bool:
        """Say whether a device that has its place adds to more than one of its groups allows."""
        for group in _groups_of(planned):
            members = self._members.get(group, {})
            if len(members) > self.limits[group[0]].at_most and members[planned.id] == _OURS:
                return True
        return False

    def describe(self, group: Group) -> str:
        """Say what is full, and with whom."""
        limit = self.limits[group[0]]
        members = self._members.get(group, {})
        some = ", ".join(str(device) for device in sorted(members)[:NAMED])
        more = f" and {len(members) - NAMED} more" if len(members) > NAMED else ""
        who = f" ({some}{more})" if members else ""
        return (
            f"{FULL}{limit.title}: {len(members)} of {group[1]} out of service{who},"
            f" {limit.at_most} allowed"
        )

    def take(self, planned: PlannedDevice) -> None:
        """This run takes the device out of service, or is about to."""
        self._set(planned.id, _groups_of(planned), _OURS)

    def give_back(self, planned: PlannedDevice) -> tuple[Group, ...]:
        """The device is no longer out of service through us; give the groups that may have room."""
        groups = _groups_of(planned)
        self._clear(planned.id, groups, _OURS)
        for group in groups:
            if group in self._blocked_for:
                self._blocked_for[group] = 0.0
        return groups

    def lose(self, planned: PlannedDevice, since: float, *, delivered: bool = True) -> None:
        """The device never was proven back; it counts until it is seen Up again.

        `delivered`: it had the command by then; else its next contact may only take that.
        """
        groups = _groups_of(planned)
        if groups:
            self.lost[planned.id] = since
            self._planned[planned.id] = groups
            self._set(planned.id, groups, _LOST)
            if not delivered:
                self._undelivered.add(planned.id)

    def look_at(self, device: Device) -> tuple[Group, ...]:
        """Take note of a lost device's record; give the groups that may have room because of it."""
        since = self.lost.get(device.id)
        if since is None:
            return ()
        if any(is_requested(device, operation) for operation in _DISRUPTIVE):
            self._undelivered.add(device.id)  # it will go out of service yet
            return ()
        contact = device.last_connection
        if device.status is not Status.UP or contact is None or contact <= since:
            return ()
        if device.id in self._undelivered:
            self._undelivered.discard(device.id)
            self.lost[device.id] = contact + SETTLE
            return ()
        del self.lost[device.id]
        groups = self._planned.pop(device.id)
        self._clear(device.id, groups, _LOST)
        return groups

    def count(self, devices: Iterable[Device]) -> tuple[Group, ...]:
        """Take over a census; give the groups that may have room because of it."""
        found: dict[DeviceId, tuple[Group, ...]] = {}
        for device in devices:
            if device.status is Status.DOWN and device.is_active is not False:
                found[device.id] = tuple(
                    (number, group_of(device, limit)) for number, limit in enumerate(self.limits)
                )
        before, self._down = self._down, found
        freed: list[Group] = []
        for identity, groups in before.items():
            if found.get(identity) != groups:
                self._clear(identity, groups, _DOWN)
                freed += groups
        for identity, groups in found.items():
            self._set(identity, groups, _DOWN)
        return tuple(freed)

    def note_blocked(self, groups: Iterable[Group], active: float) -> None:
        """Somebody waits for these groups, and for no others.

        Only time in which somebody could have been started is waited for others' outages: what
        lies between two notes farther apart than censuses are, as behind a closed window, is not.
        """
        since_last = active - self._noted_at
        waited = since_last if since_last <= 2 * CENSUS_SECONDS else 0.0
        self._noted_at = active
        before = self._blocked_for
        self._blocked_for = {
            group: before[group] + waited if group in before else 0.0 for group in groups
        }

    def hopeless(self) -> Iterator[Group]:
        """Give the groups that only others' outages have kept full for longer than the patience.

        Whoever comes to wait for such a group later has the whole patience again.
        """
        for group, waited in tuple(self._blocked_for.items()):
            members = self._members.get(group, {})
            if waited >= PATIENCE and not any(flag & _OURS for flag in members.values()):
                del self._blocked_for[group]
                yield group

    def _set(self, device: DeviceId, groups: tuple[Group, ...], flag: int) -> None:
        for group in groups:
            members = self._members.setdefault(group, {})
            members[device] = members.get(device, 0) | flag

    def _clear(self, device: DeviceId, groups: tuple[Group, ...], flag: int) -> None:
        for group in groups:
            members = self._members.get(group, {})
            left = members.get(device, 0) & ~flag
            if left:
                members[device] = left
            elif members.pop(device, None) is not None and not members:
                del self._members[group]


def _groups_of(planned: PlannedDevice) -> tuple[Group, ...]:
    return tuple(enumerate(planned.groups)) if planned.groups else ()
