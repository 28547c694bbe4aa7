"""What differs between a plan and the same plan made anew, in texts, devices and limits."""

from dataclasses import replace

import pytest

from orchestrator.model.forecasts import Forecast
from orchestrator.model.plans import Plan
from orchestrator.model.playbooks import PlaybookSource
from orchestrator.model.readings import Reading
from orchestrator.planning.drafting.changing import Onlooker, changed_lines, changes, to_do
from orchestrator.planning.drafting.freezing import freeze
from orchestrator.playbook.reading import read_playbook
from tests.support.playbooks import NOW, minimal, record, source

WHERE = "{organization: 123, where: {software_version: {below: '2.5'}}, status: up, limit: 4}"


def told(text, new_text, was=None, now=None):
    before = PlaybookSource("a.yaml", text, files=was or {})
    after = PlaybookSource("a.yaml", new_text, files=now or {})
    return [str(each) for each in changed_lines(before, after)]


def test_the_same_text_has_no_changes():
    assert told("a\nb\n", "a\nb\n", was={"k": "1"}, now={"k": "1"}) == []


@pytest.mark.parametrize(
    ("was", "now", "expected"),
    [
        ("a\nb\nc\n", "a\nB\nc\n", ["a.yaml, line 2 was `b`, is `B`"]),
        ("a\nb\nc\n", "a\nnew\nb\nc\n", ["a.yaml, line 2 is new: `new`"]),
        ("a\nb\nc\n", "a\nc\n", ["a.yaml, line 2 is gone: `b`"]),
        ("a\nb\n", "a\nb\nc\n", ["a.yaml, line 3 is new: `c`"]),
        ("", "a\n", ["a.yaml, line 1 is new: `a`"]),
        ("a\nb\n", "a\r\nb\n", ["a.yaml, line 1 was `'a\\n'`, is `'a\\r\\n'`"]),
        ("a\nb\n", "a\nb", ["a.yaml, line 2 was `'b\\n'`, is `'b'`"]),
        ("a: 1\n", "a: \x1b[2J\n", ["a.yaml, line 1 was `a: 1`, is `a: ?[2J`"]),
    ],
)
def test_the_lines_that_differ_are_named_with_what_was_and_is(was, now, expected):
    assert told(was, now) == expected


def test_only_the_first_three_lines_are_named():
    assert told("a\nb\nc\nd\n", "A\nB\nC\nD\n") == [
        "a.yaml, line 1 was `a`, is `A`",
        "a.yaml, line 2 was `b`, is `B`",
        "a.yaml, line 3 was `c`, is `C`",
    ]


def test_changes_far_apart_are_each_found_where_they_are():
    lines = [f"line {n}" for n in range(100)]
    now = [*lines[:10], "put in", *lines[10:50], "other", *lines[51:80], *lines[81:]]

    assert told("\n".join(lines), "\n".join(now)) == [
        "a.yaml, line 11 is new: `put in`",
        "a.yaml, line 52 was `line 50`, is `other`",
        "a.yaml, line 81 is gone: `line 80`",
    ]


def test_files_are_compared_by_their_name_too():
    assert told("a", "a", was={"k.csv": "1\n2\n"}, now={"k.csv": "1\n3\n"}) == [
        "k.csv, line 2 was `2`, is `3`"
    ]
    assert told("a", "a", was={}, now={"k.csv": "1\n"}) == ["k.csv, line 1 is new: `1`"]


def test_a_huge_file_is_compared_line_by_line_in_no_time():
    was = "".join(f"{n}\n" for n in range(200_000))

    assert told("a", "a", was={"k": was}, now={"k": "x\n" + was + "y\n"})[0] == (
        "k, line 1 was `0`, is `x`"
    )


def plan_of(*records, text: str = "", now=NOW, variables=None) -> Plan:
    kept = source(text or minimal(WHERE), variables=variables)
    return freeze(read_playbook(kept), kept, records, controller="https://c", now=now)


def devices(*numbers, **fields):
    return [record(id=n, serial_number=f"SN{n}", **fields) for n in numbers]


def compared(was, now, listed=(), read=()):
    onlooker = Onlooker(was)
    for each in listed:
        onlooker.see(each)
    for each in onlooker.missing:
        found = next((one for one in read if one.id == each), None)
        onlooker.look_up(Reading(each, found, NOW, NOW))
    return changes(was, now, onlooker)


def test_a_plan_made_anew_of_the_same_records_has_not_changed():
    was, now = plan_of(*devices(1, 2)), plan_of(*devices(1, 2), now=NOW + 60)

    found = compared(was, now, devices(1, 2))

    assert (found.is_any, found.unchanged) == (False, 2)


def test_devices_come_in_and_go_out_each_for_its_reason():
    was = plan_of(*devices(1, 2, 3, 4))
    now = plan_of(*devices(1, 7))
    listed = [*devices(1, 7), *devices(2, software_version="2.6")]

    found = compared(was, now, listed, read=devices(3, status="Down"))

    assert [device.id for device in found.arrived] == [7]
    assert [(each.device.id, each.reason) for each in found.departed] == [
        (2, "software_version is 2.6, not below 2.5"),
        (3, "status is Down, not Up"),
        (4, "its record is gone"),
    ]
    assert found.unchanged == 1
    assert found.is_any


def test_a_device_beyond_the_limit_says_so_and_one_not_looked_up_is_only_not_listed():
    was = plan_of(*devices(1, 2, 3))
    now = plan_of(*devices(1), text=minimal(WHERE.replace("limit: 4", "limit: 1")))
    onlooker = Onlooker(was)
    onlooker.see(devices(2)[0])
    onlooker.see(devices(9)[0])

    found = changes(was, now, onlooker)

    assert onlooker.missing == [1, 3]
    assert [each.reason for each in found.departed] == [
        "it is beyond the limit of 1 devices",
        "the controller does not list it for these filters any more",
    ]


def test_what_changed_of_a_device_is_told_with_was_and_is():
    text = minimal(WHERE, more="rollout: {max_down_per: {location_name: 1}}\n")
    was = plan_of(*devices(1, 2), text=text)
    now = plan_of(
        record(id=1, serial_number="SN7", software_version="2.4.2"),
        record(id=2, serial_number="SN2", location_name="Tacoma"),
        text=text,
    )

    found = compared(was, now, devices(1, 2))

    assert [(each.device.id, [str(v) for v in each.values]) for each in found.changed] == [
        (1, ["serial_number was SN1, is SN7", "software_version was 2.4.1, is 2.4.2"]),
        (2, ["location_name was Seattle North, is Tacoma"]),
    ]
    assert (found.unchanged, found.is_any) == (0, True)


def test_attributes_are_compared_by_name_and_only_those_of_both_plans():
    was = plan_of(*devices(1))
    now = plan_of(
        *devices(1, name="x"),
        text=minimal(
            "{organization: 123, where: {name: {matches: '*'}, software_version: {below: '2.5'}}}"
        ),
    )

    found = compared(was, now, devices(1))

    assert found.changed == ()
    assert found.lines


def test_limits_that_differ_are_named():
    text = minimal(
        more="""
        rollout:
          max_down: 2
          max_down_per: {location_name: 1}
          waves: [1, 2]
          between_waves: {succeeded: 50%}
          stop_when: {failed: 1, failure_rate: 50%, after: 3}
        requests: {delay: 1s, in_flight: 3, per_second: 0.5}
        """
    )
    was, now = plan_of(*devices(1, 2, 3, 4, 5), text=text), plan_of(*devices(1, 2, 3, 4, 5))

    found = compared(was, now, devices(1, 2, 3, 4, 5))

    names = {each.name: (each.was, each.now) for each in found.limits}
    assert names["max_down_per location_name"] == ("1", "not set")
    assert names["waves"] == ("1, 2 x 2", "one")
    assert names["stop_when failed"] == ("1", "not set")
    assert names["stop_when failure_rate"] == ("50% after 3", "not set")
    assert names["delay"][0] == "1s"
    assert names["per_second"][0] == "0.5"
    assert names["devices that must succeed in each wave"][1] == "none"


def test_a_variable_that_differs_is_named():
    text = minimal("{organization: 123, limit: '${n}'}", more="vars: {n: 1}\n")
    was = plan_of(*devices(1), text=text, variables={"n": "1"})
    now = plan_of(*devices(1), text=text)

    [found] = compared(was, now, devices(1)).variables

    assert str(found) == "n was 1, is not known"


def test_what_the_guard_would_let_through_is_to_do():
    plan = plan_of(*devices(1), *devices(2, pending_settings="sync"), *devices(3, is_active=False))

    assert to_do(plan) == 1


def test_a_plan_that_only_checks_has_everybody_to_do():
    text = minimal(steps="- check: {status: up}")

    assert to_do(plan_of(*devices(1, 2, pending_settings="sync"), text=text)) == 2


def test_a_gentle_step_has_its_own_guard():
    text = minimal("{organization: 123}", "- operation: sync")

    assert to_do(plan_of(*devices(1, pending_settings="sync"), text=text)) == 1
    assert (
        to_do(plan_of(*devices(1, pending_settings="sync"), text=minimal("organization: 123"))) == 0
    )


def test_a_forecast_is_no_change():
    was = plan_of(*devices(1))
    figure = None
    now = replace(was, forecast=Forecast(1, NOW, 1, figure, ()), expires_at=NOW, warnings=("x",))

    assert not compared(was, now, devices(1)).is_any


def test_a_device_that_moved_to_another_time_zone_is_told():
    text = minimal(
        more="""
        window:
          opens: "0 1 * * *"
          lasts: 4h
          timezone: UTC
          timezone_field: location_timezone
        """
    )
    was = plan_of(*devices(1, location_timezone="Asia/Tokyo"), text=text)
    now = plan_of(*devices(1), text=text)

    [found] = compared(was, now, devices(1)).changed

    assert [str(each) for each in found.values] == ["time zone was Asia/Tokyo, is the playbook's"]


def test_groups_by_different_fields_are_not_compared():
    was = plan_of(*devices(1), text=minimal(more="rollout: {max_down_per: {location_name: 1}}\n"))
    now = plan_of(*devices(1), text=minimal(more="rollout: {max_down_per: {type: 1}}\n"))

    found = compared(was, now, devices(1))

    assert found.changed == ()
    assert [each.name for each in found.limits] == [
        "max_down_per location_name",
        "max_down_per type",
    ]


def test_a_file_that_differs_in_its_secret_values_only_is_named_without_them():
    before = PlaybookSource("a.yaml", "a", files={"s.csv": "k,***"}, digests={"s.csv": "1f"})
    same = replace(before, digests={"s.csv": "1f"})
    other = replace(before, digests={"s.csv": "2e"})

    assert changed_lines(before, same) == ()
    assert [str(each) for each in changed_lines(before, other)] == [
        "s.csv holds other secret values"
    ]


def test_devices_that_are_still_to_be_created_are_to_do():
    text = source(
        minimal('with: "@sites.csv"', "- create: row\n- update: {debug: true}"),
        files={"sites.csv": "serial_number,type\nSN1,15\nSN9,15\n"},
    )
    plan = freeze(read_playbook(text), text, devices(1), controller="https://c.test", now=NOW)

    assert to_do(plan) == 2


def test_a_device_that_is_part_of_an_outage_by_now_is_gone_for_that_reason():
    text = minimal(
        "{organization: 123, status: down, except_outages_of: location_name,"
        " expect: {at_least: 0}}",
        more="guard: {status: any}\n",
    )
    was = plan_of(record(id=1, status="Down"), text=text)
    down = [record(id=i, status="Down") for i in (1, 2)]

    found = compared(was, plan_of(*down, text=text), listed=down)

    assert [each.reason for each in found.departed] == [
        "its whole place is Down: an outage, not a device"
    ]
