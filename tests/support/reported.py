"""Runs as reports see them, and hostile names for whatever stands in them."""

from dataclasses import replace

from msgspec import structs

from orchestrator.adapters.plans import plan_file
from orchestrator.model.devices import DeviceId
from orchestrator.model.events import RunFinished, RunStarted
from orchestrator.model.forecasts import Forecast, Spread
from orchestrator.model.plans import PlannedDevice
from orchestrator.report.exports.run_report import Audit, RunReport
from orchestrator.report.exports.walks import Walks
from orchestrator.report.summary import Summary
from tests.support import histories
from tests.support.histories import T0
from tests.support.recorded_runs import careful_plan, record

HEAD = "f" * 64

HOSTILE = (
    "<script>alert('x')</script> | `rm -rf` [a](b) @ana =1+1 & \"q\" ]]> \x1b[2J\x00\ufffe\n# x"
)
"""A name that tries to be markup, a cell, a formula, a terminal's command, and not XML at all."""

FORECAST = Forecast(
    campaigns=50,
    begins_at=T0,
    devices=20,
    ends_at=Spread(T0 + 1_000, T0 + 1_500, T0 + 2_000),
    based_on=("20 device runs of factory in 2 earlier runs",),
    verdicts={"succeeded": Spread(19, 20, 20), "unconfirmed": Spread(1, 1, 2)},
    peak_down=Spread(4, 5, 5),
    requests=Spread(40, 42, 44),
)


def reported(*events, run_id="night-1", plan=None, driven=False, sound=True, **given) -> RunReport:
    """Fold events into a report, with the names of a plan or with what `Summary` is given."""
    summary = Summary(**given) if plan is None else Summary.of(plan)
    walks = Walks()
    for event in events:
        summary.after(event)
        walks.after(event)
    audit = Audit(HEAD, len(events), keyed=sound is None, sound=sound)
    return RunReport(run_id, summary, audit, walks, driven)


def careful_report(*more, **given) -> RunReport:
    """Give the campaign of two waves with everything that may happen to it."""
    plan = replace(careful_plan(), forecast=FORECAST)
    return reported(*histories.careful_story(), *more, plan=plan, **given)


ENDED = RunFinished(T0 + 1_700, {})


def hostile_report() -> RunReport:
    """Give a run in which every word from outside is hostile."""
    started = structs.replace(
        histories.run_started(devices=2),
        playbook=HOSTILE,
        started_by=HOSTILE,
        host=HOSTILE,
        controller=HOSTILE,
    )
    return reported(
        started,
        histories.intended(1),
        histories.finished(1, verdict="failed", reason=HOSTILE),
        histories.finished(2, verdict="skipped", reason=HOSTILE),
        run_id=HOSTILE,
        planned={n: PlannedDevice(DeviceId(n), HOSTILE, HOSTILE, location=HOSTILE) for n in (1, 2)},
        titles=("factory",),
    )


def record_with(runs_dir, plan, events, **given):
    """Leave a run behind whose journal was begun with this plan, as the program does it."""
    digest = plan_file.digest(plan)
    events = [
        structs.replace(event, plan_digest=digest) if isinstance(event, RunStarted) else event
        for event in events
    ]
    return record(runs_dir, events, plan=plan, **given)
