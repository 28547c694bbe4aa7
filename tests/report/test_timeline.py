"""The curve of devices down: exact while it is short, small but true in its peaks when long."""

from orchestrator.report.timeline import Timeline


def test_a_short_curve_is_exact():
    line = Timeline()
    for at, level in [(0, 1), (5, 2), (9, 1), (12, 0)]:
        line.record(at, level)

    assert line.curve() == [(0, 1), (5, 2), (9, 1), (12, 0)]
    assert line.peak == 2


def test_a_level_that_does_not_change_adds_nothing():
    line = Timeline()
    line.record(0, 1)
    line.record(5, 1)

    assert line.curve() == [(0, 1)]


def test_a_peak_of_one_moment_is_not_lost():
    line = Timeline()
    line.record(0, 3)
    line.record(0, 1)
    line.record(4, 0)

    assert line.curve() == [(0, 3), (0, 1), (4, 0)]


def test_a_long_curve_stays_small_and_keeps_its_peaks():
    line = Timeline(points=64)
    for at in range(10_000):
        line.record(at, 500 if at == 4321 else at % 2)
    curve = line.curve()

    assert len(curve) <= 2 * 64
    assert curve == sorted(curve, key=lambda point: point[0])
    assert curve[0][0] == 0
    assert max(level for _, level in curve) == line.peak == 500
    ((at, _),) = [point for point in curve if point[1] == 500]
    assert abs(at - 4321) < 10_000 / 16


def test_a_short_peak_does_not_look_long_in_a_coarse_curve():
    line = Timeline(points=64)
    for at in range(1000):
        line.record(at, at % 2)
    line.record(1001, 90)
    line.record(1001.5, 0)
    line.record(9000, 1)
    begin = next(number for number, point in enumerate(line.curve()) if point[1] == 90)

    assert line.curve()[begin + 1][0] < 1100
    assert line.curve()[begin + 1][1] == 0
