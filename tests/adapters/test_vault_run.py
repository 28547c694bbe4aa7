"""The secrets of a run: stored before they are sent, the same when asked again, kept until seen."""

from dataclasses import replace
from pathlib import Path

import pytest
import structlog
from msgspec import structs

from orchestrator.adapters.vault.run_secrets import (
    MemoryStore,
    VaultPlace,
    check_secrets,
    open_secrets,
    secrets_of,
)
from orchestrator.adapters.vault.sealed_table import Opened, seal
from orchestrator.adapters.vault.vault_file import VaultFile
from orchestrator.adapters.vault.vault_key import VaultKey
from orchestrator.model.commands import PrepareDevice, SendChange
from orchestrator.model.errors import SecretError, UnrecordedError
from orchestrator.model.events import (
    Baseline,
    DeviceFinished,
    DeviceFound,
    DoubtResolved,
    Event,
    OperationAccepted,
    OperationIntended,
    OperationLost,
    OperationUnsent,
    StepFailed,
    StepSucceeded,
)
from orchestrator.model.operations import Action
from orchestrator.model.plans import Limits, Plan, PlannedDevice
from orchestrator.model.playbooks import Playbook, PlaybookSource
from orchestrator.model.selections import Selection
from orchestrator.model.steps import RecordStep, default_proof
from orchestrator.model.values import Assignment, Reference, Secret, SecretKind, Template
from orchestrator.model.values import Origin as ValueOrigin
from orchestrator.playbook.loading import text_digest
from orchestrator.playbook.tables.tables import table_of

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


def step_with(
    *secrets: Secret, takes_row=False, contact=True, action=Action.UPDATE, **fields
) -> RecordStep:
    names = ("password", "username", "other_secret")
    assignments = (*map(Assignment, names, secrets), *map(Assignment, fields, fields.values()))
    proof = replace(default_proof(action), contact=contact)
    return RecordStep(action, proof, 3, (), action, assignments, takes_row)


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


def intended(device=1001, step=0, attempt=1, *, before="ZN1001", **after) -> OperationIntended:
    return OperationIntended(
        140.0, device, step, attempt, "update", 140.0, Baseline(140.0, "Up", before),
        action="update", before={}, after={"password": "fp:0123456789ab"} | after,
    )  # fmt: skip


def accepted(device=1001, step=0, attempt=1, record=None) -> OperationAccepted:
    return OperationAccepted(150.0, device, step, attempt, 200, 150.0, record)


def proven(device=1001, step=0, at=200.0) -> list[Event]:
    return [intended(device, step), accepted(device, step), seen(device, step, at)]


def failed(device=1001, step=0) -> StepFailed:
    return StepFailed(300.0, device, step, "failed", "no contact")


def finished(verdict="succeeded", device=1001, step=0) -> DeviceFinished:
    return DeviceFinished(310.0, device, step, verdict)


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
    first.hear(proven())
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

    run(ROTATION, place, begins=False).hear(proven(at=200.0))
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
        secrets.hear(proven())

    assert values(holding(place).entries) == made[1:]


async def test_a_step_that_failed_drops_nothing(run, place):
    first = run(ROTATION, place)
    await first.prepare(wanted())
    first.hear(proven())
    second = run(ROTATION, place, "run-2")
    await second.prepare(wanted())
    second.hear([intended(), accepted(), failed()])
    second.hear([finished("unconfirmed")])

    assert holding(place).is_changing
    assert len(holding(place).entries) == 2


async def test_a_history_that_is_heard_again_changes_nothing(run, place):
    plan = plan_with(step_with(GENERATED), step_with(GENERATED))
    secrets = run(plan, place)
    for step in (0, 1):
        await secrets.prepare(wanted(step=step))
        secrets.hear(proven(step=step))
    before = values(holding(place).entries)
    size = place.file.stat().st_size

    resumed = run(plan, place, begins=False)
    resumed.hear([*proven(step=0), *proven(step=1), *proven(device=1002)])
    resumed.hear(proven(step=0))
    assert values(holding(place).entries) == before
    assert place.file.stat().st_size == size


async def test_a_record_that_was_created_or_found_again_is_noted_by_its_new_id(run, place):
    secrets = run(ROTATION, place)
    await secrets.prepare(wanted(record=None))
    secrets.hear([intended(), accepted(record=5001), seen()])
    assert holding(place).present.record == 5001

    secrets.hear([DeviceFound(210.0, 1001, 1, 5002, "by its serial number")])
    await secrets.prepare(wanted(step=1, record=None))
    assert holding(place).prepared[0].record == 5002


async def test_what_cannot_be_noted_while_somebody_else_writes_is_noted_later(run, place):
    secrets = run(ROTATION, place)
    await secrets.prepare(wanted())

    def meanwhile(_book):
        secrets.hear(proven())
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
    place.open().store(lambda _book: secrets.hear(proven()) or [])
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
        secrets.hear(proven())
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
    secrets.hear(proven())
    secrets.close()

    assert await secrets.prepare(wanted(None)) == {}
    assert secrets.reveal(structs.replace(change(), secrets={})) == {}
    assert list((tmp_path / "run-1").iterdir()) == []


async def test_a_later_run_of_the_same_id_gets_secrets_of_its_own(run, place, tmp_path):
    told = []
    for _ in range(2):
        secrets = run(ROTATION, place)
        told.append(await secrets.prepare(wanted()))
        secrets.hear(proven())
        (tmp_path / "run-1" / "salt").unlink()
        (tmp_path / "run-1" / "salt.vault").unlink()
        (tmp_path / "run-1").rmdir()

    assert told[0] != told[1]
    assert {each.origin.run_id for each in holding(place).entries} == {"run-1"}
    assert len({each.origin.run for each in holding(place).entries}) == 2


# --- what was not sent, or not seen ---

CREATION = plan_with(step_with(GENERATED, action=Action.CREATE, contact=False))


async def rotated(run, place, plan=ROTATION, run_id="run-0") -> str:
    """Have the device seen with a password, and give it."""
    secrets = run(plan, place, run_id)
    await secrets.prepare(wanted())
    secrets.hear([*proven(), finished()])
    return secrets.reveal(change())["password"]


async def test_a_table_that_is_imported_again_leaves_rotated_passwords_alone(run, place):
    await rotated(run, place, CREATION, "import-1")
    real = await rotated(run, place)
    for run_id in ("import-2", "import-3"):
        again = run(CREATION, place, run_id)
        await again.prepare(wanted(record=None))
        again.hear([seen(), finished("already_ok")])

        kept = holding(place)
        assert not kept.is_changing
        assert kept.present.value.reveal() == real


@pytest.mark.parametrize(
    "told",
    [
        [seen()],
        [failed()],
        [finished("skipped")],
        [intended(), OperationUnsent(150.0, 1001, 0, 1, "no connection"), failed()],
    ],
    ids=["already so", "not fit", "left alone", "unsent"],
)
async def test_what_was_prepared_and_never_sent_is_gone_with_the_step(run, place, told):
    secrets = run(ROTATION, place)
    await secrets.prepare(wanted())
    secrets.hear(told)

    assert not place.open().read().holdings
    place.open().compact()
    assert not place.open().read().holdings


async def test_what_was_sent_and_not_answered_stays_beside_the_present_one(run, place):
    real = await rotated(run, place)
    secrets = run(ROTATION, place, "run-1")
    await secrets.prepare(wanted())
    secrets.hear([intended(), OperationLost(150.0, 1001, 0, 1, "no answer"), seen(), finished()])

    kept = holding(place)
    assert kept.is_changing
    assert kept.present.value.reveal() == real


async def test_a_doubt_that_is_resolved_counts_as_an_answer(run, place):
    await rotated(run, place)
    secrets = run(ROTATION, place, "run-1")
    await secrets.prepare(wanted())
    value = secrets.reveal(change())["password"]
    applied = DoubtResolved(160.0, 1001, 0, 1, True, "the record shows it")
    secrets.hear([intended(), OperationLost(150.0, 1001, 0, 1, "no answer"), applied, seen()])

    assert holding(place).present.value.reveal() == value


async def test_a_request_that_did_not_carry_the_secret_proves_nothing(run, place):
    real = await rotated(run, place)
    secrets = run(ROTATION, place, "run-1")
    await secrets.prepare(wanted())
    secrets.hear(
        [structs.replace(intended(), after={"debug": False}), accepted(), seen(), finished()]
    )

    kept = holding(place)
    assert (kept.present.value.reveal(), kept.is_changing) == (real, False)


async def test_without_contact_the_former_password_is_never_dropped(run, place):
    real = await rotated(run, place)
    unseen = plan_with(step_with(GENERATED, contact=False))
    sent = [await rotated(run, place, unseen, f"run-{number}") for number in (1, 2, 3)]

    kept = holding(place)
    assert kept.present.value.reveal() == real
    assert values(kept.prepared) == sent


async def test_the_password_of_a_created_record_is_present_once_the_creation_is_proven(run, place):
    secrets = run(CREATION, place)
    await secrets.prepare(wanted(record=None))
    assert holding(place).is_changing
    secrets.hear(proven())

    assert values([holding(place).present]) == [secrets.reveal(change())["password"]]


async def test_a_record_that_is_created_again_leaves_the_password_that_was_seen(run, place):
    real = await rotated(run, place)
    new = await rotated(run, place, CREATION, "run-1")

    kept = holding(place)
    assert (kept.present.value.reveal(), values(kept.prepared)) == (real, [new])


# --- another device takes the record ---

ROW = Template((Reference(ValueOrigin.ROW, "new_serial"),))
SWAPS = "serial_number,new_serial\nZN1001,ZN9001\n"
SWAPPED = plan_with(
    step_with(GENERATED, serial_number=ROW),
    table=table_of("swaps.csv", SWAPS, "serial_number"),
)


def swapped(step=0) -> list[Event]:
    return [intended(step=step, serial_number="ZN9001"), accepted(step=step), seen(step=step)]


def by_serial(place):
    return {owner.device: found for owner, found in place.open().read().holdings.items()}


async def test_a_replacement_files_the_password_under_the_serial_number_that_it_writes(run, place):
    old = await rotated(run, place)
    secrets = run(SWAPPED, place, "run-1")
    await secrets.prepare(wanted())
    assert by_serial(place)["ZN9001"].is_changing
    assert values(by_serial(place)["ZN1001"].entries) == [old]
    secrets.hear(swapped())

    new = secrets.reveal(change())["password"]
    kept = by_serial(place)
    assert kept["ZN9001"].present.value.reveal() == new
    assert kept["ZN1001"].is_retired
    assert (kept["ZN1001"].present, kept["ZN1001"].previous.value.reveal()) == (None, old)
    (found,) = place.open().read().of_device("1001")
    assert found.present.value.reveal() == new
    before = by_serial(place)
    place.open().compact()
    assert by_serial(place) == before


async def test_a_serial_number_that_only_the_request_tells_names_the_password_too(run, place):
    await rotated(run, place)
    from_record = Template((Reference(ValueOrigin.DEVICE, "customer_id"),))
    secrets = run(plan_with(step_with(GENERATED, serial_number=from_record)), place, "run-1")
    await secrets.prepare(wanted())
    secrets.hear([*swapped(), finished()])

    kept = by_serial(place)
    assert values([kept["ZN9001"].present]) == [secrets.reveal(change())["password"]]
    assert (kept["ZN1001"].is_retired, kept["ZN1001"].is_changing) == (True, False)


async def test_a_replacement_that_is_heard_again_changes_nothing(run, place):
    await rotated(run, place)
    secrets = run(SWAPPED, place, "run-1")
    await secrets.prepare(wanted())
    secrets.hear(swapped())
    size = place.file.stat().st_size
    run(SWAPPED, place, "run-1", begins=False).hear([*swapped(), finished()])

    assert place.file.stat().st_size == size


# --- going on ---


def test_a_run_goes_on_only_with_the_vault_it_was_begun_with(run, place, key, tmp_path):
    run(ROTATION, place)
    VaultFile.create(tmp_path / "vault2", key)

    with pytest.raises(SecretError, match=r"run run-1 was begun with a vault, and .*vault2 or its"):
        run(ROTATION, replace(place, file=tmp_path / "vault2"), begins=False)
    run(ROTATION, place, begins=False)


def test_a_vault_that_was_written_anew_is_the_same_one(run, place):
    run(ROTATION, place)
    for _ in range(2):
        place.open().compact()
        run(ROTATION, place, begins=False)


def test_a_vault_of_the_same_path_with_another_key_is_another_one(run, place):
    run(ROTATION, place)
    place.file.unlink()
    other = VaultKey.new()
    VaultFile.create(place.file, other)

    with pytest.raises(SecretError, match="go on with the vault and the key"):
        run(ROTATION, replace(place, key_text=other.as_text()), begins=False)


def test_a_run_that_was_begun_with_a_vault_does_not_go_on_without(run, place):
    plan, environment = plan_with(step_with(FROM_ENV)), {"NEW_PASSWORD": "s3cret-value"}
    run(plan, place, environment=environment)
    place.file.unlink()

    with pytest.raises(SecretError, match="there is no vault"):
        run(plan, place, begins=False, environment=environment)


async def test_sources_are_looked_at_for_what_is_still_to_be_made(run, place):
    plan = plan_with(step_with(FROM_ENV), step_with(GENERATED))
    await run(plan, place, environment={"NEW_PASSWORD": "s3cret"}).prepare(wanted(FROM_ENV))
    resumed = run(plan, place, begins=False)

    resumed.check([])
    resumed.check([(1001, 0), (1002, 1)])
    with pytest.raises(SecretError, match="NEW_PASSWORD is not set"):
        resumed.check([(1001, 0), (1002, 0)])


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
    secrets.hear(proven())

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
    secrets.hear(proven())

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
        secrets.hear(proven())
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
