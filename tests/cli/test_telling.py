"""`validate`, `schema` and `settings`: what can be told without a controller."""

import json
from pathlib import Path

import pytest

from orchestrator.cli import shipped
from orchestrator.cli.options import CONTROLLER, LOG, OTHERS, RUNS, again, read_settings
from orchestrator.model.errors import RunError
from orchestrator.settings import Settings, as_markdown

THREE_FAULTS = """\
playbook: wrong
devices:
  organisation: 123
  status: upp
steps:
  - operation: rebot
"""


def test_every_fault_of_every_file_is_named_at_once(cli):
    Path("wrong.yaml").write_text(THREE_FAULTS)
    Path("also.yaml").write_text("playbook: also\n")

    ended = cli("validate", "wrong.yaml", "also.yaml", "missing.yaml")

    assert ended.code == 2
    assert "wrong.yaml:3:3: " in ended.err
    assert "did you mean 'organization'?" in ended.err
    assert "wrong.yaml:4:" in ended.err
    assert "did you mean 'reboot'?" in ended.err
    assert "    6 |   - operation: rebot\n      |                ^^^^^" in ended.err
    assert "also.yaml:1:1" in ended.err
    assert "missing.yaml:1:1: the playbook does not exist" in ended.err
    assert ended.out == ""


def test_a_good_playbook_is_valid(cli):
    path = shipped.playbook("redeploy.yaml")

    ended = cli("validate", path, "--var", "limit=5")

    assert (ended.code, ended.out, ended.err) == (0, f"{path}: valid\n", "")


def test_a_variable_that_is_not_declared_is_a_fault(cli):
    ended = cli("validate", shipped.playbook("redeploy.yaml"), "--var", "limmit=5")

    assert ended.code == 2
    assert "--var limmit" in ended.err


@pytest.mark.parametrize("pair", ["limit", "=5", ""])
def test_a_variable_is_written_with_an_equals_sign(cli, pair):
    ended = cli("validate", shipped.playbook("redeploy.yaml"), "--var", pair)

    assert ended.code == 2
    assert "--var takes name=value" in ended.err


def test_a_variable_is_given_once(cli):
    ended = cli("validate", "x.yaml", "--var", "a=1", "--var", "a=2")

    assert ended.code == 2
    assert "--var a is given twice" in ended.err


def test_a_shipped_playbook_that_is_missing_is_one_message():
    with pytest.raises(RunError, match="install it again"):
        shipped.playbook("nonsense.yaml")


def test_the_schema_is_json(cli):
    schema = json.loads(cli("schema").out)

    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_every_setting_is_shown_with_its_source_and_secrets_are_not(cli, monkeypatch):
    monkeypatch.setenv("ORCHESTRATOR_TOKEN", "s3cret-token")
    monkeypatch.setenv("ORCHESTRATOR_BASE_URL", "https://one.example.com/api/v1")
    Path(".env").write_text("ORCHESTRATOR_BASE_URL=https://two.example.com/api/v1\n")

    ended = cli("settings", "--log-level", "debug")

    assert ended.code == 0
    assert "ORCHESTRATOR_BASE_URL = https://two.example.com/api/v1  (.env)" in ended.out
    assert "ORCHESTRATOR_TOKEN = ********  (environment)" in ended.out
    assert "ORCHESTRATOR_LOG_LEVEL = debug  (command line)" in ended.out
    assert "s3cret" not in ended.out
    assert max(map(len, ended.out.splitlines())) <= 80


def test_settings_as_json_name_every_setting(cli):
    told = json.loads(cli("settings", "--json").out)

    assert [each["name"] for each in told] == list(Settings.model_fields)


def test_settings_as_markdown_are_the_table_of_the_readme(cli):
    assert cli("settings", "--markdown").out == as_markdown()


def test_settings_are_shown_in_one_form_at_a_time(cli):
    assert cli("settings", "--markdown", "--json").code == 2


def test_a_wrong_setting_is_one_message(cli):
    ended = cli("settings", "--speed", "fast", "--page-size", "0")

    assert ended.code == 2
    assert "--speed: must be a number" in ended.err
    assert "--page-size: must be at least 1" in ended.err


def test_a_probable_mistake_in_the_environment_is_a_warning(cli, monkeypatch):
    monkeypatch.setenv("ORCHESTRATOR_SERVICE_HOST", "10.0.0.1")

    ended = cli("settings")

    assert ended.code == 0
    assert ended.err.startswith("warning: ORCHESTRATOR_SERVICE_HOST in the environment")


def test_every_setting_but_the_secret_ones_is_an_option():
    assert {*CONTROLLER, *RUNS, *OTHERS, *LOG} == set(Settings.model_fields) - {
        "token",
        "audit_key",
        "vault_key",
        "plan_lifetime",  # the option of `plan` is --expires
    }


def test_a_command_to_type_repeats_what_this_one_was_given(cli):
    settings = read_settings(
        {"base_url": "http://127.0.0.1:8470/api/v1", "speed": "60", "allow_plain_http": "true"}
    )

    assert again(settings, "resume", "night-1") == (
        "orchestrator resume night-1 --base-url http://127.0.0.1:8470/api/v1"
        " --allow-plain-http true --speed 60"
    )
