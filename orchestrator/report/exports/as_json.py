"""A run's report as one JSON document for programs; its devices stand last, one on each line."""

import json
from collections.abc import Iterator

from orchestrator.model import moments
from orchestrator.report.exports import foresight
from orchestrator.report.exports.run_report import DeviceReport, RunReport, before
from orchestrator.report.tables import as_json as summary_object

VERSION = 1
"""Raised when a key changes its meaning or goes; new keys may come without that."""

KEYS = {
    "version": "the version of this document",
    "run": "the run's id",
    "state": "where it stands: finished, stopped, running, interrupted, ...",
    "standing": "the same in a few words for people",
    "playbook": "its playbook's name",
    "controller": "the base URL of its controller",
    "started_by": "who started it",
    "host": "on which machine",
    "started_at": "when it began",
    "last_event_at": "its newest event",
    "finished_at": "when the last device had its verdict; null before",
    "seconds": "from its beginning to its end; null before",
    "stopped": "cause and detail of what stopped it; null when nothing did",
    "interrupted": "why nobody drives it; null when that is not so",
    "paused": "cause and detail of what makes it pause now; null when nothing does",
    "total": "how many devices it has",
    "finished": "how many of them have a verdict",
    "verdicts": "devices by verdict, all verdicts named",
    "down": "devices out of service through the run at the end",
    "peak_down": "most of them at once",
    "max_down": "what the plan allows; null without the plan",
    "max_down_now": "the same, a person's order considered",
    "requests": "operation requests by what became of them",
    "retries": "attempts that were scheduled again",
    "pauses": "how often the controller made it pause",
    "resumes": "how often it was taken up again",
    "interruptions": "how often it was interrupted",
    "forgiven": "devices that went on after a step without success",
    "rescued": "devices that went into the rescue",
    "rescues_completed": "devices that came through it",
    "waves": "the waves that were begun, each with its gate",
    "waves_in_all": "the waves of the plan; null without waves or the plan",
    "budget": "how much of each budget is spent",
    "limits_changed": "limits that are not the plan's, by name",
    "windows": "the openings there were, by zone",
    "next_opening_at": "when the window opens next; null when it is open or never does",
    "asked": "what a person has not answered yet",
    "orders": "who ordered, approved or changed what, and why",
    "notifications": "messages to people: sent, failed, the last failure",
    "steps": "for each step: devices, and seconds from its request to its proof",
    "forecast": "what the plan foresaw with what came of it; null without a forecast",
    "audit": "the journal's head, its number of events, keyed, and sound (null: not checked)",
    "devices": "every device, in the plan's order",
}
"""Every key of the document; moments are ISO 8601 in UTC, durations seconds, unknown things null."""

DEVICE_KEYS = {
    "device": "its id",
    "serial_number": "as the plan has it, like the next two",
    "name": "what the controller calls it",
    "location": "where it stands",
    "wave": "the wave it belongs to, from 1; null without waves or the plan",
    "verdict": "how it ended; null before",
    "step": "where it ended or is, from 0; null when it has not begun",
    "step_title": "the same in words, from 1",
    "reason": "why it ended so, or what it waits for; empty when there is nothing to say",
    "began_at": "the first thing that happened to it; null when it never had its turn",
    "ended_at": "its verdict",
    "seconds": "between the two",
    "attempts": "operation requests for it, those that were tried again included",
    "record": "its id at the controller, another than `device` if it was created or found again;"
    " null as long as it has none",
    "status_before": "what its record said right before the first request; null before, or unknown",
    "status_change_before": "since when, as the record said then",
    "last_connection_before": "when the controller had last heard of it by then",
    "pending_before": "what was pending by then: names with commas between them, or none",
}
"""Every key of a device."""


def as_json(report: RunReport) -> Iterator[str]:
    """Give the document piece by piece; however many devices there are, none waits in memory."""
    head = json.dumps(_head(report), indent=2)
    yield head.removesuffix("\n}") + ',\n  "devices": ['
    between = "\n    "
    for device in report.devices():
        yield between + json.dumps(_device(device))
        between = ",\n    "
    yield "\n  ]\n}\n"


def _head(report: RunReport) -> dict[str, object]:
    told = summary_object(report.summary, run_id=report.run_id, driven=report.driven)
    audit = report.audit
    told |= {
        "version": VERSION,
        "seconds": _seconds(report.seconds),
        "total": report.summary.total,
        "forecast": foresight.as_object(report.summary),
        "audit": {
            "head": audit.head,
            "events": audit.events,
            "keyed": audit.keyed,
            "sound": audit.sound,
        },
    }
    return {key: told[key] for key in KEYS if key != "devices"}


def _device(device: DeviceReport) -> dict[str, object]:
    return {
        "device": device.device,
        "serial_number": device.serial_number,
        "name": device.name,
        "location": device.location,
        "wave": device.wave,
        "verdict": device.verdict,
        "step": device.step,
        "step_title": device.where or None,
        "reason": device.reason,
        "began_at": _moment(device.began_at),
        "ended_at": _moment(device.ended_at),
        "seconds": _seconds(device.seconds),
        "attempts": device.attempts,
        "record": device.record,
        **before(device),
    }


def _moment(moment: float | None) -> str | None:
    return None if moment is None else moments.as_text(moment)


def _seconds(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)
