"""The README names every command and setting, and its playbook is one."""

import re
from pathlib import Path

from orchestrator.cli.app import COMMANDS
from orchestrator.playbook.reading import read_text
from orchestrator.settings import as_markdown

README = (Path(__file__).parents[2] / "README.md").read_text()


def test_the_table_of_settings_is_the_programs_own():
    assert as_markdown() in README


def test_every_command_is_named():
    missing = [name for name in COMMANDS if not re.search(rf"`{name}\b", README)]

    assert missing == []


def test_the_playbook_it_shows_can_be_read():
    text = README.split("```yaml\n")[1].split("```")[0]

    playbook = read_text("README.md", text, {}, lambda name: "id\n1009\n")

    assert [step.title for step in playbook.steps][:2] == ["factory", "reconf"]


def test_what_it_links_to_is_there():
    links = re.findall(r"\]\((?!http)([^)#]+)\)", README)

    assert [link for link in links if not (Path(__file__).parents[2] / link).exists()] == []
