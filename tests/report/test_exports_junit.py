"""A run as JUnit XML: what CI systems count is what came of the devices."""

from xml.etree import ElementTree as ET

import pytest

from orchestrator.report.exports.as_junit import as_junit
from tests.support.histories import T0, finished, intended, run_started
from tests.support.reported import ENDED, careful_report, hostile_report, reported

REQUIRED = {
    "testsuites": {"name", "tests", "failures", "errors", "time"},
    "testsuite": {"name", "tests", "failures", "errors", "skipped", "time"},
    "testcase": {"name", "classname", "time"},
    "property": {"name", "value"},
    "failure": {"message", "type"},
    "error": {"message", "type"},
    "skipped": {"message"},
    "properties": set(),
}
MAY_HOLD = {
    "testsuites": {"testsuite"},
    "testsuite": {"properties", "testsuite", "testcase"},
    "properties": {"property"},
    "testcase": {"failure", "error", "skipped"},
}
OPTIONAL = {"testsuite": {"timestamp", "hostname"}}


def parsed(report):
    root = ET.fromstring("".join(as_junit(report)))
    assert root.tag == "testsuites"
    for element in root.iter():
        assert {child.tag for child in element} <= MAY_HOLD.get(element.tag, set())
        required = REQUIRED[element.tag]
        assert required <= set(element.keys()) <= required | OPTIONAL.get(element.tag, set())
    for suite in (root, *root.iter("testsuite")):
        hold_against_its_cases(suite)
    return root


def hold_against_its_cases(suite):
    cases = list(suite.iter("testcase"))
    assert int(suite.get("tests")) == len(cases)
    for attribute, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        if suite.get(attribute) is not None:
            assert int(suite.get(attribute)) == sum(case.find(tag) is not None for case in cases)
    milliseconds = sum(round(float(case.get("time")) * 1000) for case in cases)
    assert round(float(suite.get("time")) * 1000) == milliseconds


def properties(root):
    return {each.get("name"): each.get("value") for each in root.iter("property")}


def ended(verdict, reason="why"):
    events = [run_started(devices=1), intended(1), finished(1, verdict=verdict, reason=reason)]
    return parsed(reported(*events)).find(".//testcase")


def test_a_campaign_is_a_suite_with_a_suite_for_each_wave():
    root = parsed(careful_report(ENDED))

    (suite,) = root
    assert suite.get("name") == "night-1"
    assert [each.get("name") for each in suite.findall("testsuite")] == [
        "wave 1",
        "wave 2",
        "wave 3",
    ]
    assert [len(each) for each in suite.findall("testsuite")] == [2, 6, 12]
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("20", "2", "13")
    assert suite.get("time") == "1115.000"


def test_without_waves_the_cases_stand_in_the_suite_itself():
    (suite,) = parsed(reported(run_started(), finished(1), finished(2)))

    assert suite.find("testsuite") is None
    assert len(suite.findall("testcase")) == 2


def test_times_that_are_no_whole_milliseconds_add_up():
    events = [e for n in range(7) for e in (intended(n, at=T0), finished(n, at=T0 + 1.2504))]

    assert parsed(reported(run_started(devices=7), *events)).get("time") == "8.750"


def test_a_device_is_a_case_with_the_same_name_in_every_run():
    case = parsed(careful_report()).find(".//testcase")

    assert (case.get("name"), case.get("classname")) == ("device 1 (ZN1)", "redeploy")
    assert case.get("time") == "140.000"


def test_a_suite_says_what_run_it_is():
    root = parsed(careful_report(ENDED))
    told = properties(root)

    assert (told["run"], told["playbook"], told["head"]) == ("night-1", "redeploy", "f" * 64)
    assert told["controller"] == "https://control.example.com/api/v1"
    assert told["finished_at"] == "2026-11-22T04:43:20.250000Z"
    assert root[0].get("timestamp") == "2026-11-22T04:15:00"
    assert root[0].get("hostname") == "noc-1"


@pytest.mark.parametrize(
    ("verdict", "tag"),
    [
        ("failed", "failure"),
        ("unconfirmed", "failure"),
        ("in_doubt", "error"),
        ("skipped", "skipped"),
        ("deferred", "skipped"),
        ("not_started", "skipped"),
        ("a verdict of tomorrow", "error"),
    ],
)
def test_a_verdict_is_what_a_ci_system_calls_it(verdict, tag):
    (end,) = ended(verdict)

    assert end.tag == tag
    assert end.get("message") == f"{verdict.replace('_', ' ')}: why"
    if tag != "skipped":
        assert (end.get("type"), end.text) == (verdict, f"step 1: {end.get('message')}")


def test_a_success_is_a_case_with_nothing_in_it():
    assert list(ended("succeeded")) == []


def test_a_device_without_a_verdict_is_skipped_so_far():
    report = reported(run_started(devices=1), intended(1), driven=True)

    (end,) = parsed(report).find(".//testcase")

    assert (end.tag, end.get("message")) == ("skipped", "no verdict yet")


def test_hostile_names_are_text_and_what_xml_cannot_hold_is_gone():
    root = parsed(hostile_report())
    case = root.find(".//testcase")

    assert case.get("name").startswith("device 1 (<script>alert('x')</script> | `rm -rf`")
    assert "]]>" in case.find("failure").text
    assert "\x00" not in "".join(as_junit(hostile_report()))
    assert root[0].get("name").endswith("]]> [2J # x")
    assert set(root.iter("script")) == set()


def test_a_run_that_never_got_far_is_a_suite_without_cases():
    root = parsed(reported(run_started(devices=0)))

    assert (root.get("tests"), root.get("time")) == ("0", "0.000")


def test_what_was_already_ok_passes():
    assert list(ended("already_ok", "")) == []
