"""Draws belong to what they are for, in every process and for ever."""

from orchestrator.simulator.chance import between, salt, uniform, uniforms


def test_a_draw_is_the_same_in_every_process() -> None:
    assert uniform("7/1001/boot/1") == 0.7500354461697182
    assert salt("7/1001/names") == 4499603792344225796


def test_draws_for_different_purposes_differ_and_fill_the_range() -> None:
    drawn = [uniform(f"7/1001/boot/{turn}") for turn in range(2000)]

    assert len(set(drawn)) == 2000
    assert 0 <= min(drawn) < 0.01
    assert 0.99 < max(drawn) < 1
    assert 0.47 < sum(drawn) / 2000 < 0.53


def test_sixteen_draws_for_one_key_are_sixteen_different_ones() -> None:
    drawn = uniforms("7/1001/fleet")

    assert len(set(drawn)) == 16
    assert all(0 <= each < 1 for each in drawn)


def test_a_draw_from_a_span_stays_within_it() -> None:
    drawn = [between((2.0, 5.0), str(turn)) for turn in range(500)]

    assert 2.0 <= min(drawn) < 2.1
    assert 4.9 < max(drawn) < 5.0


def test_a_span_without_width_is_its_value() -> None:
    assert between((3.0, 3.0), "any") == 3.0
