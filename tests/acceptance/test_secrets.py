"""Secrets are found from any folder, and a run goes on only with what it was begun with."""

import os
from pathlib import Path

import pytest
from msgspec import structs

from orchestrator.adapters.plans import plan_file
from orchestrator.adapters.vault.vault_file import VaultFile
from orchestrator.adapters.vault.vault_key import VaultKey
from tests.support.recorded_runs import STORY, record

ROTATE = """\
playbook: rotate
devices: {organization: 123, status: up, limit: 2}
steps:
  - update: {password: {env: NEW_PASSWORD}}
    proof: {within: 20m}
"""
PASSWORD = "s3cret-of-this-test"


@pytest.fixture
def environment(simulator, workplace):
    key = VaultKey.new()
    VaultFile.create(Path("vault"), key)
    return simulator.environment | {
        "ORCHESTRATOR_VAULT_FILE": str(workplace / "vault"),
        "ORCHESTRATOR_VAULT_KEY": key.as_text(),
        "ORCHESTRATOR_RUNS_DIR": str(workplace / "runs"),
    }


def patches(simulator) -> int:
    return simulator.ledger()["requests"]["methods"].get("PATCH", 0)


@pytest.fixture
def begun(cli, environment, monkeypatch):
    """A run that was interrupted right after its beginning."""
    Path("rotate.yaml").write_text(ROTATE)
    monkeypatch.setenv("NEW_PASSWORD", PASSWORD)
    assert cli("plan", "rotate.yaml", "-o", "plan.json", "--seeds", "0", **environment).code == 0
    plan = plan_file.read_plan(Path("plan.json"))
    started = structs.replace(STORY[0], plan_digest=plan_file.digest(plan))
    return record(Path("runs"), (started,), plan=plan)


def test_a_run_whose_secret_is_gone_is_not_gone_on_with(begun, simulator, cli, monkeypatch):
    monkeypatch.delenv("NEW_PASSWORD")
    before = begun.journal_path.read_bytes()
    refused = cli("resume", begun.run_id)

    assert (refused.code, refused.out) == (2, "")
    assert "the environment variable NEW_PASSWORD is not set" in refused.err
    assert begun.journal_path.read_bytes() == before
    assert patches(simulator) == 0

    monkeypatch.setenv("NEW_PASSWORD", PASSWORD)
    ended = cli("resume", begun.run_id, "--plain")
    assert ended.code == 0, ended.out + ended.err
    assert patches(simulator) == 2


def test_a_run_is_not_gone_on_with_into_another_vault(begun, simulator, cli, monkeypatch):
    monkeypatch.delenv("NEW_PASSWORD")
    assert cli("resume", begun.run_id).code == 2
    monkeypatch.setenv("NEW_PASSWORD", PASSWORD)
    key = VaultKey.from_text(os.environ["ORCHESTRATOR_VAULT_KEY"], "here")
    VaultFile.create(Path("vault2"), key)

    refused = cli("resume", begun.run_id, ORCHESTRATOR_VAULT_FILE="vault2")

    assert refused.code == 2
    assert "was begun with a vault, and vault2 or its key is another" in refused.err
    assert patches(simulator) == 0


def test_a_table_with_secrets_is_found_from_any_folder(
    simulator, environment, cli, monkeypatch, workplace
):
    Path("some.yaml").write_text(ROTATE.replace("{env: NEW_PASSWORD}", "{generate: 12}"))
    assert cli("plan", "some.yaml", "-o", "some.json", "--seeds", "0", **environment).code == 0
    ids = [device.id for device in plan_file.read_plan(Path("some.json")).devices]
    (workplace / "books").mkdir()
    (workplace / "elsewhere").mkdir()
    monkeypatch.chdir(workplace / "books")
    Path("new.csv").write_text("id,password\n" + "".join(f"{i},{PASSWORD}-{i}\n" for i in ids))
    Path("rotate.yaml").write_text(
        'playbook: rotate\ndevices: {with: "@new.csv", key: id}\n'
        "steps:\n  - update: row\n    proof: {within: 20m}\n"
    )
    assert cli("plan", "rotate.yaml", "-o", "plan.json", "--seeds", "0").code == 0
    monkeypatch.chdir(workplace / "elsewhere")

    ended = cli("run", "../books/plan.json", "--yes", "--plain")

    assert ended.code == 0, ended.out + ended.err
    assert patches(simulator) == 2
