"""The commands by name: quick to show, forgiving to typos, silent about secrets."""

import subprocess
import sys

import pytest

from orchestrator import __version__
from orchestrator.cli.app import COMMANDS

HEAVY = ("aiohttp", "pydantic_settings", "anyio", "structlog", "rich", "yaml", "orjson")


@pytest.mark.parametrize(
    ("arguments", "more"),
    [(["--help"], "pydantic"), (["--version"], "pydantic"), (["run", "--help"], "asyncio")],
    ids=["help", "version", "help of a command"],
)
def test_help_imports_nothing_heavy(arguments, more):
    program = (
        "import sys\n"
        "from orchestrator.cli import main\n"
        f"code = main({arguments!r})\n"
        f"heavy = [name for name in {(*HEAVY, more)!r} if name in sys.modules]\n"
        "sys.exit(f'imported {heavy}' if heavy else code)"
    )

    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )

    assert (ended.returncode, ended.stderr) == (0, "")


def test_help_names_every_command_within_80_columns(cli):
    ended = cli("--help")

    assert ended.code == 0
    assert all(f"\n  {name} " in ended.out for name in COMMANDS)
    assert max(map(len, ended.out.splitlines())) <= 80


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself_within_80_columns(cli, name):
    ended = cli(name, "--help")

    assert ended.code == 0
    assert ended.out.startswith(f"Usage: orchestrator {name}")
    assert max(map(len, ended.out.splitlines())) <= 80


def test_no_command_at_all_shows_the_help_and_is_bad_usage(cli):
    ended = cli()

    assert ended.code == 2
    assert "Commands:" in ended.out


def test_the_version_is_shown(cli):
    assert cli("--version").out == f"orchestrator {__version__}\n"


def test_an_unknown_command_is_answered_with_the_nearest(cli):
    ended = cli("resum", "x")

    assert ended.code == 2
    assert ended.err.startswith("error: there is no command 'resum'; did you mean 'resume'?\n")
    assert ended.out == ""


def test_an_unknown_option_is_answered_with_the_nearest(cli):
    ended = cli("runs", "--runs-dirr", "x")

    assert ended.code == 2
    assert "there is no option --runs-dirr; did you mean --runs-dir?" in ended.err


def test_a_missing_argument_is_named(cli):
    ended = cli("show")

    assert ended.code == 2
    assert "missing argument 'RUN'" in ended.err
    assert "See: orchestrator show --help" in ended.err


@pytest.mark.parametrize(
    "arguments",
    [("--token", "s3cret-token", "runs"), ("runs", "--token", "s3cret-token")],
    ids=["before the command", "after it"],
)
def test_a_token_on_the_command_line_is_refused_with_what_to_do_instead(cli, arguments):
    ended = cli(*arguments)

    assert ended.code == 2
    assert "ORCHESTRATOR_TOKEN" in ended.err
    assert "--token-file" in ended.err
    assert "s3cret-token" not in ended.err


def test_the_audit_key_is_refused_on_the_command_line_too(cli):
    ended = cli("audit", "verify", "x", "--audit-key", "s3cret-key")

    assert ended.code == 2
    assert "ORCHESTRATOR_AUDIT_KEY" in ended.err


def test_a_shell_is_offered_commands_runs_and_playbooks(tmp_path):
    (tmp_path / "logs/runs/night-1").mkdir(parents=True)
    (tmp_path / "reboot.yaml").touch()

    def offered(words: str) -> list[str]:
        done = subprocess.run(
            [sys.executable, "-m", "orchestrator"],
            env={
                "_ORCHESTRATOR_COMPLETE": "complete_bash",
                "COMP_WORDS": words,
                "COMP_CWORD": str(len(words.split(" ")) - 1),
            },
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.split()

    assert offered("orchestrator res") == ["resume"]
    assert offered("orchestrator show n") == ["night-1"]
    assert offered("orchestrator plan re") == ["reboot.yaml"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("audit export last --format xml", "--format: 'xml' is not one of 'csv', 'jsonl'"),
        ("devices list --organization 1.5", "--organization takes a whole number, this is '1.5'"),
        ("demo --speed fast", "--speed takes a number, this is 'fast'"),
        ("demo --devices 0", "--devices must be at least 1, this is '0'"),
        ("simulator --port 99999", "--port must be at most 65535, this is '99999'"),
    ],
)
def test_a_value_that_an_option_does_not_take_is_answered_with_what_it_takes(
    cli, arguments, sentence
):
    ended = cli(*arguments.split())

    assert ended.code == 2
    assert ended.err.startswith(f"error: {sentence}\n")
