"""Every end has its exit code (design 6.9), and no end shows a traceback."""

import errno
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import typer

from orchestrator.adapters.runs.journal_lines import Finding, JournalFaultError
from orchestrator.cli import failing
from orchestrator.cli.exit_codes import DeclinedError, ExitCode, NeedsYesError, exit_code_of
from orchestrator.model import errors
from orchestrator.model.events import RunInterrupted, RunStopped
from orchestrator.report.summary import Summary
from tests.support import histories


def outcome(*verdicts: str, finished: bool = True, interrupted=None, stopped=None):
    summary = Summary()
    summary.after(histories.run_started(devices=len(verdicts)))
    for device, verdict in enumerate(verdicts):
        summary.after(histories.finished(device, verdict=verdict))
    return SimpleNamespace(
        summary=summary, finished=finished, interrupted=interrupted, stopped=stopped
    )


def interrupted(cause: str) -> RunInterrupted:
    return RunInterrupted(histories.T0, "because", cause)


def stopped(cause: str) -> RunStopped:
    return RunStopped(histories.T0, cause, "because")


@pytest.mark.parametrize(
    ("end", "code"),
    [
        (outcome("succeeded", "skipped"), ExitCode.DONE),
        (outcome(), ExitCode.DONE),
        (outcome("succeeded", "failed"), ExitCode.TROUBLE),
        (outcome("unconfirmed"), ExitCode.TROUBLE),
        (outcome("in_doubt"), ExitCode.TROUBLE),
        (outcome("succeeded", "not_started"), ExitCode.STOPPED),
        (outcome("succeeded", "deferred"), ExitCode.STOPPED),
        (outcome("failed", "deferred"), ExitCode.STOPPED),
        (outcome("succeeded", stopped=stopped("budget")), ExitCode.STOPPED),
        (outcome("failed", "not_started", stopped=stopped("wave")), ExitCode.STOPPED),
        (outcome("succeeded", "not_started", stopped=stopped("denied")), ExitCode.STOPPED),
        (outcome("failed", stopped=stopped("person")), ExitCode.STOPPED),
        (outcome("failed", stopped=stopped("invalid_request")), ExitCode.STOPPED),
        (outcome(stopped=stopped("controller")), ExitCode.CONTROLLER),
        (outcome("failed", finished=False, interrupted=interrupted("person")), 130),
        (outcome(finished=False, interrupted=interrupted("controller")), ExitCode.CONTROLLER),
        (outcome("succeeded", interrupted=interrupted("person")), ExitCode.DONE),
        (outcome("succeeded", finished=False), ExitCode.STOPPED),
    ],
)
def test_a_run_ends_with_the_exit_code_of_what_became_of_it(end, code):
    assert exit_code_of(end) == code


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.PlaybookError([]), 2),
        (errors.SettingsError("x"), 2),
        (errors.SelectionError("x"), 2),
        (errors.RunError("x"), 2),
        (errors.RunLockedError("x"), 2),
        (errors.UnrecordedError("x"), 4),
        (NeedsYesError("x"), 2),
        (JournalFaultError("j", 1, "edited", Finding.CHANGED), 2),
        (errors.JournalError("the disk is full"), 4),
        (DeclinedError("x"), 4),
        (errors.UnreachableError("x"), 5),
        (errors.UnauthorisedError("x"), 5),
        (errors.RefusedError("x", status=403), 5),
        (KeyboardInterrupt(), 130),
        (BrokenPipeError(), 141),
        (typer.BadParameter("x"), 2),
        (typer.Exit(7), 7),
        (typer.Abort(), 130),
        (SystemExit(0), 0),
    ],
)
def test_an_error_ends_with_its_exit_code(error, code):
    assert failing.end(error) == code


def test_an_error_is_one_message_on_stderr(capsys):
    failing.end(errors.RunError("there is no run 'x'"))

    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "error: there is no run 'x'\n")


def test_a_message_cannot_steer_the_terminal(capsys):
    failing.end(errors.RunError("a name \x1b[2J from outside"))

    assert capsys.readouterr().err == "error: a name ?[2J from outside\n"


def test_faults_of_a_playbook_are_shown_with_their_place(capsys):
    fault = errors.Fault("a.yaml", 3, 5, "steps", "there is no such key", source="    stepz:")

    failing.end(errors.PlaybookError([fault]))

    assert "a.yaml:3:5: there is no such key" in capsys.readouterr().err


def test_an_error_in_a_group_of_tasks_counts_as_itself(capsys):
    error = BaseExceptionGroup("tasks", [ExceptionGroup("more", [errors.JournalError("full")])])

    assert failing.end(error) == 4
    assert "full" in capsys.readouterr().err


def test_a_bug_in_a_group_counts_more_than_its_consequences(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)

    code = failing.end(ExceptionGroup("tasks", [errors.JournalError("full"), KeyError("x")]))

    assert code == 3
    assert "KeyError" in capsys.readouterr().err


def test_a_bug_in_a_group_of_tasks_is_named_itself_and_logged_with_all_that_happened(
    cli, monkeypatch
):
    def broken() -> None:
        inner = ExceptionGroup("deeper", [ZeroDivisionError()])
        raise ExceptionGroup("tasks", [errors.JournalError("full"), inner])

    monkeypatch.setattr("orchestrator.settings.as_markdown", broken)

    ended = cli("settings", "--markdown", "--log-file", "own.log")

    assert ended.code == 3
    assert "(ZeroDivisionError)" in ended.err
    assert "full" in Path("own.log").read_text()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
@pytest.mark.parametrize(
    "arguments", [["schema"], ["--version"], ["settings", "--json"], ["--help"]]
)
@pytest.mark.parametrize("unbuffered", ["", "1"], ids=["at the end", "at once"])
def test_a_stdout_that_is_full_is_no_bug_of_ours(tmp_path, arguments, unbuffered):
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            [sys.executable, "-m", "orchestrator", *arguments],
            env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
            cwd=tmp_path,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )

    assert ended.stderr == "error: the output cannot be written: the disk is full\n"
    assert ended.returncode == 2


def test_trouble_with_another_file_than_stdout_is_still_a_bug(cli, monkeypatch):
    def broken() -> None:
        raise PermissionError(errno.EACCES, "Permission denied", "somewhere")

    monkeypatch.setattr("orchestrator.settings.as_markdown", broken)

    assert cli("settings", "--markdown", "--log-file", "own.log").code == 3


def test_ctrl_c_while_the_program_is_still_being_read_is_no_traceback(tmp_path):
    program = (
        "import sys\n"
        "class Interrupted:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'orchestrator.cli.failing':\n"
        "            raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Interrupted())\n"
        "from orchestrator.cli import main\n"
        "sys.exit(main(['--version']))\n"
    )

    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )

    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", "")


def test_a_bug_is_one_line_on_the_screen_and_a_traceback_in_the_log(cli, monkeypatch):
    def broken() -> None:
        raise ZeroDivisionError("inner secret of ours")

    monkeypatch.setattr("orchestrator.settings.as_markdown", broken)

    ended = cli("settings", "--markdown", "--log-file", "own.log")

    assert ended.code == 3
    assert ended.err == (
        "error: this is a bug in orchestrator (ZeroDivisionError); the traceback is in own.log\n"
    )
    assert "in broken" in Path("own.log").read_text()


def test_a_bug_without_a_log_is_still_one_line(cli, monkeypatch):
    def broken() -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("orchestrator.settings.as_markdown", broken)
    Path("folder").mkdir()

    ended = cli("settings", "--markdown", "--log-file", "folder")

    assert ended.code == 3
    assert "the log could not be written either" in ended.err


def test_a_reader_that_goes_away_is_not_told_anything(cli, monkeypatch):
    def gone(*_: object) -> None:
        raise BrokenPipeError(errno.EPIPE, "Broken pipe")

    monkeypatch.setattr("orchestrator.cli.screen.show_data", gone)

    ended = cli("schema")

    assert (ended.code, ended.out, ended.err) == (141, "", "")
