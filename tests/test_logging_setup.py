"""The log: readable or for machines, without secrets, and never a reason to fail."""

import io
import json
import stat
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
import structlog

from orchestrator.adapters.runs.log_listener import LogListener
from orchestrator.logging_setup import Forgiving, Masking, configure
from orchestrator.model.errors import SettingsError
from tests.support.histories import EVERY_KIND, T0, finished

TOKEN = "s3cret-t0ken-value"


@pytest.fixture
def to_log():
    """Configure the log as often as a test likes; everything is closed and undone afterwards."""
    with ExitStack() as opened:
        opened.callback(structlog.reset_defaults)
        yield lambda **settings: opened.enter_context(closing(configure(**settings)))


def _lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_json_has_one_object_a_line_with_moment_level_and_facts(to_log, tmp_path):
    file = tmp_path / "logs" / "orchestrator.log"
    to_log(form="json", file=file)
    structlog.get_logger().info("run.started", run="night-1", devices=3)
    (line,) = _lines(file)

    assert line["at"].endswith("Z")
    assert {key: line[key] for key in ("event", "level", "run", "devices")} == {
        "event": "run.started",
        "level": "info",
        "run": "night-1",
        "devices": 3,
    }
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_what_is_below_the_level_is_left_out(to_log, tmp_path):
    file = tmp_path / "a.log"
    to_log(level="warning", form="json", file=file)
    structlog.get_logger().info("quiet")
    structlog.get_logger().warning("loud")

    assert [line["event"] for line in _lines(file)] == ["loud"]


def test_a_file_is_added_to_and_has_no_colours(to_log, tmp_path):
    file = tmp_path / "a.log"
    for word in ("one", "two"):
        to_log(form="console", file=file)
        structlog.get_logger().info(word, device=7)

    assert len(file.read_text().splitlines()) == 2
    assert "device=7" in file.read_text()
    assert "\x1b" not in file.read_text()


def test_the_terminal_is_stderr(to_log, capsys):
    to_log(form="json")
    structlog.get_logger().info("hello")
    shown = capsys.readouterr()

    assert "hello" in shown.err
    assert shown.out == ""


@pytest.mark.parametrize("form", ["json", "console"])
def test_no_secret_reaches_a_line(to_log, tmp_path, form):
    file = tmp_path / "a.log"
    to_log(form=form, file=file, secrets=[TOKEN])
    log = structlog.get_logger()
    log.info(TOKEN, url=f"https://x/?t={TOKEN}", header={"Authorization": "Bearer x9"})
    log.info(
        "login", username="ana", password="hunter2", nested=[{"api_token": "abc"}, f"a {TOKEN}"]
    )
    log.error("broken", exc_info=ValueError(f"bad {TOKEN}"))
    text = file.read_text()

    assert [word for word in (TOKEN, "Bearer x9", "ana", "hunter2", "abc") if word in text] == []
    assert "ValueError" in text


def test_masking_leaves_numbers_and_nothing_as_they_are():
    entry = {"event": "x", "device": 7, "done": True, "token": None, "ratio": 0.5}

    assert Masking(["abc"])(None, "info", dict(entry)) == entry


def test_a_short_secret_does_not_blacken_every_line():
    assert Masking(["a"])(None, "info", {"event": "aha"}) == {"event": "aha"}


def test_a_log_that_cannot_be_opened_is_a_wrong_setting(tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(SettingsError, match=r"log file .* cannot be opened"):
        configure(file=tmp_path / "file" / "a.log")


def test_a_full_disk_does_not_end_a_run_through_its_log():
    full = Path("/dev/full").open("w", buffering=1)  # noqa: SIM115 - closing it is what is tested
    stream = Forgiving(full)
    written = stream.write("x\n")
    stream.flush()
    stream.close()

    assert written == 0
    assert full.closed


def test_a_closed_stream_is_forgiven():
    closed = io.StringIO()
    closed.close()

    assert Forgiving(closed).write("x") == 0


class _Heard:
    def __init__(self):
        self.lines = []

    def info(self, event, **facts):
        self.lines.append(("info", event, facts))

    def warning(self, event, **facts):
        self.lines.append(("warning", event, facts))

    def error(self, event, **facts):
        self.lines.append(("error", event, facts))


def test_turns_of_the_run_and_troubles_are_told_and_nothing_of_every_day():
    heard = _Heard()
    LogListener(heard).hear([*EVERY_KIND, finished()])

    assert [(level, event) for level, event, _ in heard.lines] == [
        ("info", "run.started"),
        ("info", "run.resumed"),
        ("warning", "run.interrupted"),
        ("warning", "run.paused"),
        ("info", "run.continued"),
        ("error", "run.stopped"),
        ("info", "run.finished"),
        ("warning", "sending.slowed"),
        ("info", "operation.refused"),
        ("info", "operation.unsent"),
        ("warning", "operation.lost"),
        ("warning", "device.relapsed"),
        ("info", "device.last_look_taken"),
        ("warning", "step.failed"),
        ("warning", "device.finished"),
    ]


def test_a_told_event_carries_its_facts_and_the_runs_own_moment(to_log, tmp_path):
    file = tmp_path / "a.log"
    to_log(form="json", file=file)
    LogListener(structlog.get_logger()).hear([finished(7, at=T0, verdict="failed", reason="404")])
    (line,) = _lines(file)

    assert line["happened_at"] == "2026-11-22T04:15:00.250000Z"
    assert (line["device"], line["verdict"], line["reason"]) == (7, "failed", "404")
