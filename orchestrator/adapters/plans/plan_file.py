"""Keep a plan in a file: everything a run needs, and a digest that shows when it was changed."""

import contextlib
import hashlib
import os
import re
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby
from pathlib import Path
from typing import Any

import msgspec
import orjson

from orchestrator.adapters.plans.plan_lines import digest_of, lines_of, read_lines
from orchestrator.adapters.runs.journal_reading import why
from orchestrator.model import moments
from orchestrator.model.amounts import Share
from orchestrator.model.device_sets import DeviceSet
from orchestrator.model.errors import PlaybookError, RunError, UnrecordedError
from orchestrator.model.forecasts import Binding, Forecast, Gain, GroupPeak, Spread, WaveForecast
from orchestrator.model.planned_devices import lasting_part
from orchestrator.model.plans import LeftOut, Limits, Plan, PlannedDevice, Wave
from orchestrator.model.playbooks import PlaybookSource
from orchestrator.model.policies import Budget, GroupLimit
from orchestrator.model.windows import Opening
from orchestrator.playbook.reading import read_playbook

VERSION = 4
_READABLE = 2
"""The oldest version that can still be read, so that runs made from it are shown and resumed."""
_OLDEST = 1
_WITH_FORECAST = 3
_WITH_DIGESTS = 4
_SUFFIX = ".json"
_BEGINNING = re.compile(rb'\s*\{\s*"v"\s*:')


@dataclass(frozen=True, slots=True)
class StoredPlan:
    """A plan as a file keeps it."""

    plan: Plan
    digest: str
    """Of the file's own content, whatever version wrote it: what a journal was begun with."""
    version: int


def digest(plan: Plan) -> str:
    """Give the SHA-256 of what the plan says; the same plan has the same digest everywhere.

    What its devices had of operations before is not in it: a run counts that anew when it begins.
    """
    return digest_of(_head(plan), plan.devices.lasting_rows())


def playbook_digest(source: PlaybookSource) -> str:
    """Give the SHA-256 of a playbook's text as it stands in its file."""
    return hashlib.sha256(source.text.encode()).hexdigest()


def write_plan(plan: Plan, path: Path) -> str:
    """Write the plan and give its digest; returns only once the whole file is durable.

    The file replaces an older one in one step and can be read by its owner only.
    Raises UnrecordedError when it cannot be written.
    """
    head = _head(plan)
    seal = digest_of(head, plan.devices.lasting_rows())
    try:
        _write_durably(path, lines_of(VERSION, seal, head, plan.devices.rows()))
    except OSError as error:
        raise UnrecordedError(f"the plan {path} cannot be written: {why(error)}") from error
    return seal


def is_plan(path: Path) -> bool:
    """Tell a plan, or a file that was meant to be one, from a playbook; says nothing of its content.

    A plan is named *.json and begins with a brace. What is named so and begins with a bracket, is
    empty, a folder or not there is no playbook either.
    """
    if path.suffix.lower() != _SUFFIX:
        return False
    try:
        if not path.is_file():
            return path.is_dir() or not path.exists()
        with path.open("rb") as file:
            begins = file.read(1000).lstrip()
        return not begins or begins.startswith((b"{", b"["))
    except OSError:
        return True  # whoever reads it says what is wrong


def check_place(path: Path) -> None:
    """Return only if a plan may be written there; raises RunError for a name that `run` would not
    take for a plan, and for a file that is none.
    """
    if path.suffix.lower() != _SUFFIX:
        raise RunError(f"a plan is kept in a file named *.json, {path} is not named so")
    try:
        if not path.parent.is_dir():
            raise RunError(f"the plan {path} cannot be written: there is no folder {path.parent}")
        if not path.exists():
            return
        if not path.is_file():
            raise RunError(f"the plan {path} cannot be written: it is there and no file")
        with path.open("rb") as file:
            begins = file.read(1000)
    except OSError as error:
        raise RunError(f"the plan {path} cannot be written: {why(error)}") from error
    if begins.strip() and not _BEGINNING.match(begins):
        raise RunError(f"{path} is there and is no plan; name another file")


def read_plan(path: Path) -> Plan:
    """Read a plan back; its playbook is read again from the text that is kept in it.

    Raises RunError as `read_stored` does.
    """
    return read_stored(path).plan


def read_stored(path: Path) -> StoredPlan:
    """Read a plan back with its digest; also one of an older version, which no run begins with.

    Raises RunError in one sentence when the file is missing, damaged, changed by hand, or of a
    version this program does not know.
    """
    lines = read_lines(path, (_WITH_FORECAST, _WITH_DIGESTS))
    document = _document(path) if lines is None else lines.document
    version, content = document["v"], document["plan"]
    _check_version(path, version)
    try:
        seal = _DIGESTS[version](content) if lines is None else lines.seal
        if seal != document["digest"]:
            raise RunError(f"the plan {path} was changed after it was made; make a new one")
        devices = DeviceSet(map(_device, content["devices"])) if lines is None else lines.devices
        return StoredPlan(_plan(content, version, devices), seal, version)
    except PlaybookError as error:
        first = error.faults[0].message
        raise RunError(
            f"the playbook kept in the plan {path} is not one that this version takes: {first}"
        ) from error
    except (ArithmeticError, AttributeError, KeyError, TypeError, ValueError) as error:
        what = f"the plan {path} is damaged: {_wrong_part(content, version)}; make a new plan"
        raise RunError(what) from error


def read_current(path: Path) -> StoredPlan:
    """Read a plan that this version made, and that therefore says all that a new run asks of it.

    Raises RunError as `read_stored` does, and for an older plan.
    """
    stored = read_stored(path)
    if stored.version != VERSION:
        raise _too_old(path)
    return stored


def _wrong_part(content: Any, version: int) -> str:
    """Name the part of a damaged plan that is not as it should be, as far as that can be told."""
    if not isinstance(content, dict):
        return "its `plan` is not an object with the parts of a plan"
    for name, read in _readers(version).items():
        if name not in content:
            return f"its part `{name}` is missing"
        try:
            read(content[name])
        except (ArithmeticError, AttributeError, KeyError, TypeError, ValueError):
            return f"its part `{name}` does not hold what belongs there"
    return "one of its parts is missing, or does not hold what belongs there"


def _readers(version: int) -> dict[str, Callable[[Any], object]]:
    """Give how each part of a plan of this version is read."""
    parts: dict[str, Callable[[Any], object]] = {
        "source": lambda kept: _source(kept, version),
        "created_at": moments.from_text,
        "devices": lambda kept: [_device(each) for each in kept],
        "limits": _limits,
        "left_out": lambda kept: [(out["reason"], out["count"], *out["examples"]) for out in kept],
        "warnings": tuple,
        "expected": tuple,
    }
    parts |= dict.fromkeys(
        ("controller", "operation_requests", "reading_requests", "listed", "expected_from"),
        lambda _: None,
    )
    if version < _WITH_FORECAST:
        return parts
    return parts | {
        "attributes": tuple,
        "made_at": moments.from_text,
        "expires_at": lambda kept: None if kept is None else moments.from_text(kept),
        "openings": lambda kept: [_openings(each) for each in kept.values()],
        "goes_on_after": lambda _: None,
        "forecast": lambda kept: None if kept is None else _forecast(kept),
    }


def _document(path: Path) -> dict[str, Any]:
    try:
        raw = path.read_bytes()
    except FileNotFoundError as error:
        raise RunError(f"there is no plan {path}") from error
    except IsADirectoryError as error:
        raise RunError(f"the plan {path} cannot be read: {why(error)}, {_TAKEN_FOR_ONE}") from error
    except OSError as error:
        raise RunError(f"the plan {path} cannot be read: {why(error)}") from error
    if not raw.strip():
        raise RunError(f"{path} is not a plan of this program but empty, {_TAKEN_FOR_ONE}")
    try:
        document = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise RunError(f"the plan {path} is damaged: it is not JSON ({error})") from error
    if not isinstance(document, dict) or not {"v", "digest", "plan"} <= document.keys():
        raise RunError(f"{path} is not a plan of this program, {_TAKEN_FOR_ONE}")
    return document


_TAKEN_FOR_ONE = "and a name that ends in .json means one; a playbook is named *.yaml"


def _check_version(path: Path, version: object) -> None:
    if type(version) is not int or version < _OLDEST:
        raise RunError(f"{path} is not a plan of this program: its version is {version!r}")
    if version > VERSION:
        raise RunError(
            f"the plan {path} was made by a newer version of this program: it has version {version},"
            f" this program reads version {VERSION}; use the newer program or make a new plan"
        )
    if version < _READABLE:
        raise _too_old(path)


def _too_old(path: Path) -> RunError:
    what = f"the plan {path} was made by an older version of this program; make a new one"
    return RunError(what)


def _digest_of(content: dict[str, Any]) -> str:
    head = {name: value for name, value in content.items() if name != "devices"}
    rows = (orjson.dumps(each, option=orjson.OPT_SORT_KEYS) for each in content["devices"])
    return digest_of(head, map(lasting_part, rows))


def _digest_of_version_2(content: dict[str, Any]) -> str:
    return hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()


_DIGESTS = {2: _digest_of_version_2, 3: _digest_of, 4: _digest_of}


def _head(plan: Plan) -> dict[str, Any]:
    """Give everything but the devices; what is empty and can be told from being unknown is left out."""
    source, limits = plan.source, plan.limits
    return {
        "playbook": plan.playbook.name,
        "source": {
            "path": source.path,
            "text": source.text,
            "variables": dict(source.variables),
            "files": dict(source.files),
            "digests": dict(source.digests),
        },
        "controller": plan.controller,
        "created_at": moments.as_text(plan.created_at),
        "made_at": moments.as_text(plan.made_at),
        "expires_at": None if plan.expires_at is None else moments.as_text(plan.expires_at),
        "goes_on_after": plan.goes_on_after,
        "openings": {
            zone: [[moments.as_text(each.start), moments.as_text(each.end)] for each in openings]
            for zone, openings in plan.openings.items()
        },
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
        "forecast": _plain(plan.forecast),
        "attributes": list(plan.attributes),
    }


def _plain(forecast: Forecast | None) -> Any:
    """Give a forecast as JSON has it: its classes are written member by member."""
    return orjson.loads(orjson.dumps(forecast, default=dict))


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


_BEFORE_3: Mapping[str, Any] = {
    "made_at": moments.as_text(0.0),
    "expires_at": None,
    "goes_on_after": None,
    "openings": {},
    "forecast": None,
    "attributes": (),
}
"""What a plan of version 2 says of what came with version 3: nothing."""


def _plan(content: dict[str, Any], version: int, devices: DeviceSet) -> Plan:
    if version < _WITH_FORECAST:
        content = {**_BEFORE_3, **content}
    source = _source(content["source"], version)
    expires_at, forecast = content["expires_at"], content["forecast"]
    return Plan(
        playbook=read_playbook(source),
        source=source,
        controller=content["controller"],
        created_at=moments.from_text(content["created_at"]),
        devices=devices,
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
        attributes=tuple(content["attributes"]),
        made_at=moments.from_text(content["made_at"]),
        expires_at=None if expires_at is None else moments.from_text(expires_at),
        openings={zone: _openings(kept) for zone, kept in content["openings"].items()},
        goes_on_after=content["goes_on_after"],
        forecast=None if forecast is None else _forecast(forecast),
    )


def _source(kept: Mapping[str, Any], version: int) -> PlaybookSource:
    """Read what the playbook was made of; no plan before version 4 has anything it does not keep."""
    digests = kept["digests"] if version >= _WITH_DIGESTS else {}
    return PlaybookSource(
        kept["path"], kept["text"], {**kept["variables"]}, {**kept["files"]}, {**digests}
    )


def _openings(kept: Sequence[Sequence[str]]) -> tuple[Opening, ...]:
    return tuple(Opening(moments.from_text(start), moments.from_text(end)) for start, end in kept)


def _device(content: Mapping[str, Any]) -> PlannedDevice:
    return msgspec.convert(content, PlannedDevice)


def _forecast(content: Mapping[str, Any]) -> Forecast:
    group, gain, opening = content["worst_group"], content["gain"], content["opening"]
    left = content["left_at_cutoff"]
    return Forecast(
        **{
            **content,
            **{
                name: Spread(**content[name])
                for name in ("ends_at", "peak_down", "requests", "peak_rate")
            },
            "based_on": tuple(content["based_on"]),
            "assumes": tuple(content["assumes"]),
            "verdicts": {name: Spread(**each) for name, each in content["verdicts"].items()},
            "waves": tuple(
                WaveForecast(**{**wave, "ends_at": Spread(**wave["ends_at"])})
                for wave in content["waves"]
            ),
            "opening": None if opening is None else tuple(opening),
            "left_at_cutoff": None if left is None else Spread(**left),
            "worst_group": group and GroupPeak(group["name"], Spread(**group["down"])),
            "bindings": tuple(Binding(**each) for each in content["bindings"]),
            "gain": gain and Gain(**gain),
        }
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


def _write_durably(path: Path, pieces: Iterable[bytes]) -> None:
    # mkstemp makes a file that only its owner can read; beside the target, so that the rename
    # stays within one file system and is therefore one step.
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.writelines(pieces)
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
