"""The playbook that remedies a drift, as far as writing fields and delivering settings can."""

from collections import Counter
from dataclasses import dataclass

from orchestrator.engine.choosing.matching import printable
from orchestrator.model.devices import DeviceId
from orchestrator.model.values import Plain
from orchestrator.planning.restoring.drifting import Drift, Remedy
from orchestrator.planning.restoring.writing import (
    fields_of,
    header,
    selection_of,
    table_of,
    text_value,
)
from orchestrator.planning.tallying import counted

_LONGEST = 100


@dataclass(frozen=True, slots=True)
class Remedying:
    """A playbook and the table beside it; without devices there is nothing that it could remedy."""

    playbook: str
    table: str
    devices: int
    left: tuple[str, ...]
    """What it does not remedy, a sentence for each kind."""


def remedying(drift: Drift, table_name: str) -> Remedying:
    """Write the playbook that remedies a drift; its table is named so and holds only what deviates."""
    rows: dict[DeviceId, dict[str, Plain]] = {}
    syncs = False
    for each in drift.devices:
        for deviation in each.deviations:
            if deviation.remedy in (Remedy.WRITE, Remedy.SYNC):
                row = rows.setdefault(each.device, {})
            if deviation.remedy is Remedy.WRITE:
                row[deviation.field] = deviation.value
            syncs = syncs or deviation.remedy is Remedy.SYNC
    left = tuple(_left(drift))
    if not rows:
        return Remedying("", "", 0, left)
    writes = any(rows.values())
    text = "\n".join(
        [
            *header(
                _what(drift, fields_of(rows) if writes else "", syncs=syncs),
                f"{counted(len(rows), 'device')} that deviate, by the rows of {table_name}.",
                "`orchestrator rollback RUN` puts back what its run changed in records;"
                " settings that were delivered stay.",
                *(f"Not remedied here: {each}" for each in left),
            ),
            f"playbook: {f'remedy-of-{drift.wanted}'[:_LONGEST].rstrip()}",
            f"description: {text_value(f'Remedies what deviates from {drift.wanted}.')}",
            *selection_of(table_name, len(rows)),
            "steps:",
            *_steps(writes=writes, syncs=syncs),
            "",
        ]
    )
    return Remedying(text, table_of(rows), len(rows), left)


def _what(drift: Drift, fields: str, *, syncs: bool) -> str:
    done = []
    if fields:
        done.append(f"writes {fields}")
    if syncs:
        done.append("delivers settings that are pending (sync)")
    return f"Remedies what deviates from {drift.wanted}: {' and '.join(done)}."


def _steps(*, writes: bool, syncs: bool) -> list[str]:
    steps = ["  - update: row"] if writes else []
    if syncs and writes:
        steps.append("  - done_if: {pending_settings: none}")
    return [*steps, "  - operation: sync"] if syncs else steps


def _left(drift: Drift) -> list[str]:
    counts: Counter[str] = Counter()
    gone = 0
    for each in drift.devices:
        gone += bool(each.why_gone)
        for deviation in each.deviations:
            what = f"{printable(deviation.field)} should be {deviation.should}"
            if deviation.remedy is Remedy.FIRMWARE:
                counts[f"{what}: firmware-rollout.yaml upgrades firmware"] += 1
            elif deviation.remedy is Remedy.NONE:
                counts[f"{what}, which no playbook can write by itself"] += 1
    told = [f"{what} ({counted(count, 'device')})" for what, count in counts.items()]
    if gone:
        told.append(f"{counted(gone, 'device')} with no record, or another device's")
    if drift.without_device:
        told.append(f"{counted(len(drift.without_device), 'row')} without a device")
    return told
