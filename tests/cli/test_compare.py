"""`compare`: two runs side by side on a terminal of 80 columns, and for programs."""

import json
from dataclasses import replace
from pathlib import Path

from msgspec import structs

from orchestrator.model.devices import DeviceId
from orchestrator.model.events import RunFinished
from orchestrator.model.plans import PlannedDevice
from tests.support import histories
from tests.support.histories import T0
from tests.support.recorded_runs import ENDING, STORY, careful_plan, plan_of
from tests.support.reported import FORECAST, HOSTILE, record_with

RUNS = Path("logs/runs")
PLAN = plan_of(1001, 1002, 1003)
BETTER = (
    *STORY[:-1],
    histories.succeeded(1002, at=T0 + 71),
    histories.finished(1002, at=T0 + 71, step=1),
    histories.finished(1003, verdict="skipped", reason="status is Down"),
    RunFinished(T0 + 80, {}),
)


def two_nights():
    record_with(RUNS, PLAN, [*STORY, *ENDING], run_id="night-1")
    record_with(RUNS, PLAN, BETTER, run_id="night-2")


def careful_night(run_id, **changes):
    plan = replace(careful_plan(), forecast=FORECAST)
    events = [*histories.careful_story(), RunFinished(T0 + 1_700, {})]
    return record_with(
        RUNS, plan, [structs.replace(events[0], **changes), *events[1:]], run_id=run_id
    )


def test_two_runs_stand_side_by_side(cli):
    two_nights()

    ended = cli("compare", "night-1", "night-2")

    assert (ended.code, ended.err) == (0, "")
    assert ended.out == (
        "A  run night-1\n"
        "   redeploy, started 2026-11-22 04:15:00Z: finished\n"
        "B  run night-2\n"
        "   redeploy, started 2026-11-22 04:15:00Z: finished\n"
        "\n"
        "                      A        B        B AGAINST A\n"
        "took                  1m30s    1m20s    -10s (-11%)\n"
        "devices               3        3\n"
        "  succeeded           1 (33%)  2 (67%)  +1\n"
        "  unconfirmed         1 (33%)  0        -1\n"
        "  skipped             1 (33%)  1 (33%)\n"
        "requests sent         2        2\n"
        "tried again           0        0\n"
        "down at most          2        2\n"
        "down allowed          2        2\n"
        "factory, median       1m1s     1m1s\n"
        "  nine of ten within  1m1s     1m11s    +10s (+16%)\n"
        "\n"
        "Other verdict in B than in A: 1 of 3 devices in both\n"
        "      1  unconfirmed -> succeeded\n"
        "\n"
        "  device 1002 (ZN1002): unconfirmed (no return within 20m) -> succeeded\n"
    )


def test_what_makes_the_runs_different_comes_before_any_figure(cli):
    two_nights()
    careful_night("night-3", playbook="reboot")

    out = cli("compare", "night-1", "night-3").out

    before, _, _ = out.partition("B AGAINST A")
    assert "! The playbooks are different ones: redeploy and reboot.\n" in before
    assert "0 devices are in both, 3 only in A, 20" in before
    assert out.endswith("No device is in both.\n")


def test_waves_and_forecasts_are_compared(cli):
    careful_night("night-1")
    careful_night("night-2")

    out = cli("compare", "night-1", "night-2").out

    assert ["waves", "3", "3"] in map(str.split, out.splitlines())
    assert ["wave", "1", "finished", "after", "4m20s", "4m20s"] in map(str.split, out.splitlines())
    assert ["took", "of", "the", "forecast", "170%", "170%"] in map(str.split, out.splitlines())
    assert out.endswith("Every verdict is the same: 20 devices in both.\n")


def test_devices_of_two_controllers_are_not_mixed_up(cli):
    careful_night("night-1")
    careful_night("night-2", controller="https://lab.example.com/api/v1")

    out = cli("compare", "night-1", "night-2").out

    assert "so devices are not compared one by one." in " ".join(out.split())
    assert "in both" not in out


def test_everything_fits_80_columns_whatever_things_are_called(cli):
    long = "a-very-long-name" * 5
    events = [structs.replace(STORY[0], playbook=HOSTILE * 3), *STORY[1:], *ENDING]
    devices = tuple(PlannedDevice(DeviceId(n), HOSTILE * 2, None) for n in (1001, 1002, 1003))
    plan = replace(PLAN, devices=devices)
    record_with(RUNS, plan, events, run_id=long)
    record_with(RUNS, plan, BETTER, run_id=f"{long[:-1]}E")

    out = cli("compare", long, f"{long[:-1]}E").out

    assert max(map(len, out.splitlines())) <= 80
    assert "\x1b" not in out


def test_of_many_devices_a_few_are_named(cli):
    ids = range(1, 51)
    for run_id, verdict in (("night-1", "succeeded"), ("night-2", "failed")):
        ends = [histories.finished(n, verdict=verdict, reason="404") for n in ids]
        record_with(RUNS, plan_of(*ids), [histories.run_started(devices=50), *ends], run_id=run_id)

    out = cli("compare", "night-1", "night-2").out

    assert "     50  succeeded -> failed\n" in out
    assert out.count(": succeeded (404) -> failed (404)\n") == 20
    assert "  and 30 more; --json names them all\n" in out


def test_programs_are_told_the_same(cli):
    two_nights()

    told = json.loads(cli("compare", "night-1", "night-2", "--json").out)

    assert [run["run"] for run in told["runs"]] == ["night-1", "night-2"]
    assert told["runs"][0]["sound"] is True
    assert told["differences"] == []
    assert told["seconds"] == {"first": 90.0, "second": 80.0, "change": -10.0}
    assert told["verdicts"]["succeeded"] == {"first": 1, "second": 2, "change": 1}
    assert told["max_down"] == {"first": 2, "second": 2, "change": 0}
    assert told["steps"][0]["title"] == "factory"
    assert told["steps"][0]["devices"] == {"first": 1, "second": 2, "change": 1}
    assert told["steps"][0]["p90_seconds"]["change"] == 10.0
    assert told["compared"] == {
        "both": 3,
        "only_first": 0,
        "only_second": 0,
        "differing": [
            {
                "device": 1002,
                "serial_number": "ZN1002",
                "first": {"verdict": "unconfirmed", "reason": "no return within 20m"},
                "second": {"verdict": "succeeded", "reason": ""},
            }
        ],
    }


def test_programs_are_told_of_waves_and_forecasts(cli):
    careful_night("night-1")
    careful_night("night-2", controller="https://lab.example.com/api/v1")

    told = json.loads(cli("compare", "night-1", "night-2", "--json").out)

    assert told["compared"] is None
    assert told["ratio_to_forecast"] == {"first": 1.7, "second": 1.7, "change": 0.0}
    assert told["wave_ends"][0] == {"wave": 1, "first": 260.0, "second": 260.0, "change": 0.0}


def test_a_run_is_not_compared_with_itself(cli):
    two_nights()

    ended = cli("compare", "night-2", "last")

    assert (ended.code, ended.out) == (2, "")
    assert "'night-2' and 'last' are the same run, night-2; name two runs" in ended.err


def test_a_damaged_journal_is_one_sentence(cli):
    two_nights()
    journal = RUNS / "night-2/journal.jsonl"
    journal.write_text(journal.read_text().replace("skipped", "deferred"))

    ended = cli("compare", "night-1", "night-2")

    assert (ended.code, ended.out) == (1, "")
    assert ended.err.endswith("; see `orchestrator audit verify night-2`\n")


def test_a_run_without_its_plan_is_compared_by_ids(cli):
    two_nights()
    (RUNS / "night-1/plan.json").unlink()

    ended = cli("compare", "night-1", "night-2")

    assert ended.code == 0
    assert "  device 1002 (ZN1002): unconfirmed (no return within 20m) -> succeeded" in ended.out
    assert "Devices have only their ids here" in ended.err


def test_a_run_that_does_not_exist_is_answered_with_the_nearest(cli):
    two_nights()

    ended = cli("compare", "night-1", "nigth-2")

    assert ended.code == 2
    assert "did you mean night-2" in ended.err


def test_each_reason_stands_with_the_verdict_it_belongs_to(cli):
    for run_id, verdict, reason in (("a", "failed", "not applied"), ("b", "skipped", "it is Down")):
        ends = [histories.finished(1, verdict=verdict, reason=reason)]
        record_with(RUNS, plan_of(1), [histories.run_started(devices=1), *ends], run_id=run_id)

    assert (
        "  device 1 (ZN1): failed (not applied) -> skipped (it is Down)\n"
        in cli("compare", "a", "b").out
    )
