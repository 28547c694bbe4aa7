"""The secrets of a run: stored before they are sent, the same when asked again, kept until seen."""

from dataclasses import replace
from pathlib import Path

import pytest
import structlog

from orchestrator.adapters.run_secrets import (
    MemoryStore,
    VaultPlace,
    check_secrets,
    open_secrets,
    secrets_of,
)
from orchestrator.adapters.sealed_table import Opened, seal
from orchestrator.adapters.vault_file import VaultFile
from orchestrator.adapters.vault_key import VaultKey
from orchestrator.model.commands import PrepareDevice, SendChange
from orchestrator.model.errors import SecretError, UnrecordedError
from orchestrator.model.events import DeviceFound, OperationAccepted, StepFailed, StepSucceeded
from orchestrator.model.operations import Action
from orchestrator.model.plans import Limits, Plan, PlannedDevice
from orchestrator.model.playbooks import Playbook, PlaybookSource
from orchestrator.model.selections import Selection
from orchestrator.model.steps import RecordStep, default_proof
from orchestrator.model.values import Assignment, Secret, SecretKind
from orchestrator.playbook.loading import text_digest
from orchestrator.playbook.tables import table_of

GENERATED = Secret(SecretKind.GENERATE, length=12)
FROM_ENV = Secret(SecretKind.ENV, "NEW_PASSWORD")
CSV = "serial_number,password\nZN1001,s3cret-one\nZN1002,s3cret-two\n"


class Clock:
    """A clock that stands still."""

    speed = 1.0

    def now(self):
        return 100.0

    async def sleep(self, seconds):
        raise AssertionError

    def steady(self):
        return 0.0


def step_with(*secrets: Secret, takes_row=False) -> RecordStep:
    names = ("password", "username", "other_secret")
    assignments = tuple(map(Assignment, names, secrets))
    proof = default_proof(Action.UPDATE)
    return RecordStep(Action.UPDATE, proof, 3, assignments=assignments, takes_row=takes_row)


def plan_with(*steps: RecordStep, table=None, source=None) -> Plan:
    return Plan(
        Playbook("rotate", "", Selection(), steps, table=table),
        source or PlaybookSource("rotate.yaml", ""),
        "https://control.example.com/api/v1",
        created_at=0.0,
        devices=tuple(PlannedDevice(d, f"ZN{d}", f"branch {d}") for d in (1001, 1002)),
        limits=Limits(devices=2, max_down=2, in_flight=20, delay=0.2, per_second=None),
    )


def wanted(secret: Secret = GENERATED, *, device=1001, step=0, field="password", **changes):
    return PrepareDevice(
        device=device,
        step=step,
        record=changes.get("record", device),
        serial_number=changes.get("serial_number", f"ZN{device}"),
        deep=False,
        secrets=(Assignment(field, secret),) if secret else (),
        row=f"ZN{device}",
    )


def change(secret: Secret = GENERATED, *, device=1001, step=0, field="password") -> SendChange:
    return SendChange(device, step, 1, Action.UPDATE, device, {}, {field: secret})


def seen(device=1001, step=0, at=200.0) -> StepSucceeded:
    return StepSucceeded(at, device, step, "contact")


@pytest.fixture
def key():
    return VaultKey.new()


@pytest.fixture
def place(tmp_path, key):
    VaultFile.create(tmp_path / "vault", key)
    return VaultPlace(tmp_path / "vault", key.as_text())


@pytest.fixture
def run(tmp_path):
    """Open the secrets of a run, as often as a test likes."""

    def open_run(plan, place, run_id="run-1", *, begins=True, command=None, environment=None):
        folder = tmp_path / run_id
        folder.mkdir(exist_ok=True)
        if begins:
            check_secrets(plan, place, command, environment or {})
        return open_secrets(
            plan, folder, Clock(), place, command=command, environment=environment or {}
        )

    return open_run


def holding(place):
    (found,) = place.open().read().holdings.values()
    return found


def values(entries):
    return [each.value.reveal() for each in entries]


ROTATION = plan_with(step_with(GENERATED))


async def test_a_secret_is_in_the_vault_before_it_is_given_out(run, place):
    secrets = run(ROTATION, place)
    told = await secrets.prepare(wanted())

    (prepared,) = holding(place).prepared
    assert secrets.reveal(change()) == {"password": prepared.value.reveal()}
    assert (prepared.record, prepared.name, prepared.at) == (1001, "branch 1001", 100.0)
    assert prepared.owner.device == "ZN1001"
    assert told["password"].startswith("fp:")
    assert prepared.value.reveal() not in str(told)


async def test_a_step_that_is_tried_again_sends_the_same_secret(run, place):
    secrets = run(ROTATION, place)
    first = await secrets.prepare(wanted())
    value = secrets.reveal(change())

    assert await secrets.prepare(wanted()) == first
    assert secrets.reveal(change()) == value
    assert len(holding(place).entries) == 1


async def test_another_device_step_or_run_gets_a_secret_of_its_own(run, place):
    secrets, other = run(ROTATION, place), run(ROTATION, place, "run-2")
    told = [
        await secrets.prepare(wanted()),
        await secrets.prepare(wanted(step=1)),
        await secrets.prepare(wanted(device=1002)),
        await other.prepare(wanted()),
    ]

    assert len({each["password"] for each in told}) == 4


async def test_after_a_death_between_prepare_and_send_the_same_secret_is_sent(run, place):
    before = run(ROTATION, place)
    first = await before.prepare(wanted())
    value = before.reveal(change())

    resumed = run(ROTATION, place, begins=False)
    assert resumed.reveal(change()) == value
    assert await resumed.prepare(wanted()) == first


async def test_after_a_death_between_send_and_proof_both_passwords_are_there(run, place):
    first = run(ROTATION, place)
    await first.prepare(wanted())
    first.hear([seen()])
    old = first.reveal(change())["password"]
    second = run(ROTATION, place, "run-2")
    await second.prepare(wanted())
    new = second.reveal(change())["password"]

    kept = holding(place)
    assert kept.is_changing
    assert (kept.present.value.reveal(), values(kept.prepared)) == (old, [new])


async def test_after_a_death_between_proof_and_note_the_resumed_run_notes_it(run, place):
    before = run(ROTATION, place)
    await before.prepare(wanted())
    value = before.reveal(change())["password"]

    run(ROTATION, place, begins=False).hear([seen(at=200.0)])
    kept = holding(place)
    assert not kept.is_changing
    assert (kept.present.value.reveal(), kept.present.at) == (value, 200.0)


async def test_the_one_before_is_kept_for_people_once_the_device_was_seen_with_the_new_one(
    run, place
):
    made = []
    for run_id in ("run-1", "run-2", "run-3"):
        secrets = run(ROTATION, place, run_id)
        await secrets.prepare(wanted())
        made.append(secrets.reveal(change())["password"])
        secrets.hear([seen()])

    assert values(holding(place).entries) == made[1:]


async def test_a_step_that_failed_drops_nothing(run, place):
    first = run(ROTATION, place)
    await first.prepare(wanted())
    first.hear([seen()])
    second = run(ROTATION, place, "run-2")
    await second.prepare(wanted())
    second.hear([StepFailed(300.0, 1001, 0, "unconfirmed", "no contact")])

    assert holding(place).is_changing
    assert len(holding(place).entries) == 2


async def test_a_history_that_is_heard_again_changes_nothing(run, place):
    secrets = run(plan_with(step_with(GENERATED), step_with(GENERATED)), place)
    for step in (0, 1):
        await secrets.prepare(wanted(step=step))
        secrets.hear([seen(step=step)])
    before = values(holding(place).entries)
    size = place.file.stat().st_size

    resumed = run(ROTATION, place, begins=False)
    resumed.hear([seen(step=0), seen(step=1), seen(device=1002)])
    resumed.hear([seen(step=0)])
    assert values(holding(place).entries) == before
    assert place.file.stat().st_size == size


async def test_a_record_that_was_created_or_found_again_is_noted_by_its_new_id(run, place):
    secrets = run(ROTATION, place)
    await secrets.prepare(wanted(record=None))
    accepted = OperationAccepted(150.0, 1001, 0, 1, 201, 150.0, record=5001)
    secrets.hear([accepted, seen()])
    assert holding(place).present.record == 5001

    secrets.hear([DeviceFound(210.0, 1001, 1, 5002, "by its serial number")])
    await secrets.prepare(wanted(step=1, record=None))
    assert holding(place).prepared[0].record == 5002


async def test_what_cannot_be_noted_while_somebody_else_writes_is_noted_later(run, place):
    secrets = run(ROTATION, place)
    await secrets.prepare(wanted())

    def meanwhile(_book):
        secrets.hear([seen()])
        assert holding_is_changing()
        return []

    def holding_is_changing():
        return holding(place).is_changing

    place.open().store(meanwhile)
    assert holding_is_changing()
    secrets.close()
    assert not holding_is_changing()


async def test_what_was_not_noted_yet_goes_along_with_the_next_secret(run, place):
    secrets = run(ROTATION, place)
    await secrets.prepare(wanted())
    place.open().store(lambda _book: secrets.hear([seen()]) or [])
    await secrets.prepare(wanted(device=1002))

    states = [found.is_changing for found in place.open().read().holdings.values()]
    assert states == [False, True]


async def test_a_vault_that_cannot_be_written_stops_the_step_and_not_the_listener(run, place):
    secrets = run(ROTATION, place)
    await secrets.prepare(wanted())
    value = secrets.reveal(change())
    text = place.file.read_bytes()
    place.file.unlink()

    with structlog.testing.capture_logs() as logged:
        secrets.hear([seen()])
    assert [(entry["event"], "no vault" in entry["reason"]) for entry in logged] == [
        ("vault.unnoted", True)
    ]
    with pytest.raises(SecretError, match="there is no vault"):
        await secrets.prepare(wanted(device=1002))
    assert secrets.reveal(change()) == value
    place.file.write_bytes(text)
    secrets.close()
    assert not holding(place).is_changing


async def test_nothing_is_revealed_that_was_not_prepared(run, place):
    with pytest.raises(SecretError, match="no password was prepared for device 1001; nothing was"):
        run(ROTATION, place).reveal(change())


async def test_a_step_without_secrets_needs_no_vault(run, tmp_path):
    secrets = run(plan_with(), VaultPlace(tmp_path / "nowhere"))
    secrets.hear([seen()])
    secrets.close()

    assert await secrets.prepare(wanted(None)) == {}
    assert secrets.reveal(replace(change(), secrets={})) == {}
    assert list((tmp_path / "run-1").iterdir()) == []


async def test_a_later_run_of_the_same_id_gets_secrets_of_its_own(run, place, tmp_path):
    told = []
    for _ in range(2):
        secrets = run(ROTATION, place)
        told.append(await secrets.prepare(wanted()))
        secrets.hear([seen()])
        (tmp_path / "run-1" / "salt").unlink()
        (tmp_path / "run-1").rmdir()

    assert told[0] != told[1]
    assert {each.origin.run_id for each in holding(place).entries} == {"run-1"}
    assert len({each.origin.run for each in holding(place).entries}) == 2


# --- without a vault ---


@pytest.mark.parametrize("kind", [SecretKind.GENERATE, SecretKind.COMMAND, SecretKind.FILE])
def test_what_nobody_else_has_needs_a_vault(run, tmp_path, kind):
    plan = plan_with(step_with(FROM_ENV, Secret(kind, "new.sealed")))

    with pytest.raises(SecretError, match="make one with `orchestrator vault init`"):
        run(plan, VaultPlace(tmp_path / "nowhere"), environment={"NEW_PASSWORD": "x"})


async def test_a_secret_of_the_environment_works_without_a_vault(run, tmp_path):
    def opened():
        place = VaultPlace(tmp_path / "nowhere")
        environment = {"NEW_PASSWORD": "s3cret-value"}
        return run(plan_with(step_with(FROM_ENV)), place, environment=environment)

    secrets = opened()
    told = await secrets.prepare(wanted(FROM_ENV))
    secrets.hear([seen()])

    assert secrets.reveal(change(FROM_ENV)) == {"password": "s3cret-value"}
    salt = tmp_path / "run-1" / "salt"
    assert salt.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in salt.parent.iterdir()] == ["salt"]
    assert await opened().prepare(wanted(FROM_ENV)) == told


async def test_the_fingerprints_of_two_runs_without_a_vault_cannot_be_compared(run, tmp_path):
    place, environment = VaultPlace(tmp_path / "nowhere"), {"NEW_PASSWORD": "s3cret-value"}
    plan = plan_with(step_with(FROM_ENV))
    told = [
        await run(plan, place, name, environment=environment).prepare(wanted(FROM_ENV))
        for name in ("run-1", "run-2")
    ]

    assert told[0] != told[1]


async def test_where_there_is_a_vault_it_knows_those_secrets_too(run, place):
    environment = {"NEW_PASSWORD": "s3cret-value"}
    secrets = run(plan_with(step_with(FROM_ENV)), place, environment=environment)
    await secrets.prepare(wanted(FROM_ENV))
    secrets.hear([seen()])

    assert values(holding(place).entries) == ["s3cret-value"]


def test_a_vault_that_cannot_be_opened_is_told_before_anything_is_sent(run, place):
    with pytest.raises(SecretError, match="the key is not the one it was made with"):
        run(ROTATION, replace(place, key_text=VaultKey.new().as_text()))


def test_a_folder_that_takes_no_salt_keeps_the_run_from_beginning(run, tmp_path):
    (tmp_path / "run-1" / "salt").mkdir(parents=True)

    with pytest.raises(UnrecordedError, match="salt cannot be written"):
        run(
            plan_with(step_with(FROM_ENV)),
            VaultPlace(tmp_path / "nowhere"),
            environment={"NEW_PASSWORD": "x"},
        )


# --- tables ---


async def test_each_device_gets_its_own_secret_of_a_sealed_table(run, place, key):
    files = {"new.sealed": seal(Opened("new.csv", CSV), key)}
    secret = Secret(SecretKind.FILE, "new.sealed")
    source = PlaybookSource("branch.yaml", "", {}, files)
    secrets = run(plan_with(step_with(secret), source=source), place)
    for device in (1001, 1002):
        await secrets.prepare(wanted(secret, device=device))

    assert secrets.reveal(change(secret)) == {"password": "s3cret-one"}
    assert secrets.reveal(change(secret, device=1002)) == {"password": "s3cret-two"}


async def test_secret_columns_of_whole_rows_are_looked_at_before_the_run(run, tmp_path):
    table = table_of("sites.csv", CSV, "serial_number")
    path = tmp_path / "sites.csv"
    path.write_text(CSV)
    source = PlaybookSource(
        str(tmp_path / "branch.yaml"), "", {}, {}, {"sites.csv": text_digest(CSV)}
    )
    plan = plan_with(step_with(takes_row=True), table=table, source=source)
    place = VaultPlace(tmp_path / "nowhere")
    secret = Secret(SecretKind.ROW, "password")

    assert secrets_of(plan.playbook) == [("password", secret)]
    secrets = run(plan, place)
    await secrets.prepare(wanted(secret))
    assert secrets.reveal(change(secret)) == {"password": "s3cret-one"}
    path.write_text(CSV + "\n")
    with pytest.raises(SecretError, match="changed since the plan"):
        run(plan, place, "run-2")
    run(plan, place, begins=False)  # whose secrets are all in the past may be resumed


# --- nothing shows ---


async def test_no_secret_shows_in_any_text(run, place, caplog):
    secrets = run(ROTATION, place)
    with structlog.testing.capture_logs() as logged:
        told = await secrets.prepare(wanted())
        value = secrets.reveal(change())["password"]
        secrets.hear([seen()])
    vault = place.open()
    texts = [repr(secrets), repr(vars(secrets)), repr(place), repr(vault.read()), str(told)]
    texts += [repr(logged), caplog.text]

    assert all(value not in text for text in texts)
    assert all(str(place.key_text) not in text for text in texts)


def test_the_memory_of_a_run_is_empty_at_first():
    assert not MemoryStore().made_in("run-1", 1001, 0)


def test_the_place_of_a_vault_names_what_is_missing(tmp_path):
    with pytest.raises(SecretError, match="there is no vault nowhere: make one"):
        VaultPlace(Path("nowhere")).open()
