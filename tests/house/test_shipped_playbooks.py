"""Every playbook that ships can be read, and begins with what it does, to whom, and how to undo it."""

from pathlib import Path

import pytest

from orchestrator.engine.choosing.selecting import Chooser
from orchestrator.planning.drafting.limiting import resolve_limits
from orchestrator.playbook.loading import load_playbook
from tests.support.playbooks import NOW, record

SHIPPED = sorted((Path(__file__).parents[2] / "playbooks").glob("*.yaml"))


FOR_WHAT_SERVES = (
    "careful-redeploy",
    "drift-sync",
    "firmware-rollout",
    "maintenance-reboot",
    "provision",
    "redeploy",
    "rotate-credentials",
)
FOR_OTHERS = ("decommission", "hardware-replacement", "onboard", "remediate", "update-fields")


def test_these_playbooks_ship():
    assert {path.stem for path in SHIPPED} == {*FOR_WHAT_SERVES, *FOR_OTHERS}


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_shipped_playbook_says_what_it_does_to_whom_and_how_to_undo_it(path):
    comment = path.read_text().split("\nplaybook:")[0].splitlines()

    assert all(line.startswith("# ") for line in comment)
    for title in ("# What it does ", "# To whom ", "# To undo it "):
        assert any(line.startswith(title) for line in comment)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_shipped_playbook_runs_without_any_variable_and_on_another_organization(path):
    playbook, _ = load_playbook(path)
    other, _ = load_playbook(path, {"organization": "456"})

    assert playbook.name == path.stem
    assert playbook.selection.organizations == (123,)
    assert other.selection.organizations == (456,)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
@pytest.mark.parametrize("devices", [1, 2, 3, 7, 200, 10_000])
def test_the_limits_of_a_shipped_playbook_hold_for_few_devices_and_for_many(path, devices):
    playbook, _ = load_playbook(path)

    limits = resolve_limits(playbook, devices)

    assert 1 <= limits.max_down <= devices
    assert sum(wave.devices for wave in limits.waves) in (0, devices)


@pytest.mark.parametrize("name", FOR_WHAT_SERVES)
def test_a_playbook_for_devices_in_service_chooses_no_others(name):
    playbook, _ = load_playbook(next(path for path in SHIPPED if path.stem == name))
    pending = "wifi_config" if name == "drift-sync" else "none"
    chooser = Chooser(playbook.selection, NOW)

    assert chooser.why_not(record(pending_settings=pending)) is None
    assert chooser.why_not(record(pending_settings=pending, status="Down"))
    assert chooser.why_not(record(pending_settings=pending, organization_id=456))


@pytest.mark.parametrize(
    ("name", "steps"),
    [
        ("redeploy", ["factory", "reconf"]),
        (
            "careful-redeploy",
            [
                "check status",
                "factory",
                "sleep 30s",
                "reconf",
                "approve",
                "sync",
                "check status",
                "notify",
            ],
        ),
        ("provision", ["device_factory", "reconf", "check status, is_active"]),
        ("maintenance-reboot", ["reboot"]),
        ("drift-sync", ["sync"]),
    ],
)
def test_a_shipped_playbook_does_these_steps(name, steps):
    path = next(path for path in SHIPPED if path.stem == name)

    assert [step.title for step in load_playbook(path)[0].steps] == steps
