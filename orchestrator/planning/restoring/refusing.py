"""What cannot be put back, in sentences: one for each kind of thing, with a few of its devices."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from orchestrator.model.devices import DeviceId
from orchestrator.model.operations import Action, Operation
from orchestrator.planning.tallying import EXAMPLES, counted, some
from orchestrator.report.differences import Certainty, Deed, DeviceDifferences


@dataclass(slots=True)
class _Kind:
    tell: Callable[[int, int], str]
    """Gives the sentence for so many devices of which so many are in doubt."""
    count: int = 0
    doubted: int = 0
    examples: list[str] = field(default_factory=list)

    def add(self, name: str, *, doubted: bool) -> None:
        self.count += 1
        self.doubted += doubted
        if len(self.examples) < EXAMPLES:
            self.examples.append(name)


@dataclass(frozen=True, slots=True)
class Kept:
    """What a device's first snapshot says, as far as it is asked for."""

    record: Mapping[str, object] = field(default_factory=dict)
    settings: int = 0
    variables: int = 0


class Beyond:
    """Collects what cannot be put back, device by device."""

    def __init__(self) -> None:
        self._kinds: dict[str, _Kind] = {}
        self._settings = 0
        self._variables = 0

    @property
    def sentences(self) -> tuple[str, ...]:
        """Give a sentence for each kind, in the order in which they came up."""
        return tuple(
            f"{kind.tell(kind.count, kind.doubted)}: {some(kind.examples, kind.count)}"
            for kind in self._kinds.values()
        )

    def take(self, each: DeviceDifferences, before: Kept) -> None:
        """Note what was done to a device that no change of its record undoes."""
        deeds = {deed.what: deed for deed in each.deeds}
        wipe = deeds.get(Operation.FACTORY) or deeds.get(Operation.DEVICE_FACTORY)
        push = deeds.get(Operation.RECONF) or deeds.get(Operation.SYNC)
        if Operation.REBOOT in deeds:
            self._add("reboot", each.record, deeds[Operation.REBOOT], _rebooted)
        if wipe is not None:
            is_back = _came_back(each)
            self._add(f"wipe {is_back}", each.record, wipe, _reset_and_back if is_back else _reset)
        elif push is not None:
            self._settings += before.settings
            self._variables += before.variables
            self._add("push", each.record, push, self._pushed)
        self._take_record(each, deeds)

    def _take_record(self, each: DeviceDifferences, deeds: dict[Operation | Action, Deed]) -> None:
        if Action.CREATE in deeds:
            deed = deeds[Action.CREATE]
            serial = deed.values.get("serial_number")
            name = f"{each.record} ({serial})" if serial else str(each.record)
            self._add("create", name, deed, _created)
        if Action.DELETE in deeds:
            self._add("delete", each.record, deeds[Action.DELETE], _deleted)
        if Action.UPGRADE in deeds:
            images = [c for c in each.fields if c.field == "firmware_image"]
            before = images[0].before if images else None
            after = images[-1].after if images else None
            what = f"upgrade {before!r} {after!r}"
            self._add(what, each.record, deeds[Action.UPGRADE], _upgraded(before, after))
        if any(change.action is Action.REPLACE for change in each.fields):
            self._add("replace", each.record, None, _replaced)

    def secret(self, record: DeviceId, name: str) -> None:
        """Note that a secret was written."""
        self._add(f"secret {name}", record, None, _secret(name))

    def read_only(self, record: DeviceId, name: str) -> None:
        """Note a field that nobody can write."""
        self._add(f"read-only {name}", record, None, _told(f"{name} is read-only"))

    def unknown(self, record: DeviceId, name: str) -> None:
        """Note a field of which nobody knows what it held."""
        self._add(f"unknown {name}", record, None, _told(f"what {name} held before is not known"))

    def unfit(self, record: DeviceId, name: str) -> None:
        """Note a field that held what cannot be written into it."""
        what = f"what {name} held before, or that it held nothing, cannot be written"
        self._add(f"unfit {name}", record, None, _told(what))

    def _add(
        self,
        kind: str,
        name: DeviceId | str,
        deed: Deed | None,
        tell: Callable[[int, int], str],
    ) -> None:
        doubted = deed is not None and deed.certainty is Certainty.IN_DOUBT
        self._kinds.setdefault(kind, _Kind(tell)).add(str(name), doubted=doubted)

    def _pushed(self, count: int, doubted: int) -> str:
        what = "this program does not write settings, and nothing of them as they were is kept"
        if self._settings or self._variables:
            kept = (
                f"{counted(self._settings, 'setting')} and {counted(self._variables, 'variable')}"
            )
            what = (
                f"this program does not write settings; {kept} as they were are in snapshots.jsonl"
            )
        return f"{_devices(count, doubted)} had settings pushed: {what}"


def _came_back(each: DeviceDifferences) -> bool:
    """Tell whether a proven `reconf` of the run followed the last reset."""
    destructive = [d for d in each.deeds if isinstance(d.what, Operation) and d.what.is_destructive]
    return any(
        deed.what is Operation.RECONF
        and deed.certainty is Certainty.PROVEN
        and deed.at > destructive[-1].at
        for deed in each.deeds
    )


def _devices(count: int, doubted: int) -> str:
    if not doubted:
        return counted(count, "device")
    perhaps = "perhaps" if doubted == count else f"{doubted} of them perhaps"
    return f"{counted(count, 'device')} ({perhaps})"


def _rebooted(count: int, doubted: int) -> str:
    return f"{_devices(count, doubted)} rebooted: a reboot cannot be undone"


def _reset(count: int, doubted: int) -> str:
    return (
        f"{_devices(count, doubted)} reset: what was configured there is gone;"
        " `reconf` brings back what the controller keeps of it"
    )


def _reset_and_back(count: int, doubted: int) -> str:
    return (
        f"{_devices(count, doubted)} reset: what was configured there is gone;"
        " the run's own `reconf` brought back what the controller keeps of it"
    )


def _created(count: int, doubted: int) -> str:
    told = "1 record" if count == 1 else f"{count} records"
    perhaps = " (perhaps)" if doubted else ""
    return f"{told} created{perhaps}: `orchestrator devices delete` removes what is not wanted"


def _deleted(count: int, doubted: int) -> str:
    told = "1 record" if count == 1 else f"{count} records"
    perhaps = " (perhaps)" if doubted else ""
    return (
        f"{told} deleted{perhaps}: how they were is in snapshots.jsonl,"
        " but created again they get another id and no password"
    )


def _upgraded(before: object, after: object) -> Callable[[int, int], str]:
    was = "an image that is not known" if before is None else f"image {before}"

    def tell(count: int, doubted: int) -> str:
        back = (
            ""
            if before is None
            else (
                f": a copy of firmware-rollout.yaml with image {before}, its version, and the condition on"
                " software_version turned around"
            )
        )
        return (
            f"{_devices(count, doubted)} given firmware image {after} over {was};"
            f" going back is an upgrade of its own{back}"
        )

    return tell


def _replaced(count: int, doubted: int) -> str:
    return (
        f"{_devices(count, doubted)} whose record was replaced as a whole: a user name or password,"
        " which the controller never shows, may have been emptied by that"
    )


def _secret(name: str) -> Callable[[int, int], str]:
    def tell(count: int, doubted: int) -> str:
        return (
            f"{_devices(count, doubted)} with a new {name}: only fingerprints are kept with the run;"
            " the vault may hold the old one"
        )

    return tell


def _told(what: str) -> Callable[[int, int], str]:
    return lambda count, doubted: f"{_devices(count, doubted)} where {what}"
