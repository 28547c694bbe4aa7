"""A figure beside its yardstick and its goal, the table of them, and two runs side by side."""

from dataclasses import asdict, replace

import pytest

from tests.bench import comparing, parts, tables
from tests.bench.asking import Asked, CheckFailedError
from tests.bench.figures import Figure, compared

SPEED = compared(
    "a",
    "requests",
    unit="/s",
    ours=[500.0, 3200.0, 900.0],
    yardstick="plain",
    theirs=[1000.0, 4000.0, 1000.0],
    at_least=0.8,
)
HELP = Figure("h", "--help", 0.31, "s", "pass", 0.02, 15.5, 12.0, 20.0, None, 0.25, True)
LEAD = Figure("a", "lead", 1.2345, "ms", at_least=0.0)


def run_with(*figures, rounds=5, faults=()):
    return {
        "date": "2026-11-22T04:15:00+00:00",
        "asked": {"rounds": rounds, "quick": False, "loop": "uvloop"},
        "machine": {
            "cores": 2,
            "memory_gb": 25.2,
            "processor": "x",
            "system": "Linux x86_64",
            "python": "3.11.7",
            "libraries": {"aiohttp": "3.14.5"},
            "load_before": 0.1,
            "load_after": 1.5,
        },
        "figures": [asdict(figure) for figure in figures],
        "seconds": {"a": 1.0, "h": 1.0},
        "faults": list(faults),
    }


def test_ratios_are_taken_round_by_round_because_the_machine_changes_its_pace():
    assert (SPEED.ours, SPEED.theirs) == (900.0, 1000.0)
    assert (SPEED.ratio, SPEED.least, SPEED.most) == (0.8, 0.5, 0.9)


@pytest.mark.parametrize(
    ("figure", "is_met"),
    [
        (SPEED, True),
        (replace(SPEED, at_least=0.81), False),
        (replace(SPEED, at_least=None), None),
        (HELP, False),
        (replace(HELP, at_most=0.5), True),
        (replace(HELP, is_absolute=False, at_most=16.0), True),
        (LEAD, True),
    ],
)
def test_a_goal_is_one_for_the_ratio_unless_it_is_absolute_or_there_is_none(figure, is_met):
    assert figure.is_met is is_met


def test_the_table_says_what_each_is_held_against_and_which_goal_is_missed():
    lines = tables.as_text([SPEED, LEAD, HELP]).splitlines()

    figures = [line for line in lines if line and not line.startswith("   ")]
    assert figures[:8] == [
        "what           ours  theirs  ratio  of rounds  goal",
        "a  The engine with its durable journal beside a plain aiohttp loop",
        "beside plain:",
        "  requests    900/s   1,000   0.80  0.50-0.90  ≥ 0.80    met",
        "  lead      1.23 ms                            ≥ 0 ms    met",
        "h  Start-up beside Python alone",
        "beside pass:",
        "  --help     0.31 s    0.02   15.5  12.0-20.0  ≤ 0.25 s  MISSED",
    ]
    assert figures[8].startswith("theirs: the yardstick")


def test_a_long_name_goes_on_in_the_next_line_so_that_the_table_fits_a_terminal():
    long = replace(HELP, name="orchestrator " + "with many words " * 6 + "at the end")

    lines = tables.as_text([SPEED, long, LEAD]).splitlines()
    first = next(number for number, line in enumerate(lines) if "orchestrator with" in line)

    assert max(map(len, lines)) <= tables.WIDTH
    assert "0.31 s" not in lines[first]
    assert lines[first + 2].startswith("    ")
    assert "at the end" in lines[first + 2]
    assert "0.31 s" in lines[first + 2]


def test_the_readme_gets_the_same_table_with_its_date_and_the_machines_size():
    lines = tables.as_markdown(run_with(SPEED), [SPEED]).splitlines()

    assert lines[0] == (
        "Measured on 2026-11-22: 2 cores, 25 GB, Linux x86_64, Python 3.11.7, uvloop, aiohttp 3.14.5;"
        " medians of 5 rounds; load of the machine 0.1 before, 1.5 after."
    )
    assert lines[4:6] == [
        "| a | requests | 900/s | plain: 1,000 | 0.80 | 0.50-0.90 | ≥ 0.80 | met |",
        "",
    ]
    assert lines[6] == tables.LEGEND


def test_a_change_is_marked_where_the_rounds_of_two_runs_do_not_overlap():
    faster = replace(SPEED, ratio=0.95, least=0.91, most=0.99)
    same = replace(SPEED, name="other")
    gone = replace(LEAD, name="gone")

    told = comparing.compared_runs(
        run_with(SPEED, same, LEAD, gone, replace(LEAD, part="g", name="not measured now")),
        run_with(faster, replace(same, ratio=0.7), LEAD, HELP, rounds=3),
    )

    assert told.splitlines() == [
        "note: rounds was 5, and is 3",
        "a  requests / plain  0.80 -> 0.95  +19% *",
        "a  other / plain     0.80 -> 0.70  -13%",
        "a  lead              1.23 ms -> 1.23 ms  +0%",
        "h  --help / pass     new",
        "a  gone              gone",
        "* the rounds of the two runs do not overlap; without rounds: changed by more than 10%",
    ]


def test_a_saved_figure_is_the_figure_again():
    assert comparing.figures_of(run_with(SPEED, HELP, LEAD)) == [SPEED, HELP, LEAD]
    assert comparing.missed([SPEED, HELP, LEAD]) == 1


def test_a_part_that_breaks_down_or_whose_check_fails_is_told_and_loses_nothing(monkeypatch):
    class Module:
        def measure(self, asked):
            raise self.error

    module, told = Module(), []
    monkeypatch.setattr(parts, "import_module", lambda name: module)
    part = parts.Part("a", "a part", "throughput")

    module.error = CheckFailedError(["a PUT came twice"], [SPEED])
    failed = parts.measure(part, Asked(1, quick=True, loop="asyncio"), told.append)
    module.error = ZeroDivisionError("by zero")
    broken = parts.measure(part, Asked(1, quick=True, loop="asyncio"), told.append)

    assert (failed.figures, failed.faults) == ((SPEED,), ("a: a PUT came twice",))
    assert (broken.figures, broken.faults) == ((), ("a: broke down: ZeroDivisionError: by zero",))
    assert "Traceback" in told[0]


def test_a_part_that_is_not_there_is_left_out():
    assert not parts.Part("z", "nothing", "nowhere").is_there
    assert all(part.is_there and part.counted for part in parts.PARTS)
