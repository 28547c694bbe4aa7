"""Each ends in one clear message and the right exit code, and nothing is sent that should not be."""

import json
import socket
import ssl
import threading
from dataclasses import replace
from functools import partial
from pathlib import Path

import anyio
import pytest
from msgspec import structs

from orchestrator import bootstrap, planner
from orchestrator.adapters.plans import plan_file
from orchestrator.settings import load
from tests.acceptance.conftest import REBOOT, TOKEN
from tests.support.recorded_runs import ENDING, STORY, plan_of, record

SUPPORT = Path(__file__).parents[1] / "support"


@pytest.fixture
def quiet(shared_simulator):
    """A simulator that must not be sent anything but reads."""
    yield shared_simulator
    assert set(shared_simulator.ledger()["requests"]["methods"]) <= {"GET"}


def only_message(ended) -> str:
    """Give the one message that a command ended with."""
    assert ended.err.count("error:") == 1
    return ended.err


def test_a_wrong_token(quiet, cli):
    environment = {**quiet.environment, "ORCHESTRATOR_TOKEN": "wrong-token-0815"}

    ended = cli("run", "reboot.yaml", **environment)

    assert ended.code == 5
    assert "token" in only_message(ended)
    assert "wrong-token-0815" not in ended.out + ended.err
    assert not Path("logs/runs").exists()


def test_the_folder_of_a_run_that_died_before_its_first_event_is_used_again(
    simulator, cli, monkeypatch
):
    for name, value in simulator.environment.items():
        monkeypatch.setenv(name, value)
    dead = Path("logs/runs/night-1")
    dead.mkdir(parents=True)
    for name in ("lock", "journal.jsonl"):
        (dead / name).touch()
    settings = load()

    plan = anyio.run(planner.make_plan, settings, Path("reboot.yaml"), {})
    outcome = anyio.run(partial(bootstrap.start_run, settings, plan, run_id="night-1"))

    assert outcome.finished
    assert cli("audit", "verify", "night-1").code == 0


def test_no_token_at_all(quiet, cli):
    environment = {**quiet.environment, "ORCHESTRATOR_TOKEN": ""}

    ended = cli("plan", "reboot.yaml", **environment)

    assert ended.code == 2
    assert "ORCHESTRATOR_TOKEN" in only_message(ended)


def test_an_unreachable_host(cli):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}/api/v1"

    ended = cli(
        *("run", "reboot.yaml", "--base-url", address, "--read-attempts", "1"),
        ORCHESTRATOR_TOKEN=TOKEN,
    )

    assert ended.code == 5
    assert "127.0.0.1" in only_message(ended)


def test_a_certificate_that_does_not_verify(cli):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(SUPPORT / "loopback_certificate.pem", SUPPORT / "loopback_key.pem")
    with socket.create_server(("127.0.0.1", 0)) as server:

        def shake_hands_once() -> None:
            connection, _ = server.accept()
            with connection:
                try:
                    context.wrap_socket(connection, server_side=True)
                except (ssl.SSLError, OSError):
                    return

        thread = threading.Thread(target=shake_hands_once)
        thread.start()
        address = f"https://127.0.0.1:{server.getsockname()[1]}/api/v1"
        ended = cli(
            *("plan", "reboot.yaml", "--base-url", address, "--read-attempts", "1"),
            ORCHESTRATOR_TOKEN=TOKEN,
        )
        thread.join()

    assert ended.code == 5
    assert "certificate" in only_message(ended)


def test_a_token_in_clear_over_the_network_is_refused(cli):
    ended = cli("plan", "reboot.yaml", "--base-url", "http://control.example.com/api/v1")

    assert ended.code == 2
    assert "in clear" in only_message(ended)


def test_a_playbook_with_three_faults(quiet, cli):
    Path("wrong.yaml").write_text(
        REBOOT.replace("operation: reboot", "operation: rebot")
        .replace("max_down", "max_dwn")
        .replace("status: up", "status: upp")
    )

    ended = cli("run", "wrong.yaml", **quiet.environment)

    assert ended.code == 2
    assert ended.err.count("wrong.yaml:") == 3
    assert ended.out == ""


def test_an_empty_selection(quiet, cli):
    Path("none.yaml").write_text(REBOOT.replace("organization: 123", "organization: 999"))

    ended = cli("run", "none.yaml", **quiet.environment)

    assert ended.code == 2
    assert "chose 0 of" in only_message(ended)


def test_a_selection_of_everything(quiet, cli):
    Path("all.yaml").write_text("playbook: all\ndevices: {}\nsteps: [{operation: reboot}]\n")

    ended = cli("run", "all.yaml", **quiet.environment)

    assert ended.code == 2
    assert "all: true" in ended.err


def test_records_are_deleted_only_by_their_number(simulator, cli):
    Path("gone.yaml").write_text(
        "playbook: gone\ndevices: {include: [1001, 1002]}\nsteps: [delete: true]\n"
        "guard: {status: any, is_active: any, pending_settings: any}\nsnapshots: record\n"
    )
    cli("plan", "gone.yaml", "-o", "gone.json", "--seeds", "0", **simulator.environment)

    for words in (("gone.yaml", "--yes"), ("gone.yaml",), ("gone.json", "--yes")):
        unsaid = cli("run", *words)
        assert unsaid.code == 2
        assert "confirm with --delete 2" in " ".join(only_message(unsaid).split())
    miscounted = cli("run", "gone.yaml", "--yes", "--delete", "3")
    by_the_clock = cli("run", "gone.yaml", "--cron", "--yes")
    methods = set(simulator.ledger()["requests"]["methods"])
    right = cli("run", "gone.json", "--delete", "2", "--plain")

    assert (miscounted.code, by_the_clock.code) == (2, 2)
    assert "would delete 2 records; nothing was sent" in " ".join(miscounted.err.split())
    assert "confirm with --delete 2" in " ".join(only_message(by_the_clock).split())
    assert methods == {"GET"}
    assert right.code == 0, right.err
    assert simulator.ledger()["requests"]["methods"]["DELETE"] == 2


def test_a_destructive_run_without_a_terminal_and_without_yes(quiet, cli):
    ended = cli("run", "redeploy.yaml", **quiet.environment)

    assert ended.code == 2
    assert "--yes" in only_message(ended)
    assert not Path("logs/runs").exists()


def test_a_run_id_that_cannot_be_one(quiet, cli):
    ended = cli("run", "reboot.yaml", "--id", "../elsewhere", **quiet.environment)

    assert ended.code == 2
    assert "cannot name a run" in only_message(ended)


def test_a_run_id_that_is_taken(quiet, cli):
    record(Path("logs/runs"), STORY)

    ended = cli("run", "reboot.yaml", "--id", "night-1", **quiet.environment)

    assert ended.code == 2
    assert "there is a run night-1 already" in only_message(ended)


def test_a_run_that_does_not_exist(quiet, cli):
    ended = cli("resume", "night-1", **quiet.environment)

    assert ended.code == 2
    assert "there are no runs" in only_message(ended)


def test_a_second_process_on_the_same_run(quiet, cli):
    folder = record(Path("logs/runs"), STORY)

    with folder.locked(now=0.0):
        ended = cli("resume", "night-1", **quiet.environment)

    assert ended.code == 2
    assert "is being driven by process" in only_message(ended)


def test_a_journal_that_was_edited_by_hand(quiet, cli):
    folder = record(Path("logs/runs"), STORY)
    lines = folder.journal_path.read_text().splitlines(keepends=True)
    folder.journal_path.write_text("".join(lines[:5] + lines[6:]))

    ended = cli("resume", "night-1", **quiet.environment)

    assert ended.code == 2
    assert "journal.jsonl:6" in only_message(ended)


def begun_with_its_plan():
    """Give the story as a run of its plan leaves it."""
    digest = plan_file.digest(plan_of(1001, 1002, 1003))
    return (structs.replace(STORY[0], plan_digest=digest), *STORY[1:])


def test_a_plan_that_is_not_the_runs_own(quiet, cli):
    record(Path("logs/runs"), STORY)

    ended = cli("resume", "night-1", **quiet.environment)

    assert ended.code == 2
    assert "is not the one its journal was begun with" in only_message(ended)


def test_a_run_of_another_controller(quiet, cli):
    record(Path("logs/runs"), begun_with_its_plan())

    ended = cli("resume", "night-1", **quiet.environment)

    assert ended.code == 2
    assert "control.example.com" in only_message(ended)


def test_a_run_that_is_over(quiet, cli):
    plan = replace(plan_of(1001, 1002, 1003), controller=quiet.environment["ORCHESTRATOR_BASE_URL"])
    digest = plan_file.digest(plan)
    story = (structs.replace(STORY[0], plan_digest=digest), *STORY[1:], *ENDING)
    record(Path("logs/runs"), story, plan=plan)

    ended = cli("resume", "night-1", **quiet.environment)

    assert ended.code == 2
    assert "is finished; there is nothing to resume" in only_message(ended)


def test_a_plan_changes_nothing_and_says_what_to_type_next(quiet, cli):
    ended = cli("plan", "reboot.yaml", **quiet.environment)

    assert ended.code == 0
    assert "Touched (8), in this order:" in ended.out
    assert "Not touched (" in ended.out
    assert "at most 4 devices out of service at once" in ended.out
    assert "Nothing was changed. To do it:\n  orchestrator run reboot.yaml\n" in ended.out
    assert not Path("logs/runs").exists()


def test_a_plan_for_programs(quiet, cli):
    told = json.loads(cli("plan", "reboot.yaml", "--json", **quiet.environment).out)

    assert len(told["devices"]) == 8
    assert told["limits"]["max_down"] == 4
    assert told["operation_requests"] == 8


def test_devices_are_listed_by_filters(quiet, cli):
    ended = cli(
        *("devices", "list", "--organization", "123", "--status", "up", "--json"),
        *("--where", 'software_version: {below: "2.5"}', "--where", "is_active=true"),
        **quiet.environment,
    )

    records = [json.loads(line) for line in ended.out.splitlines()]
    assert ended.code == 0
    assert records
    assert {record["organization_id"] for record in records} == {123}
    assert {record["status"] for record in records} == {"Up"}
    assert f"{len(records)} devices of " in ended.err


def test_devices_are_listed_by_a_playbook_with_the_reasons_for_the_others(quiet, cli):
    ended = cli("devices", "list", "reboot.yaml", "--why", **quiet.environment)

    assert ended.code == 0
    assert len(ended.out.splitlines()) == 9
    assert "beyond the limit of 8" in ended.err


def test_all_devices_as_csv(quiet, cli):
    ended = cli("devices", "list", "--csv", **quiet.environment)

    lines = ended.out.splitlines()
    assert lines[0].startswith("id,serial_number,name,status")
    assert len(lines) == 61
    assert "cpe-1001" not in ended.out


def test_a_filter_with_a_fault_is_explained_as_in_a_playbook(quiet, cli):
    ended = cli("devices", "list", "--where", "softwar_version: {belo: 2}", **quiet.environment)

    assert ended.code == 2
    assert "command line:" in ended.err
    assert "did you mean" in ended.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("reboot.yaml", "--organization", "1"),
        ("--var", "a=1"),
        ("--json", "--csv"),
        ("--where", "a: 1\nb: 2"),
    ],
    ids=["a playbook and filters", "vars of nothing", "two forms", "two lines"],
)
def test_a_list_that_cannot_be_meant(cli, arguments):
    assert cli("devices", "list", *arguments).code == 2


def test_a_simulator_on_a_port_that_is_taken(cli):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ended = cli("simulator", "--port", str(taken.getsockname()[1]))

    assert ended.code == 2
    assert "--port 0" in only_message(ended)


def test_a_simulator_with_faults_that_are_not_known(cli):
    ended = cli("simulator", "--faults", "rate_999=1")

    assert ended.code == 2
    assert "no such fault: rate_999" in only_message(ended)
