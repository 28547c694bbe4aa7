"""A run as a JUnit test suite: each device is a test case, each wave a suite within the suite."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from xml.etree.ElementTree import Element, SubElement, tostring
from xml.sax.saxutils import quoteattr

from orchestrator.model import moments
from orchestrator.model.verdicts import Verdict
from orchestrator.report.exports.run_report import DeviceReport, RunReport
from orchestrator.report.standing import in_short
from orchestrator.report.wording import in_words, printable

_ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot hold, not even escaped."""
_ELEMENTS: Mapping[str | None, str | None] = {
    Verdict.SUCCEEDED.value: None,
    Verdict.ALREADY_OK.value: None,
    Verdict.FAILED.value: "failure",
    Verdict.UNCONFIRMED.value: "failure",
    Verdict.IN_DOUBT.value: "error",
    Verdict.SKIPPED.value: "skipped",
    Verdict.DEFERRED.value: "skipped",
    Verdict.NOT_STARTED.value: "skipped",
    None: "skipped",
}


@dataclass(slots=True)
class _Tally:
    tests: int = 0
    failures: int = 0
    errors: int = 0
    skipped: int = 0
    milliseconds: int = 0

    def count(self, device: DeviceReport) -> None:
        self.tests += 1
        self.milliseconds += _milliseconds(device)
        match _element(device.verdict):
            case "failure":
                self.failures += 1
            case "error":
                self.errors += 1
            case "skipped":
                self.skipped += 1
            case _:
                pass

    def attributes(self) -> dict[str, str]:
        return {
            "tests": str(self.tests),
            "failures": str(self.failures),
            "errors": str(self.errors),
            "skipped": str(self.skipped),
            "time": _time(self.milliseconds),
        }


def as_junit(report: RunReport) -> Iterator[str]:
    """Give the document piece by piece.

    `succeeded` and `already_ok` pass, `failed` and `unconfirmed` are failures, `in_doubt` is an
    error, whatever had no turn or has no verdict yet is skipped. The time of a suite is that of its
    cases together, as CI systems add it.
    """
    whole, waves = _tallied(report)
    run = {"name": report.run_id, **whole.attributes()}
    yield '<?xml version="1.0" encoding="UTF-8"?>\n'
    yield _tag("testsuites", {key: value for key, value in run.items() if key != "skipped"})
    yield _tag("testsuite", {**run, **_beginning(report)})
    yield _properties(report)
    for number, devices in groupby(report.devices(), attrgetter("wave")):
        if number is not None:
            yield _tag("testsuite", {"name": f"wave {number}", **waves[number].attributes()})
        for device in devices:
            yield _case(report, device)
        if number is not None:
            yield "</testsuite>\n"
    yield "</testsuite>\n</testsuites>\n"


def _tallied(report: RunReport) -> tuple[_Tally, dict[int | None, _Tally]]:
    whole = _Tally()
    waves: dict[int | None, _Tally] = {}
    for device in report.devices():
        whole.count(device)
        waves.setdefault(device.wave, _Tally()).count(device)
    return whole, waves


def _beginning(report: RunReport) -> dict[str, str]:
    started = report.summary.started
    if started is None:
        return {}
    # The schema's moments have no zone and whole seconds only.
    return {"timestamp": moments.as_text(started.at)[:19], "hostname": started.host}


def _properties(report: RunReport) -> str:
    summary, audit = report.summary, report.audit
    facts = {"run": report.run_id, "state": in_short(summary, driven=report.driven)}
    started = summary.started
    if started is not None:
        facts |= {
            "playbook": started.playbook,
            "controller": started.controller,
            "started_by": started.started_by,
            "started_at": moments.as_text(started.at),
        }
    if summary.finished_at is not None:
        facts["finished_at"] = moments.as_text(summary.finished_at)
    facts |= {"head": audit.head, "audit": str(audit)}
    properties = Element("properties")
    for name, value in facts.items():
        SubElement(properties, "property", name=name, value=_legal(value))
    return _written(properties)


def _case(report: RunReport, device: DeviceReport) -> str:
    started = report.summary.started
    case = Element(
        "testcase",
        name=_legal(device.title),
        classname=_legal(started.playbook if started is not None else report.run_id),
        time=_time(_milliseconds(device)),
    )
    element = _element(device.verdict)
    if element is not None:
        verdict = "no verdict yet" if device.verdict is None else in_words(device.verdict)
        message = f"{verdict}: {device.reason}" if device.reason else verdict
        end = SubElement(case, element, message=_legal(message))
        if element != "skipped":
            end.set("type", _legal(device.verdict or ""))
            end.text = _legal(f"{device.where}: {message}" if device.where else message)
    return _written(case)


def _element(verdict: str | None) -> str | None:
    """Say what a verdict is to CI systems; one that is not known to us needs to be looked at."""
    return _ELEMENTS.get(verdict, "error")


def _milliseconds(device: DeviceReport) -> int:
    return 0 if device.seconds is None else round(device.seconds * 1000)


def _time(milliseconds: int) -> str:
    return f"{milliseconds // 1000}.{milliseconds % 1000:03d}"


def _tag(name: str, attributes: Mapping[str, str]) -> str:
    written = "".join(f" {key}={quoteattr(_legal(value))}" for key, value in attributes.items())
    return f"<{name}{written}>\n"


def _written(element: Element) -> str:
    return tostring(element, encoding="unicode") + "\n"


def _legal(text: str) -> str:
    return printable(_ILLEGAL.sub("", text))
