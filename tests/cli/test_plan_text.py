"""A plan as people and programs read it."""

import json
from dataclasses import replace

import msgspec
import pytest

from orchestrator.cli import plan_steps, plan_text, screen
from orchestrator.model.devices import DeviceId
from orchestrator.model.operations import Action
from orchestrator.model.steps import CheckStep, RecordStep, SleepStep, default_proof
from orchestrator.model.windows import Opening
from orchestrator.planning.drafting.freezing import freeze
from orchestrator.playbook.reading import read_playbook
from tests.support.playbooks import NOW, minimal, record, source
from tests.support.recorded_runs import plan_of

MANY = tuple(range(1001, 1301))


def full(plan, *, everyone=False):
    return "\n".join(plan_text.full(plan, everyone=everyone))


def brief(plan):
    return "\n".join(plan_text.brief(plan))


STEPS = """
- operation: factory
  proof: {within: 25m}
- approve: {question: Did the first come back?, by: another}
- operation: reconf
  continue_on: [failed, unconfirmed]
- check: {status: up}
  within: 5m
  continue_on: unconfirmed
- notify: one more is done
- sleep: 30s
"""
RESCUE = "rescue:\n  - operation: sync\n"
TOLD = "notify: {to: noc-chat}\n"
WAVES = """
  waves: [1, 10, 100%]
  between_waves: {soak: 5m, succeeded: 95%, approval: true}
"""
WINDOW = """
window:
  opens: "0 1 * * sat"
  lasts: 4h
  timezone: America/Mexico_City
"""


def made(
    more="",
    *,
    count=200,
    devices="organization: 123",
    steps="- operation: reboot",
    fields=lambda _number: {},
):
    text = source(minimal(devices, steps, more))
    records = [
        record(**{"id": number, "serial_number": f"SN{number}", **fields(number)})
        for number in range(1, count + 1)
    ]
    return freeze(read_playbook(text), text, records, controller="https://c/api/v1", now=NOW)


def rollout(lines, **given):
    return made(f"rollout:\n{lines.rstrip()}\n", **given)


def section(plan, label, told=brief):
    """Give the folded lines of one section as one line."""
    lines = told(plan).splitlines()
    begin = next(place for place, line in enumerate(lines) if line.startswith(f"  {label} "))
    found = [lines[begin][12:]]
    for line in lines[begin + 1 :]:
        if not line.startswith(" " * 12):
            break
        found.append(line[12:])
    return " ".join(found)


def test_every_kind_of_step_says_what_it_does_to_a_device():
    plan = made(RESCUE + TOLD, steps=STEPS)

    assert section(plan, "steps") == (
        "1. factory: at most 4 attempts, proof within 25m"
        " 2. approve: Did the first come back? (by another person)"
        " 3. reconf: at most 4 attempts; goes on when failed or unconfirmed"
        " 4. check status: within 5m; goes on when unconfirmed"
        " 5. notify: one more is done"
        " 6. sleep 30s"
        " between 1 and 3 a device is finished even if the run is stopped"
    )
    assert section(plan, "rescue") == (
        "7. sync: at most 4 attempts only for a device whose step ended failed or unconfirmed"
    )


def test_each_chain_is_named():
    steps = "".join(f"- operation: {word}\n" for word in ["factory", "sync", "factory", "reconf"])

    told = section(made(steps=steps), "steps")

    assert "between 1 and 2 a device" in told
    assert "between 3 and 4 a device" in told
    assert told.count("between") == 2


def test_waves_are_numbers_and_so_is_what_stands_between_them():
    assert section(rollout(WAVES), "waves") == (
        "3 waves: 1, 10, 189 devices"
        " between them: 5m soak, at least 95% (1, 10) succeeded, approval"
    )


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ("  waves: [1, 10, 100%]", "3 waves: 1, 10, 189 devices between them: nothing is asked"),
        ("  waves: [100%]", "1 wave of all 200 devices"),
        ("  waves: [1]", "200 waves: 1 (200 times) device between them: nothing is asked"),
        (
            "  waves: [3, 10]\n  between_waves: {succeeded: 9, approval: {by: another}}",
            (
                "21 waves: 3, 10 (19 times), 7 devices between them: at least 9 (3, 9 (19 times))"
                " succeeded, approval by another person"
            ),
        ),
        (
            "  waves: [1, 2, 3, 4, 5, 6, 7, 8, 100%]",
            "9 waves: 1, 2, 3, 4, 5, 6, ... devices between them: nothing is asked",
        ),
        (
            "  waves: [4, 100%]\n  spread_by: [type, name]",
            (
                "2 waves: 4, 196 devices between them: nothing is asked"
                " the first holds at least one device of each kind by type, name"
            ),
        ),
    ],
)
def test_waves_in_every_form(lines, told):
    assert section(rollout(lines), "waves") == told


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (
            "  stop_when: {failed: 5, unconfirmed: 5%, in_doubt: 0}",
            (
                "when more than 5 failed, more than 10 unconfirmed or any in doubt"
                " never more than 1 device under way (strict)"
            ),
        ),
        (
            "  stop_when: {failed: 5}",
            "when more than 5 failed never more than 6 devices under way (strict)",
        ),
        (
            "  stop_when: {failure_rate: 10%, after: 20}",
            (
                "when more than 2 of the first 20 or more than 20 of all 200 are in trouble (10%)"
                " at first never more than 3 devices under way (strict)"
            ),
        ),
        (
            "  stop_when: {failure_rate: 10%, after: 500}\n  strict: false",
            (
                "when more than 20 of all 200 are in trouble (10%)"
                " what is under way then may go beyond it (strict: false)"
            ),
        ),
        (
            "  stop_when: {failed: 2, failure_rate: 10%, after: 30}",
            (
                "when more than 2 failed"
                " when more than 3 of the first 30 or more than 20 of all 200 are in trouble (10%)"
                " never more than 3 devices under way (strict)"
            ),
        ),
        ("  max_down: 1", "never by itself, however many fail: there is no budget"),
    ],
)
def test_it_says_as_whole_numbers_when_the_run_gives_up(lines, told):
    assert section(rollout(lines), "stops") == told


def test_a_playbook_that_harms_nobody_needs_no_word_about_a_budget():
    assert "stops" not in brief(made(steps="- operation: sync"))


def test_limits_of_groups_and_the_ramp_are_told():
    plan = rollout(
        '  max_down: 10%\n  max_down_per: {location_name: 1, "organization_id, type": 5}\n'
        "  ramp: true",
        fields=lambda number: {"location_name": f"site {number % 7}"},
    )

    assert section(plan, "limits").startswith(
        "at most 20 devices out of service at once"
        " at most 1 device of the same location_name out of service (7 groups), others' outages"
        " counted"
        " at most 5 devices of the same organization_id, type out of service (1 group), others'"
        " outages counted"
        " begins with 1 device at once, then 2, 4, 8 as devices succeed"
    )


def test_a_window_is_told_with_its_zone_its_cutoff_and_its_next_opening():
    assert section(made(WINDOW), "window") == (
        'opens "0 1 * * sat" for 4h, clocks of America/Mexico_City'
        " a device is begun only if its steps are expected to end in time"
        " next: Sat 2026-09-26 01:00 to 05:00 (07:00 to 11:00 UTC)"
    )


def test_a_window_that_opens_once_ends_early_and_follows_each_devices_clock():
    zones = ["Asia/Tokyo", "America/Mexico_City", None, *map("Etc/GMT+{}".format, range(1, 7))]
    plan = made(
        """
        window:
          opens: 2026-12-05T23:00
          lasts: 4h
          timezone: Asia/Tokyo
          cutoff: 30m
          blackout: [2026-12-24, {from: 2026-12-30, to: 2027-01-02}]
          timezone_field: location_timezone
        """,
        count=18,
        fields=lambda number: {"location_timezone": zones[number % 9]},
    )

    told = section(plan, "window")
    assert told.startswith(
        "opens once, 2026-12-05 23:00, for 4h, clocks of Asia/Tokyo"
        " nothing is begun in the last 30m"
        " each device by its own clock (location_timezone): Asia/Tokyo (4), "
    )
    assert told.endswith(
        " (2), 2 others never on 2026-12-24, 2026-12-30 to 2027-01-02"
        " next: Sat 2026-12-05 23:00 to Sun 12-06 03:00 (14:00 to 18:00 UTC)"
    )


def test_the_whole_plan_lists_the_next_seven_openings_across_a_change_of_the_clocks():
    window = WINDOW.replace("America/Mexico_City", "America/Los_Angeles").replace("sat", "sun")

    text = full(made(window))

    openings = text.split("Next openings (America/Los_Angeles):\n")[1].splitlines()[:8]
    assert openings[0] == "  Sun 2026-09-27 01:00 to 05:00 (08:00 to 12:00 UTC)"
    assert openings[5] == "  Sun 2026-11-01 01:00 to 04:00 (08:00 to 12:00 UTC)"
    assert openings[6] == "  Sun 2026-11-08 01:00 to 05:00 (09:00 to 13:00 UTC)"
    assert openings[7] == ""


def test_an_opening_on_another_day_in_utc_says_which():
    window = WINDOW.replace('"0 1 * * sat"', '"0 22 * * sat"')

    assert "Sat 2026-09-26 22:00 to Sun 09-27 02:00 (Sun 09-27 04:00 to 08:00 UTC)" in full(
        made(window)
    )


def test_the_expected_time_of_one_device_is_told_with_its_origin():
    plan = made(RESCUE + TOLD, steps=STEPS)

    assert section(plan, "expected") == (
        "up to 45m30s for one device: factory 25m, reconf 15m, check status 5m, sleep 30s"
        " (the steps' own limits, nothing measured yet)"
    )


def test_nothing_is_said_of_a_time_that_nobody_expects():
    assert "expected" not in brief(made(steps="- check: {status: up}"))


@pytest.mark.parametrize(
    ("notify", "told"),
    [
        ("{to: noc-chat}", "noc-chat of everything"),
        (
            "{to: [noc-chat, boss], on: [approval_needed, finished]}",
            "noc-chat, boss when approval needed, finished",
        ),
    ],
)
def test_it_says_who_is_told_of_what(notify, told):
    assert section(made(f"notify: {notify}\n"), "tells") == told


def test_a_plan_without_these_has_no_empty_sections():
    text = brief(made())

    for label in ("rescue", "waves", "window", "tells", "Next openings"):
        assert label not in text


def test_every_section_keeps_to_80_columns():
    lines = WAVES + '  max_down_per: {location_name: 1, "organization_id, type": 5}\n'
    lines += "  stop_when: {failed: 5, unconfirmed: 5, in_doubt: 2, failure_rate: 10%, after: 20}\n"
    plan = made(f"rollout:{lines}{WINDOW}notify: {{to: noc-chat}}\n", steps=STEPS)

    assert max(map(len, full(plan).splitlines())) <= 80


def test_a_program_gets_every_number_too():
    lines = WAVES + '  max_down_per: {"organization_id, type": 5}\n'
    lines += "  stop_when: {failed: 5%, failure_rate: 10%, after: 20}\n"
    zoned = WINDOW + "  timezone_field: location_timezone\n"
    plan = made(
        f"rollout:{lines}{zoned}notify: {{to: noc-chat, on: finished}}\n",
        steps=STEPS,
        fields=lambda number: {"location_timezone": "Asia/Tokyo"} if number == 1 else {},
    )

    told = json.loads(json.dumps(plan_text.as_object(plan)))

    assert told["waves"] == [
        {"devices": 1, "must_succeed": 1},
        {"devices": 10, "must_succeed": 10},
        {"devices": 189, "must_succeed": 180},
    ]
    assert told["between_waves"] == {"soak": 300.0, "approval": "anybody"}
    assert told["limits"]["max_down_per"] == [{"fields": ["organization_id", "type"], "at_most": 5}]
    assert told["limits"]["ramp"] is False
    assert told["budget"] == {
        "failed": 10,
        "unconfirmed": None,
        "in_doubt": None,
        "failure_rate": 0.1,
        "after": 20,
        "strict": True,
    }
    assert told["expected"] == [1500, 0, 900, 300, 0, 30]
    assert told["notify"] == {"to": ["noc-chat"], "on": ["finished"]}
    assert told["window"]["opens"] == "0 1 * * sat"
    assert told["window"]["cutoff"] == "fits"
    assert told["window"]["openings"][0] == {
        "start": "2026-09-26T07:00:00.000000Z",
        "end": "2026-09-26T11:00:00.000000Z",
    }
    assert len(told["window"]["openings"]) == 7
    assert told["devices"][0]["groups"] == ["123, 15"]
    assert told["devices"][0]["zone"] == "Asia/Tokyo"
    assert "zone" not in told["devices"][1]


def test_a_program_hears_that_there_is_no_window_and_nobody_to_tell():
    told = plan_text.as_object(made())

    assert (told["window"], told["notify"], told["waves"], told["rescue"]) == (None, None, [], [])


def test_it_says_who_is_touched_and_who_not_and_why():
    text = full(plan_of(1001, 1002))

    assert "devices   2 of 6 listed devices" in text
    assert "  1001  ZN1001  branch 1001" in text
    assert "Not touched (4):\n        4  status is Down\n" in text
    assert "1007 (ZN1007); 1009 (ZN1009); ..." in text


def test_it_says_every_limit_as_a_number():
    text = full(plan_of(1001, 1002))

    assert "at most 2 devices out of service at once" in text
    assert "20 requests in flight at once" in text
    assert "200ms between operation requests" in text
    assert "20 requests a second" in text
    assert "requests  4 for operations, about 40 reads" in text


def test_it_says_every_step():
    text = full(plan_of(1001))

    assert "steps     1. factory: at most 4 attempts" in text
    assert "          2. reconf: at most 4 attempts" in text


def test_many_devices_are_sampled_and_grouped():
    text = full(made(count=300))

    assert "and 280 more; --all lists everyone" in text
    assert "by location: Seattle North (300)\n  by type: 15 (300)\n" in text
    assert "by software version: 2.4.1 (300)" in text
    assert "290" not in text


def test_all_lists_everyone():
    text = full(plan_of(*MANY), everyone=True)

    assert "1300  ZN1300" in text
    assert "more" not in text


def test_an_empty_plan_touches_nobody():
    assert "No device is touched." in full(plan_of())


def test_it_keeps_to_80_columns():
    text = full(made(count=300, fields=lambda number: {"location_name": f"branch {number}"}))

    assert max(map(len, text.splitlines())) <= 80


def test_a_program_gets_the_same():
    told = plan_text.as_object(plan_of(1001))

    assert told["devices"] == [
        {
            "device": 1001,
            "serial_number": "ZN1001",
            "name": "branch 1001",
            "kind": None,
            "location": None,
            "status": None,
            "status_change": None,
            "last_connection": None,
            "pending_settings": None,
        }
    ]
    assert told["limits"]["max_down"] == 2
    assert told["destructive"] is True
    assert told["steps"] == ["factory", "reconf"]
    assert told["left_out"][0]["reason"] == "status is Down"
    assert told["created_at"] == "2026-11-22T04:15:00.250000Z"


def test_steps_without_a_request_are_told_by_their_title():
    assert plan_steps.step_line(SleepStep(30.0)) == "sleep 30s"
    assert plan_steps.step_line(CheckStep((), 60.0)).endswith("within 1m")


def test_the_next_opening_is_the_next_by_our_clock_whatever_the_controllers_says():
    plan = made(WINDOW)
    ahead = replace(plan, created_at=NOW + 21 * 86_400, openings={})

    assert section(ahead, "window") == section(plan, "window")
    assert "2026-09-26 01:00" in section(ahead, "window")


def test_an_older_plan_from_a_file_has_its_openings_reckoned_by_the_clock_it_knows():
    plan = replace(made(WINDOW), openings={}, made_at=0.0)

    assert "2026-09-26 01:00" in section(plan, "window")
    assert "plan " not in full(plan)


def test_a_plan_shows_the_openings_it_was_made_with():
    opening = Opening(NOW + 7200, NOW + 9000)
    plan = replace(made(WINDOW), openings={"America/Mexico_City": (opening,), "Asia/Tokyo": ()})

    assert section(plan, "window").endswith(
        "next: Mon 2026-09-21 10:13 to 10:43 (16:13 to 16:43 UTC)"
    )
    assert full(plan).count("to 10:43 (16:13 to 16:43 UTC)") == 2
    told = plan_text.as_object(plan)
    spans = [{"start": "2026-09-21T16:13:20.000000Z", "end": "2026-09-21T16:43:20.000000Z"}]
    assert told["window"]["openings"] == spans
    assert told["openings"] == {"America/Mexico_City": spans, "Asia/Tokyo": []}


def test_a_plan_whose_window_opens_no_more_says_so():
    plan = replace(made(WINDOW), openings={"America/Mexico_City": ()})

    assert "Next openings (America/Mexico_City):\n  none\n" in full(plan)
    assert "next:" not in brief(plan)


ALONE = """\
branch on https://c/api/v1

  devices   2 of 3 listed devices
  steps     1. factory: at most 4 attempts
            2. reconf: at most 4 attempts
            between 1 and 2 a device is finished even if the run is stopped
  saves     each device's record, settings and variables before it is changed
  limits    at most 1 device out of service at once
            20 requests in flight at once
            200ms between operation requests
            20 requests a second
  stops     never by itself, however many fail: there is no budget
  window    opens "0 1 * * sat" for 4h, clocks of America/Mexico_City
            a device is begun only if its steps are expected to end in time
            next: Sat 2026-09-26 01:00 to 05:00 (07:00 to 11:00 UTC)
  expected  up to 40m for one device: factory 25m, reconf 15m
            (the steps' own limits, nothing measured yet)
  requests  4 for operations, about 50 reads
  chosen    by software_version, organization_id: who differs in one by then is
            skipped
  plan      made Mon 2026-09-21 08:13, good until Sat 2026-09-26 05:00, clocks
            of America/Mexico_City

Risks (2), the heaviest first:
  1. more than half of the listed devices of Seattle North is in the set: 2 of 3
  2. the guard would skip 1 of 2 devices as they are now: 1 Down (2)

Forecast: none was made.

Next openings (America/Mexico_City):
  Sat 2026-09-26 01:00 to 05:00 (07:00 to 11:00 UTC)
  Sat 2026-10-03 01:00 to 05:00 (07:00 to 11:00 UTC)
  Sat 2026-10-10 01:00 to 05:00 (07:00 to 11:00 UTC)
  Sat 2026-10-17 01:00 to 05:00 (07:00 to 11:00 UTC)
  Sat 2026-10-24 01:00 to 05:00 (07:00 to 11:00 UTC)
  Sat 2026-10-31 01:00 to 05:00 (07:00 to 11:00 UTC)
  Sat 2026-11-07 01:00 to 05:00 (07:00 to 11:00 UTC)

Touched (2), in this order:
  1  SN1  branch-1  Seattle North, NE40; Up, seen 3m ago, nothing pending
  2  SN2  branch-1  Seattle North, 15; Down, seen 3m ago, nothing pending

Not touched (1):
        1  software_version is not below 3
             3: software_version is 3.0, not below 3"""


def test_a_stranger_can_decide_with_the_plan_alone():
    plan = made(
        WINDOW,
        count=3,
        devices="{organization: 123, where: {software_version: {below: 3}}}",
        steps="- operation: factory\n- operation: reconf",
        fields=lambda number: (
            {},
            {"type_short_name": "NE40"},
            {"status": "Down"},
            {"software_version": "3.0"},
        )[number],
    )

    assert full(plan) == ALONE
    assert full(replace(plan, records={}, read_at=0.0)) == ALONE.replace(
        "; Up, seen 3m ago, nothing pending", ""
    ).replace("; Down, seen 3m ago, nothing pending", "")


def doing(location="Oslo", **fields):
    plan = made(count=1, fields=lambda _number: {"location_name": location, **fields})
    lines = full(plan).splitlines()
    return lines[lines.index("Touched (1), in this order:") + 1 :]


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({}, "Up, seen 3m ago, nothing pending"),
        ({"last_connection": "2026-09-21T14:13:20Z"}, "Up, seen 0s ago, nothing pending"),
        ({"last_connection": "2026-09-19T20:00:00Z"}, "Up, seen 1d ago, nothing pending"),
        ({"status": "Down", "pending_settings": "wifi"}, "Down, seen 3m ago, wifi pending"),
        ({"pending_settings": "wifi, dns"}, "Up, seen 3m ago, 2 settings pending"),
        ({"status": None, "last_connection": None}, "nothing pending"),
        ({"pending_settings": "x" * 40}, "Up, seen 3m ago, xxxxxxxxxxxxxxxxxxxxxx…"),
    ],
)
def test_a_touched_device_says_how_it_is_doing(fields, told):
    assert doing(**fields) == [f"  1  SN1  branch-1  Oslo, 15; {told}"]


def test_how_a_device_is_doing_stands_below_where_there_is_no_room_beside():
    lines = doing("Seattle Branch 2 North by the sea", name="access-point-d-1008")

    assert lines == [
        "  1  SN1  access-point-d-1008  Seattle Branch 2 North by the sea, 15",
        "                               Up, seen 3m ago, nothing pending",
    ]


def test_of_a_device_whose_record_is_not_known_nobody_says_how_it_is_doing():
    plan = replace(made(count=1), records={})

    assert full(plan).splitlines()[-1] == "  1  SN1  branch-1  Seattle North, 15"
    [told] = plan_text.as_object(plan)["devices"]
    for name in ("status", "status_change", "last_connection", "pending_settings"):
        assert told[name] is None


def test_versions_are_grouped_also_in_a_plan_from_a_file_if_they_were_asked_for():
    where = "{organization: 123, where: {name: branch-1, software_version: {below: 3}}}"
    asked, other = made(devices=where, count=21), made(count=21)

    assert "by software version: 2.4.1 (21)" in full(replace(asked, records={}))
    assert "by software version" not in full(replace(other, records={}))


def test_a_plan_without_a_window_is_told_by_the_clock_of_utc():
    plan = made(count=1)

    assert section(plan, "plan", full) == (
        "made Mon 2026-09-21 14:13, good until Tue 2026-09-22 14:13, clocks of UTC"
    )
    assert "plan      made Mon 2026-09-21 14:13, clocks of UTC\n" in full(
        replace(plan, expires_at=None)
    )
    assert "good until" not in brief(plan)


def test_a_plan_without_a_risk_says_that_none_was_found():
    assert "\n\nRisks: none was found.\n\n" in full(made(count=1))


def test_risks_keep_to_the_width_beside_their_numbers():
    plan = replace(made(count=1), warnings=("short", "word " * 40))

    assert "Risks (2), the heaviest first:\n  1. short\n  2. word word" in full(plan)
    assert max(map(len, full(plan).splitlines())) <= 80
    assert "\n     word word" in full(plan)


def test_a_plan_that_goes_on_says_after_which_run_and_from_where():
    plan = made(count=3, steps="- operation: factory\n- operation: reconf")
    devices = tuple(
        msgspec.structs.replace(device, begins_at=place)
        for device, place in zip(plan.devices, (1, 0, 1), strict=True)
    )
    plan = replace(plan, goes_on_after="night-1", devices=devices)

    assert section(plan, "goes on") == (
        "after run night-1, each device where it stopped:"
        " 1 device from step 1, factory 2 devices from step 2, reconf"
    )
    told = plan_text.as_object(plan)
    assert told["goes_on_after"] == "night-1"
    assert [device.get("begins_at") for device in told["devices"]] == [1, None, 1]
    assert "goes on" not in brief(made(count=1))


def test_a_program_gets_what_the_devices_were_chosen_by_and_how_long_the_plan_is_good():
    plan = made(
        count=2,
        devices="{organization: 123, where: {created: present, rack: present}}",
        fields=lambda number: {
            "created": "2026-01-02",
            "rack": [number],
            "type_short_name": "NE40",
        },
    )

    told = json.loads(json.dumps(plan_text.as_object(plan)))

    assert told["attributes"] == ["created", "rack", "organization_id"]
    assert told["made_at"] == "2026-09-21T14:13:20.000000Z"
    assert told["expires_at"] == "2026-09-22T14:13:20.000000Z"
    assert (told["openings"], told["goes_on_after"], told["forecast"]) == ({}, None, None)
    assert told["devices"][1] == {
        "device": 2,
        "serial_number": "SN2",
        "name": "branch-1",
        "kind": "NE40",
        "location": "Seattle North",
        "status": "Up",
        "status_change": "2026-09-01T00:00:00.000000Z",
        "last_connection": "2026-09-21T14:10:00.000000Z",
        "pending_settings": "none",
        "chosen_by": {
            "created": "2026-01-02T00:00:00.000000Z",
            "rack": [2],
            "organization_id": 123,
        },
    }
    assert plan_text.as_object(replace(plan, expires_at=None))["expires_at"] is None


LONG = "N" * 5000


def test_what_a_device_is_called_is_cut_in_tables_and_whole_for_programs():
    plan = made(
        count=21,
        fields=lambda number: (
            {"name": LONG, "serial_number": f"{number}{LONG}"}
            | {"location_name": f"{LONG}\n", "type_short_name": LONG}
        ),
    )

    told = full(plan)

    assert max(map(len, told.splitlines())) <= 200
    assert f"  1   1{'N' * 38}…  {'N' * 39}…  {'N' * 20}" in told
    assert plan_text.as_object(plan)["devices"][0]["name"] == LONG


def test_a_name_of_forty_signs_is_not_cut():
    name = "n" * 40

    assert f"  {name}  " in full(made(count=1, fields=lambda _number: {"name": name}))


def changing(*actions, devices=(1, 2, 3)):
    """Give a plan whose steps change records so."""
    plan = plan_of(*devices)
    steps = tuple(RecordStep(action, default_proof(action), 3, action=action) for action in actions)
    return replace(plan, playbook=replace(plan.playbook, steps=steps))


def test_a_deletion_is_named_loudly_right_behind_the_number_of_devices():
    lines = list(plan_text.brief(changing(Action.DELETE)))

    place = next(n for n, line in enumerate(lines) if line.startswith("  devices "))
    assert lines[place + 1] == (
        "  deletes   3 records WOULD BE DELETED, and nothing brings them back"
    )
    assert isinstance(lines[place + 1], screen.Loud)


def test_requests_are_told_by_what_they_are_for():
    assert section(changing(Action.UPDATE), "requests") == (
        "6 for changes of records, about 40 reads"
    )


def test_new_devices_and_those_handed_to_a_person_are_told():
    plan = changing(Action.CREATE)
    first, second, third = plan.devices
    handed = "it had 2 reboots within 1d"
    devices = (
        msgspec.structs.replace(first, exhausted=handed),
        second,
        msgspec.structs.replace(third, id=DeviceId(2**48), is_new=True),
    )
    plan = replace(plan, devices=devices)

    assert "  devices   2 of 7 listed devices, and 1 new\n" in full(plan)
    assert section(plan, "handed on") == f"1 device to a person at once: {handed} (1)"
    assert "  new  ZN3  branch 3" in full(plan)
    assert "  1    ZN1  branch 1  handed to a person" in full(plan)
    told = plan_text.as_object(plan)["devices"]
    assert (told[0]["exhausted"], told[2]["new"]) == (handed, True)


def test_programs_are_told_what_a_plan_does_to_records():
    told = plan_text.as_object(changing(Action.DELETE))

    assert (told["deletes"], told["creates"], told["snapshots"]) == (True, False, "full")
    assert [each["deleted"] for each in told["changes"]] == [True, True, True]
