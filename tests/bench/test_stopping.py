"""A bench that is stopped keeps what it has measured."""

import json
import signal

import pytest

from tests.bench import __main__ as bench
from tests.bench import parts
from tests.bench.figures import Figure


@pytest.fixture(autouse=True)
def _same_signals():
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


def stopped_at(letter, monkeypatch):
    def measure(part, asked, tell):
        if part.letter == letter:
            signal.raise_signal(signal.SIGTERM)
        return parts.Measured(part, (Figure(part.letter, "speed", 1.0, "/s"),), (), 1.0)

    monkeypatch.setattr(parts, "measure", measure)


def test_a_stop_saves_the_parts_before_it_and_names_those_that_are_missing(
    monkeypatch, tmp_path, capsys
):
    stopped_at("e", monkeypatch)

    code = bench.main(["--only", "a,e,h", "--json", str(tmp_path / "run.json")])

    said = json.loads((tmp_path / "run.json").read_text())
    assert code == 1
    assert [each["part"] for each in said["figures"]] == ["a"]
    assert said["faults"] == ["stopped; not measured: e, h"]
    assert "speed" in capsys.readouterr().out


def test_a_stop_before_anything_is_measured_saves_nothing(monkeypatch, tmp_path, capsys):
    stopped_at("a", monkeypatch)

    code = bench.main(["--only", "a,e", "--json", str(tmp_path / "run.json")])

    assert code == 143
    assert not (tmp_path / "run.json").exists()
    assert capsys.readouterr().err.endswith("bench: stopped; nothing is saved\n")
