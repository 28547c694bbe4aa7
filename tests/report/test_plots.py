"""Pictures: true to what they are given, with scales that people read."""

import re
from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest

from orchestrator.model.events import LimitOrdered
from orchestrator.report.plots import over_time, scales
from orchestrator.report.plots.drawing import Ink, drawn
from orchestrator.report.plots.step_times import cut
from orchestrator.report.summary import Summary
from tests.support.histories import T0, careful_story, finished, intended, run_started, succeeded


def test_foreign_text_takes_its_place_and_the_drawing_is_named():
    def paint(sketch):
        sketch.figure.text(0.5, 0.5, sketch.foreign("$x$ <b> @0@"))
        sketch.axes(20, 20, 5, 5).plot([0, 1], [0, 1], color=Ink.CURVE)

    root = ET.fromstring(drawn("one", (300, 100), paint, told='a "curve"'))

    assert "$x$ <b> @0@" in [each.text for each in root.iter("text")]
    assert root.get("aria-label") == 'a "curve"'
    assert root.get("viewBox") == "0 0 300 100"
    assert "var(--curve)" in ET.tostring(root, encoding="unicode")


def test_no_number_is_finer_than_anybody_sees():
    def paint(sketch):
        sketch.axes(20, 20, 5, 5).plot([0, 1 / 3], [0, 2 / 3], color=Ink.CURVE)

    written = drawn("one", (300, 100), paint, told="a curve")

    assert not re.search(r" d=\"[^\"]*\.\d\d", written)


@pytest.mark.parametrize(
    ("span", "at_most", "step"),
    [
        (5, 10, 1),
        (60, 10, 10),
        (3_600, 10, 600),
        (86_400, 10, 10_800),
        (364 * 86_400, 4, 91 * 86_400),
    ],
)
def test_ticks_stand_at_round_times(span, at_most, step):
    assert scales.step_of(span, at_most) == step


def test_the_date_stands_where_it_changes():
    labels = list(scales._clock_labels([T0 + 0.75 + 3600 * each for each in (-5, -4, 20)], 3600))

    assert labels == ["23:15\n2026-11-21", "00:15\n2026-11-22", "00:15\n2026-11-23"]


@pytest.mark.parametrize(("top", "step"), [(1, 1), (4, 1), (5, 2), (80, 20), (1_000_000, 500_000)])
def test_counts_stand_at_round_numbers(top, step):
    assert scales._count_step(top) == step


def test_long_text_is_cut_and_control_characters_are_not_drawn():
    assert cut("abcdef", 6) == "abcdef"
    assert cut("abcdefg", 6) == "abcde…"
    assert cut("a\x00b\nc", 6) == "a b c"


def a_run(*more, **given):
    summary = Summary(**({"max_down": 4} | given))
    for event in (run_started(), intended(1), succeeded(1, at=T0 + 50), *more):
        summary.after(event)
    return summary


def test_the_curve_of_the_limit_follows_orders():
    summary = a_run(
        LimitOrdered(T0 + 60, "ana", "noc-1", "max_down", 2, 4),
        LimitOrdered(T0 + 70, "ana", "noc-1", "delay", 2, 1),
        finished(1, at=T0 + 100),
    )

    assert list(over_time.limit_curve(summary)) == [(T0, 4), (T0 + 60, 2)]


def test_every_curve_stays_inside_its_picture_and_runs_forward():
    for svg in over_time.down(a_run(finished(1, at=T0 + 100)), told="down").values():
        root = ET.fromstring(svg)
        _, _, width, height = map(float, root.get("viewBox").split())
        paths = [each.get("d") for each in root.iter("path") if "var(--curve)" in each.get("style")]
        points = [
            [(float(x), float(y)) for x, y in re.findall(r"([\d.]+) ([\d.]+)", path)]
            for path in paths
        ]

        assert points
        assert all(0 <= x <= width and 0 <= y <= height for path in points for x, y in path)
        line = points[-1]
        assert all(before[0] <= after[0] for before, after in pairwise(line))
        assert len({y for _, y in line}) == 2


def test_steps_keep_their_level_until_the_next():
    xs, ys = over_time._corners([(0, 1), (5, 3)], 0, 9)

    assert list(zip(xs, ys, strict=True)) == [(0, 1), (0, 1), (5, 1), (5, 3), (9, 3)]


@pytest.mark.parametrize("picture", [over_time.down, over_time.progress])
def test_what_held_the_run_is_shaded_behind_both_curves_in_both_shapes(picture):
    summary = Summary(max_down=4)
    for event in careful_story():
        summary.after(event)

    for svg in picture(summary, told="x").values():
        styles = [each.get("style") or "" for each in ET.fromstring(svg).iter("path")]
        for ink in (Ink.WINDOW, Ink.PERSON, Ink.APPROVAL):
            assert sum(f"fill: var({ink.variable})" in style for style in styles) == 1
