"""What a device would let in follows its record at the next contact, and is part of the truth."""

from orchestrator.simulator.credentials import Credentials, OwnCredentials
from orchestrator.simulator.world import World
from tests.support.worlds import FIRST, START, ask, record, start, world


def known(asked: World, after: float, device: int = FIRST) -> dict[str, object]:
    told = asked.biography(device, START + after)["credentials"]
    assert isinstance(told, dict)
    return told


def rotate(asked: World, after: float, password: str) -> None:
    body = {"password": password}
    assert ask(asked, "PATCH", f"inventory_device/{FIRST}/", after=after, body=body).status == 200


def test_a_new_password_is_the_devices_own_from_its_next_contact_on() -> None:
    asked = world()
    old = known(asked, 100)
    before = record(asked, 100)["last_connection"]
    rotate(asked, 100, "new")
    seconds = range(101, 200)
    contact = next(at for at in seconds if record(asked, at)["last_connection"] != before)
    early, late = world(), world()
    rotate(early, 100, "new")
    rotate(late, 100, "new")

    assert known(early, contact - 1) == {**old, "is_waiting": True}
    assert known(late, 9000)["password"] == "new"
    assert known(asked, contact)["password"] == "new"
    assert known(late, 9000)["is_waiting"] is False


def test_no_answer_and_no_ledger_holds_the_password() -> None:
    asked = world()
    rotate(asked, 100, "hush-hush")

    assert "hush-hush" not in repr(record(asked, 100))
    assert "hush-hush" not in repr(asked.ledger.summary())
    assert asked.ledger.changes[0].wrote == {"password": "***"}


def test_a_device_that_is_down_takes_it_when_it_comes_back() -> None:
    asked = world(temperament="late")
    start(asked, "reboot", after=100)
    rotate(asked, 200, "new")

    assert known(asked, 3000)["is_waiting"] is True
    assert known(asked, 20000)["password"] == "new"


def test_a_connection_request_brings_it_at_once() -> None:
    asked = world()
    rotate(asked, 100, "new")
    record(asked, 100, update_status="true")

    assert known(asked, 100)["password"] == "new"


def test_after_a_factory_reset_the_device_gets_what_its_record_says_with_its_first_contact() -> (
    None
):
    asked, again = world(), world()
    start(asked, "factory", after=100)
    start(again, "factory", after=100)
    before = known(world(), 100)
    (done,) = asked.settled_ledger(START + 900).of_device(FIRST)

    assert known(again, done.down_at - START + 1)["password"] == ""
    assert known(asked, 900) == before


def test_a_replacement_without_a_password_locks_the_controller_out() -> None:
    asked = world()
    row = record(asked, 0)
    row.pop("password", None)
    ask(asked, "PUT", f"inventory_device/{FIRST}/", after=100, body=row)

    assert known(asked, 100)["is_locked_out"] is False
    assert known(asked, 900)["is_locked_out"] is True
    assert known(asked, 900)["password"] == known(world(), 0)["password"]


def test_only_what_changes_waits() -> None:
    own = OwnCredentials({"username": "u", "password": "p"})
    own.rewrite({"username": "u", "password": "p"}, 1.0)

    assert (own.is_waiting, own.written_at) == (False, [])
    own.rewrite({"username": "u", "password": "q"}, 2.0)
    assert (own.is_waiting, own.present) == (True, Credentials("u", "p"))
    own.deliver()
    assert (own.present, own.taken, own.is_locked_out) == (Credentials("u", "q"), 1, False)
