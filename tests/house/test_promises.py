"""Every promise of the two documents has a test that names it and a row that says how it is kept.

What the pages show is real: commands, their options, playbooks, and the lines of playbooks.
"""

import ast
import re
import shlex
from collections.abc import Iterator
from importlib import import_module
from keyword import iskeyword
from pathlib import Path

import click
import pytest
import typer

from orchestrator.cli.app import COMMANDS
from orchestrator.playbook.loading import load_playbook
from orchestrator.playbook.reading import read_text

ROOT = Path(__file__).parents[2]
PROMISES = (
    *(f"OP-{number}" for number in range(1, 25)),
    *(f"DV-{number}" for number in range(1, 30)),
    *(f"RS-{number}" for number in range(1, 11)),
)
PAGES = [ROOT / "docs/operations.md", ROOT / "docs/inventory.md"]
FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BESIDE_STEPS = ("rollout", "window", "guard", "requests", "rescue", "per_device", "snapshots")
TABLE = "id,serial_number,name\n1009,SN9,nine\n"

each_page = pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)


def marked(path: Path) -> Iterator[str]:
    """Give what the tests of a file are marked with; only a literal id counts."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name[:5] == "test_":
            for mark in node.decorator_list:
                if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.promise":
                    yield ast.literal_eval(mark.args[0])


def inline(path: Path) -> list[str]:
    """Give the code within the sentences and rows of a page."""
    return re.findall(r"`([^`\n]+)`", FENCED.sub("", path.read_text()))


def told_commands(path: Path) -> list[list[str]]:
    """Give the words of every call of the program that a page shows."""
    blocks = [body for language, body in FENCED.findall(path.read_text()) if language != "yaml"]
    lines = [line for body in blocks for line in body.splitlines()] + inline(path)
    calls = [line[line.index("orchestrator ") :] for line in lines if "orchestrator " in line]
    return [shlex.split(call, comments=True)[1:] for call in calls]


def yaml_blocks(path: Path) -> list[str]:
    return [body for language, body in FENCED.findall(path.read_text()) if language == "yaml"]


def test_every_promise_is_shown_by_a_test():
    found = {each for path in (ROOT / "tests/promises").glob("test_*.py") for each in marked(path)}

    assert sorted(set(PROMISES) - found) == []
    assert sorted(found - set(PROMISES)) == []


def test_every_promise_stands_in_the_page_of_its_document():
    pages = {path.stem: path.read_text() for path in PAGES}
    homes = {"OP": "operations", "RS": "operations", "DV": "inventory"}
    missing = [
        each for each in PROMISES if not re.search(rf"\| *{each} *\|", pages[homes[each[:2]]])
    ]

    assert missing == []


def command_of(words: list[str]) -> tuple[click.Command, list[str]]:
    """Give the command that is called, and what follows its name."""
    name, *rest = words
    assert name in COMMANDS, f"there is no command {name!r}"
    module = import_module(f"orchestrator.cli.commands.{name}{'_' * iskeyword(name)}")
    command = typer.main.get_command(module.app)
    if rest and (within := getattr(command, "commands", None)):
        assert rest[0] in within, f"there is no command {name} {rest[0]}"
        return within[rest[0]], rest[1:]
    return command, rest


@each_page
def test_every_command_that_a_page_shows_is_one_with_these_options(path):
    calls = told_commands(path)

    assert calls
    for words in calls:
        command, rest = command_of(words)
        known = {option for each in command.params for option in (*each.opts, *each.secondary_opts)}
        options = {each.split("=")[0] for each in rest if each.startswith("-") and each != "-"}
        needed = {
            each.opts[0]
            for each in command.params
            if each.required and isinstance(each, click.Option)
        }
        assert sorted(options - known) == [], words
        assert not rest or sorted(needed - options) == [], words


@each_page
def test_every_playbook_that_a_page_names_is_there_and_takes_the_variables_it_shows(path):
    named = set(re.findall(r"playbooks/[\w.-]+\.yaml", path.read_text()))

    assert [each for each in sorted(named) if not (ROOT / each).exists()] == []
    for words in told_commands(path):
        playbooks = [ROOT / each for each in words if each.startswith("playbooks/")]
        given = [words[at + 1].split("=", 1) for at, each in enumerate(words) if each == "--var"]
        variables = {name: value for name, value in given if not value.startswith("@")}
        for each in playbooks:
            load_playbook(each, variables)


@each_page
def test_every_whole_playbook_that_a_page_shows_can_be_read(path):
    whole = [body for body in yaml_blocks(path) if re.search(r"^playbook:", body, re.MULTILINE)]

    assert whole
    for body in whole:
        read_text(path.name, body, {}, lambda name: TABLE)


def alone(snippet: str) -> str:
    """Give a playbook around the lines of one, in which everything else is as short as can be."""
    devices, steps, more = "devices: {all: true}", "- operation: reboot", ""
    key = snippet.split(":", maxsplit=1)[0]
    if key.startswith("- "):
        steps = snippet
    elif key == "devices":
        devices, steps = snippet, "- update: {debug: false}"
    elif key in BESIDE_STEPS:
        steps, more = f"{steps}\n    attempts: 1", snippet
    else:
        steps += f"\n    {snippet}"
    if "escalate" in snippet:
        more += "\nnotify: {to: noc}"
    return f"playbook: alone\n{devices}\nsteps:\n  {steps}\n{more}\n"


def test_the_lines_of_playbooks_on_the_page_of_operations_can_be_read():
    found = [
        each
        for each in inline(PAGES[0])
        if re.match(rf"- \w+: |(devices|proof|attempts|{'|'.join(BESIDE_STEPS)}): ", each)
    ]

    assert len(found) > 20
    for each in found:
        read_text(each, alone(each), {}, lambda name: "id\n1009\n")
