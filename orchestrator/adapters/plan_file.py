"""Keep a plan in a file: everything a run needs, and a digest that shows when it was changed."""

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import groupby
from pathlib import Path
from sys import intern
from typing import Any

import orjson

from orchestrator.adapters.journal_reading import why
from orchestrator.model import moments
from orchestrator.model.amounts import Share
from orchestrator.model.devices import DeviceId
from orchestrator.model.errors import PlaybookError, RunError, UnrecordedError
from orchestrator.model.plans import LeftOut, Limits, Plan, PlannedDevice, Wave
from orchestrator.model.playbooks import PlaybookSource
from orchestrator.model.policies import Budget, GroupLimit
from orchestrator.playbook.reading import read_playbook

VERSION = 2
_OLDEST = 1


def digest(plan: Plan) -> str:
    """Give the SHA-256 of what the plan says; the same plan has the same digest everywhere."""
    return _digest(_content(plan))


def playbook_digest(source: PlaybookSource) -> str:
    """Give the SHA-256 of a playbook's text as it stands in its file."""
    return hashlib.sha256(source.text.encode()).hexdigest()


def write_plan(plan: Plan, path: Path) -> str:
    """Write the plan and give its digest; returns only once the whole file is durable.

    The file replaces an older one in one step and can be read by its owner only.
    Raises UnrecordedError when it cannot be written.
    """
    content = _content(plan)
    seal = _digest(content)
    document = {"v": VERSION, "digest": seal, "plan": content}
    try:
        _write_durably(path, orjson.dumps(document, option=orjson.OPT_INDENT_2) + b"\n")
    except OSError as error:
        raise UnrecordedError(f"the plan {path} cannot be written: {why(error)}") from error
    return seal


def read_plan(path: Path) -> Plan:
    """Read a plan back; its playbook is read again from the text that is kept in it.

    Raises RunError in one sentence when the file is missing, damaged, changed by hand, or of a
    version this program does not know.
    """
    try:
        raw = path.read_bytes()
    except FileNotFoundError as error:
        raise RunError(f"there is no plan {path}") from error
    except OSError as error:
        raise RunError(f"the plan {path} cannot be read: {why(error)}") from error
    try:
        document = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise RunError(f"the plan {path} is damaged: it is not JSON ({error})") from error
    if not isinstance(document, dict) or not {"v", "digest", "plan"} <= document.keys():
        raise RunError(f"{path} is not a plan of this program")
    _check_version(path, document["v"])
    if _digest(document["plan"]) != document["digest"]:
        raise RunError(f"the plan {path} was changed after it was made; make a new one")
    try:
        return _plan(document["plan"])
    except PlaybookError as error:
        first = error.faults[0].message
        raise RunError(
            f"the playbook kept in the plan {path} is not one that this version takes: {first}"
        ) from error
    except (ArithmeticError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise RunError(f"the plan {path} is damaged: {error!r} where a value should be") from error


def _check_version(path: Path, version: object) -> None:
    if version == VERSION:
        return
    if isinstance(version, int) and _OLDEST <= version < VERSION:
        raise RunError(
            f"the plan {path} was made by an older version of this program; make a new one"
        )
    raise RunError(f"the plan {path} has version {version!r}, this program reads version {VERSION}")


def _digest(content: object) -> str:
    return hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _content(plan: Plan) -> dict[str, Any]:
    source, limits = plan.source, plan.limits
    return {
        "playbook": plan.playbook.name,
        "source": {
            "path": source.path,
            "text": source.text,
            "variables": dict(source.variables),
            "files": dict(source.files),
        },
        "controller": plan.controller,
        "created_at": moments.as_text(plan.created_at),
        "limits": {
            "devices": limits.devices,
            "max_down": limits.max_down,
            "in_flight": limits.in_flight,
            "delay": limits.delay,
            "per_second": limits.per_second,
            "max_down_per": [
                {"fields": list(limit.fields), "at_most": limit.at_most}
                for limit in limits.max_down_per
            ],
            "waves": _runs_of(limits.waves),
            "budget": _budget_content(limits.budget),
        },
        "operation_requests": plan.operation_requests,
        "reading_requests": plan.reading_requests,
        "listed": plan.listed,
        "expected": list(plan.expected),
        "expected_from": plan.expected_from,
        "warnings": list(plan.warnings),
        "left_out": [
            {"reason": out.reason, "count": out.count, "examples": list(out.examples)}
            for out in plan.left_out
        ],
        "devices": [_device_content(device) for device in plan.devices],
    }


def _runs_of(waves: Sequence[Wave]) -> list[dict[str, int]]:
    """Give equal waves that follow one another once, with how many they are."""
    return [
        {"times": len(list(same)), "devices": wave.devices, "must_succeed": wave.must_succeed}
        for wave, same in groupby(waves)
    ]


def _budget_content(budget: Budget) -> dict[str, Any]:
    rate = budget.failure_rate
    return {
        "failed": budget.failed,
        "unconfirmed": budget.unconfirmed,
        "in_doubt": budget.in_doubt,
        "failure_rate": None if rate is None else str(rate.fraction),
        "after": budget.after,
    }


def _device_content(device: PlannedDevice) -> dict[str, Any]:
    content: dict[str, Any] = {
        "id": device.id,
        "serial_number": device.serial_number,
        "name": device.name,
    }
    if device.groups:
        content["groups"] = list(device.groups)
    if device.zone is not None:
        content["zone"] = device.zone
    return content


def _plan(content: dict[str, Any]) -> Plan:
    kept = content["source"]
    source = PlaybookSource(kept["path"], kept["text"], kept["variables"], kept["files"])
    return Plan(
        playbook=read_playbook(source),
        source=source,
        controller=content["controller"],
        created_at=moments.from_text(content["created_at"]),
        devices=tuple(_device(device) for device in content["devices"]),
        limits=_limits(content["limits"]),
        left_out=tuple(
            LeftOut(out["reason"], out["count"], tuple(out["examples"]))
            for out in content["left_out"]
        ),
        warnings=tuple(content["warnings"]),
        operation_requests=content["operation_requests"],
        reading_requests=content["reading_requests"],
        listed=content["listed"],
        expected=tuple(content["expected"]),
        expected_from=content["expected_from"],
    )


def _device(content: Mapping[str, Any]) -> PlannedDevice:
    return PlannedDevice(
        id=DeviceId(int(content["id"])),
        serial_number=content["serial_number"],
        name=content["name"],
        groups=tuple(map(intern, content.get("groups", ()))),
        zone=content.get("zone"),
    )


def _limits(content: Mapping[str, Any]) -> Limits:
    budget = content["budget"]
    rate = budget["failure_rate"]
    shared = {"max_down_per", "waves", "budget"}
    return Limits(
        **{name: value for name, value in content.items() if name not in shared},
        max_down_per=tuple(
            GroupLimit(tuple(limit["fields"]), limit["at_most"])
            for limit in content["max_down_per"]
        ),
        waves=tuple(
            wave
            for same in content["waves"]
            for wave in [Wave(same["devices"], same["must_succeed"])] * same["times"]
        ),
        budget=Budget(
            **{**budget, "failure_rate": None if rate is None else Share(Fraction(rate))}
        ),
    )


def _write_durably(path: Path, raw: bytes) -> None:
    # mkstemp makes a file that only its owner can read; beside the target, so that the rename
    # stays within one file system and is therefore one step.
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(raw)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            Path(name).unlink()
        raise
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
