"""The drawing board: plans made, foreseen, read from files, and made again after a run."""

import random
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from anyio import to_thread

from orchestrator.adapters.machine.system_clock import SystemClock
from orchestrator.adapters.plans import plan_file
from orchestrator.adapters.plans.kept_playbook import source_now
from orchestrator.adapters.plans.taken_plans import (
    Following,
    check_untaken,
    taken_up_after,
    where_to_go_on,
)
from orchestrator.adapters.runs.earlier_runs import experience
from orchestrator.adapters.runs.ended_run import read_ended
from orchestrator.adapters.runs.run_folder import RunFolder, RunsFolder
from orchestrator.bootstrap import (
    check_age,
    check_controller,
    connected,
    memory_of,
    why_untold,
)
from orchestrator.model.device_sets import DeviceSet
from orchestrator.model.devices import DeviceId
from orchestrator.model.errors import RunError
from orchestrator.model.forecasts import Forecast, WhatIf
from orchestrator.model.plans import LeftOut, Plan
from orchestrator.model.playbooks import Playbook, PlaybookSource
from orchestrator.model.selections import Expectation
from orchestrator.model.steps import RequestStep
from orchestrator.model.verdicts import Verdict
from orchestrator.planning.drafting.allowing import remembered
from orchestrator.planning.drafting.changing import Onlooker, changed_lines
from orchestrator.planning.drafting.following import Now, chosen, follow, records_of
from orchestrator.planning.foresight.experiencing import Experience
from orchestrator.planning.foresight.foreseeing import campaigns_for, foresee
from orchestrator.planning.foresight.supposing import Supposition, suppose
from orchestrator.planning.tallying import EXAMPLES, Tally, counted
from orchestrator.planning.timing import timed
from orchestrator.playbook import composing
from orchestrator.playbook.faults import Faults
from orchestrator.playbook.loading import load_playbook
from orchestrator.runtime.rereading import reread
from orchestrator.runtime.surveying import survey
from orchestrator.settings import Settings

_QUICKLY = 20_000
"""Device walks that are foreseen before a run that nobody planned: a few seconds."""


@dataclass(frozen=True, slots=True)
class Surveyed:
    """A plan without its forecast, and what that is made from."""

    plan: Plan
    experience: Experience


async def make_plan(settings: Settings, playbook: Path, variables: Mapping[str, str]) -> Plan:
    """Read the playbook and the inventory (GETs only) and freeze the device set; without a forecast.

    Raises PlaybookError, SelectionError, SettingsError or ControllerError.
    """
    return (await survey_plan(settings, playbook, variables)).plan


async def survey_plan(
    settings: Settings,
    playbook: Path,
    variables: Mapping[str, str],
    *,
    lifetime: float | None = None,
    may_be_empty: bool = False,
    onlooker: Onlooker | None = None,
) -> Surveyed:
    """Make a plan as `make_plan` does, and give with it what earlier runs teach.

    With `may_be_empty` a choice of no device is a plan too, unless the playbook itself says how many
    it expects. An onlooker is shown every record that is judged (`survey`).
    """
    read, source = load_playbook(playbook, variables)
    source = _found_anywhere(source)
    learnt = await to_thread.run_sync(partial(_experience, settings, read))
    memory, unread = await to_thread.run_sync(memory_of, settings, read)
    asked = _expecting_nothing(read) if may_be_empty and not _says_how_many(source) else read
    async with connected(settings, read.requests) as (controller, clock):
        plan = await survey(
            asked,
            source,
            controller,
            clock,
            base_url=settings.base_url,
            page_size=settings.page_size,
            measured=learnt.measured(),
            lifetime=settings.plan_lifetime if lifetime is None else lifetime,
            onlooker=onlooker,
            memory=memory,
        )
    untold = why_untold(settings, read)
    warnings = (*plan.warnings, *unread, *(() if untold is None else (untold,)))
    return Surveyed(replace(plan, playbook=read, warnings=warnings), learnt)


def _found_anywhere(source: PlaybookSource) -> PlaybookSource:
    """Name the playbook so that a table whose secrets are read again is found from any folder."""
    if not source.digests or source.is_made:
        return source
    return replace(source, path=str(Path(source.path).resolve()))


async def retry_plan(settings: Settings, reference: str, verdicts: Collection[Verdict]) -> Surveyed:
    """Plan again for the devices that a run left with these verdicts, each from where it stopped.

    A device that another run has taken up since is left out: that run is the one to go on after.
    Only GETs are sent, and none when there is nobody to plan for: then the plan has no devices, and
    says why. Raises RunError when the run is not over or others have taken up all, JournalError when
    its journal cannot be believed, SelectionError when the playbook's window cannot serve, or
    ControllerError.
    """
    runs = RunsFolder(settings.runs_dir)
    folder = runs.find(reference)
    key = settings.audit_key_bytes
    ended = await to_thread.run_sync(partial(read_ended, folder, key))
    before = ended.plan
    check_controller(settings, before, f"run {folder.run_id}")
    taken = await to_thread.run_sync(taken_up_after, runs, folder.run_id, before.controller)
    wanted = chosen(before, ended.left, verdicts)
    known_as = {device: ended.left[device].record or device for device in wanted}
    gone_on = {
        device: taken[each]
        for device, record in known_as.items()
        for each in (device, record)  # one that was created is taken up by its record's id
        if each in taken
    }
    devices = [device for device in wanted if device not in gone_on]
    if gone_on and not devices:
        raise _all_taken_up(runs, folder.run_id, gone_on)
    learnt = await to_thread.run_sync(partial(_experience, settings, before.playbook))
    if devices:
        async with connected(settings, before.playbook.requests) as (controller, clock):
            now = await reread(
                before.playbook,
                records_of(before, ended.left, devices),
                controller,
                clock,
                listed=before.listed,
                page_size=settings.page_size,
            )
    else:
        at = SystemClock(settings.speed).now()
        now = Now({}, at, at)
    plan = follow(
        _without(before, gone_on),
        folder.run_id,
        ended.left,
        verdicts,
        now,
        measured=learnt.measured(),
        lifetime=settings.plan_lifetime,
    )
    memory, unread = await to_thread.run_sync(memory_of, settings, before.playbook)
    plan = remembered(plan, memory)
    untold = why_untold(settings, before.playbook)
    note = f"the audit log of run {folder.run_id} is {ended.note}" if ended.note else None
    notes = (each for each in (untold, note) if each is not None)
    warnings = (*plan.warnings, *unread, *notes)
    left_out = _left_out(plan, gone_on)
    made = replace(plan, warnings=warnings, left_out=left_out, listed=len(before.devices))
    return Surveyed(made, learnt)


def _without(plan: Plan, devices: Collection[DeviceId]) -> Plan:
    if not devices:
        return plan
    kept = DeviceSet(device for device in plan.devices if device.id not in devices)
    return replace(plan, devices=kept)


def _left_out(plan: Plan, gone_on: Mapping[DeviceId, RunFolder]) -> tuple[LeftOut, ...]:
    """Give whom a plan leaves out, and beside them those whom other runs have taken up."""
    by_run: dict[str, Tally] = {}
    for device, folder in gone_on.items():
        tally = by_run.setdefault(folder.run_id, Tally())
        tally.count += 1
        if len(tally.examples) < EXAMPLES:
            tally.examples.append(str(device))
    taken = [
        LeftOut(f"was taken up by run {run}; retry that one", each.count, tuple(each.examples))
        for run, each in by_run.items()
    ]
    found = (*plan.left_out, *taken)
    return tuple(sorted(found, key=lambda reason: (-reason.count, reason.reason)))


def _all_taken_up(runs: RunsFolder, run_id: str, gone_on: Mapping[DeviceId, RunFolder]) -> RunError:
    takers = Counter(folder.run_id for folder in gone_on.values())
    folders = {folder.run_id: folder for folder in gone_on.values()}
    names = " and ".join(takers)
    told = f"{counted(len(gone_on), 'device')} of run {run_id} that could be tried again"
    told += f" {'was' if len(gone_on) == 1 else 'were'} taken up by"
    hints = "; ".join(where_to_go_on(runs, folders[run]) for run in takers)
    return RunError(f"{told} {'run' if len(takers) == 1 else 'runs'} {names} already; {hints}")


def _experience(settings: Settings, playbook: Playbook) -> Experience:
    steps = (step for step in playbook.all_steps if isinstance(step, RequestStep))
    return experience(
        settings.runs_dir,
        playbook.name,
        settings.audit_key_bytes,
        controller=settings.base_url,
        operations=tuple(dict.fromkeys(timed(step) for step in steps)),
    )


def _says_how_many(source: PlaybookSource) -> bool:
    """Tell whether the text of a playbook that was read has an `expect` of its own."""
    root = composing.compose(source.text.removeprefix("\ufeff"), Faults(source.path, source.text))
    devices = root.get("devices") if isinstance(root, composing.Mapping) else None
    return isinstance(devices, composing.Mapping) and devices.get("expect") is not None


def _expecting_nothing(playbook: Playbook) -> Playbook:
    return replace(playbook, selection=replace(playbook.selection, expect=Expectation(at_least=0)))


def foresee_plan(surveyed: Surveyed, *, campaigns: int | None = None) -> Plan:
    """Give the plan with its forecast: so many campaigns in virtual time, None as many as its size
    allows, 0 none at all. Takes up to a minute of computing.
    """
    plan = surveyed.plan
    if campaigns == 0 or not plan.devices:
        return plan
    return replace(plan, forecast=_foreseen(plan, surveyed.experience, campaigns))


def foresee_quickly(surveyed: Surveyed) -> Plan:
    """Give the plan with a forecast of fewer campaigns, where that takes seconds only; else without."""
    devices = len(surveyed.plan.devices)
    campaigns = campaigns_for(devices, _QUICKLY) if devices <= _QUICKLY else 0
    return foresee_plan(surveyed, campaigns=campaigns)


def foresee_what_ifs(
    surveyed: Surveyed, asked: Sequence[Supposition], *, campaigns: int | None = None
) -> list[WhatIf]:
    """Foresee the same plan with something changed, once for each thing supposed.

    The same chance meets them all, so that they differ by what is supposed only. Raises WhatIfError
    when the plan has nothing that could be changed so.
    """
    supposed = [suppose(surveyed.plan, surveyed.experience, each) for each in asked]
    return [
        WhatIf(each.label, _foreseen(plan, learnt, campaigns))
        for each, (plan, learnt) in zip(asked, supposed, strict=True)
    ]


def _foreseen(plan: Plan, learnt: Experience, campaigns: int | None) -> Forecast:
    def chances(seed: int) -> Callable[[], float]:
        return random.Random(seed).random

    return foresee(plan, learnt, chances, begins_at=plan.made_at, campaigns=campaigns)


def plan_to_run(settings: Settings, path: Path) -> Plan:
    """Read a plan from a file, if it may be carried out now with these settings.

    Raises RunError in one sentence, with what differs, when it is not what was made, is of another
    version or controller, has expired, was carried out already, goes on after a run of which another
    run has taken up the devices since, or its playbook has changed.
    """
    stored = plan_file.read_current(path)
    plan = stored.plan
    check_controller(settings, plan, f"the plan {path}")
    check_age(plan, f"the plan {path}", SystemClock().now())
    check_not_taken(settings, stored, path)
    # One that goes on has the run's playbook, whatever became of it; a made one stands in the plan.
    if plan.goes_on_after is None and not plan.source.is_made:
        _check_playbook(plan, path)
    return plan


def check_not_taken(settings: Settings, stored: plan_file.StoredPlan, path: Path) -> None:
    """Return only if nobody has carried the plan in this file out, nor taken up a device of it.

    Raises RunError with how to go on with it.
    """
    check_untaken(
        settings.locks_dir,
        RunsFolder(settings.runs_dir),
        stored.digest,
        what=f"the plan {path}",
        following=Following.of(stored.plan),
    )


def _check_playbook(plan: Plan, path: Path) -> None:
    found = changed_lines(plan.source, source_now(plan.source, path))
    if found:
        told = "".join(f"\n  {each}" for each in found)
        raise RunError(
            f"the playbook of the plan {path} has changed since the plan was made;"
            f" put it back or make a new plan:{told}"
        )
