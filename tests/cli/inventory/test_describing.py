"""One record as a person reads it: in groups, whole, and without what is secret."""

from orchestrator.cli.inventory import describing
from orchestrator.model.readings import Testimony as Told
from tests.support.playbooks import NOW, record


def test_a_record_is_shown_in_groups_in_their_order():
    groups = describing.groups_of(record(update_frequency=300, site_code="N1"), NOW)

    assert list(groups) == [
        "identity",
        "state",
        "contacts",
        "place",
        "firmware",
        "pending",
        "other",
    ]
    assert ("id", "1001") in groups["identity"]
    assert ("update_frequency", "300 s") in groups["contacts"]
    assert groups["other"] == [("site_code", "N1")]


def test_a_moment_is_told_with_its_age():
    groups = describing.groups_of(record(last_connection="2026-09-21T14:10:20Z"), NOW)

    assert ("last_connection", "2026-09-21 14:10:20Z, 3m ago") in groups["contacts"]


def test_what_is_empty_or_a_flag_reads_well():
    state = dict(describing.groups_of(record(status_change=None, debug=False), NOW)["state"])

    assert state["status_change"] == "-"
    assert state["is_active"] == "yes"
    assert state["debug"] == "no"


def test_nothing_secret_is_shown_or_given_to_programs():
    device = record(password="hush", username="me", wifi_password="hush")

    shown = "\n".join(describing.lines_of(describing.groups_of(device, NOW)))
    told = describing.as_object(device)

    assert "hush" not in shown
    assert told["wifi_password"] == "***"
    assert "password" not in told


def test_lines_are_aligned_below_their_head():
    lines = list(describing.lines_of({"identity": [("id", "7")], "log": [("last command", "-")]}))

    assert lines == [
        "identity",
        "  id                          7",
        "",
        "log",
        "  last command                -",
    ]


def test_the_log_says_what_it_knows():
    facts = dict(describing.testimony_of(Told(up_time=90.0, applied=True), NOW))

    assert facts["last command"] == "applied"
    assert facts["booted after it"] == "nothing is known"
    assert facts["up for"] == "1m30s"


def test_settings_are_sorted_and_masked():
    assert describing.values_of({"b": 1, "a_password": "x"}) == [("a_password", "***"), ("b", "1")]
