"""People are told of a run; a playbook that notifies somebody unknown is refused before it begins."""

from pathlib import Path

import pytest

from tests.acceptance.conftest import REBOOT

TELLING = REBOOT + "notify: {to: [noc], on: [started, finished]}\n"


@pytest.fixture
def telling(workplace):
    Path("telling.yaml").write_text(TELLING)
    Path("targets").touch(mode=0o600)
    return Path("targets")


def test_people_are_told_and_the_place_stays_secret(simulator, cli, telling, webhook):
    url, told = webhook
    telling.write_text(f"noc = {url}\n")

    ended = cli(
        *("run", "telling.yaml", "--id", "night-1"),
        **simulator.environment,
        ORCHESTRATOR_NOTIFY_FILE="targets",
    )

    files = [path for path in Path("logs").rglob("*") if path.is_file()]
    assert ended.code in (0, 1)
    assert len(told) == 2
    assert "night-1" in str(told[0])
    assert Path("logs/runs/night-1/journal.jsonl").read_text().count("NotificationSent") == 2
    assert "s3cret-word" not in ended.out + ended.err
    assert not [path for path in files if "s3cret-word" in path.read_text()]
    assert cli("audit", "verify", "night-1").code == 0


@pytest.mark.parametrize("lines", [None, "chat = json://127.0.0.1:9\n"], ids=["no file", "another"])
def test_somebody_unknown_is_named_before_anything_is_sent(simulator, cli, telling, lines):
    file = {} if lines is None else {"ORCHESTRATOR_NOTIFY_FILE": "targets"}
    telling.write_text(lines or "")

    ended = cli("run", "telling.yaml", "--id", "night-1", **simulator.environment, **file)

    assert ended.code == 2
    assert "the playbook notifies 'noc'" in ended.err
    assert not Path("logs/runs/night-1").exists()
    assert set(simulator.ledger()["requests"]["methods"]) <= {"GET"}
