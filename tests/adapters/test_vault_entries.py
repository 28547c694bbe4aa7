"""What a vault keeps of each field: nothing is dropped before a device was seen with the new value."""

import copy
import pickle
from dataclasses import asdict, replace

import pytest

from orchestrator.adapters.vault.hidden_text import Hidden
from orchestrator.adapters.vault.vault_entries import Book, Entry, Origin, Owner, State, decoded

CONTROLLER = "https://c.example.com/api/v1"


def entry(value="new-pw", *, run="run-1", state=State.PREPARED, device="SN1", step=0) -> Entry:
    owner = Owner(CONTROLLER, device, "password")
    origin = Origin(run, 1001, step, "password")
    return Entry(state, owner, origin, Hidden(value), 100.0, 1001, "branch-1")


def seen(one: Entry) -> Entry:
    return replace(one, state=State.PRESENT)


def holding_after(*entries: Entry):
    book = Book()
    for each in entries:
        book.add(each)
    (holding,) = book.holdings.values()
    return holding


def test_a_prepared_value_leaves_the_present_one_as_it_is():
    holding = holding_after(seen(entry("old", run="a")), entry("new", run="b"))

    assert holding.is_changing
    assert (holding.present.value.reveal(), holding.prepared[0].value.reveal()) == ("old", "new")


def test_a_value_that_was_seen_becomes_the_present_one_and_the_former_the_previous():
    new = entry("new", run="b")
    holding = holding_after(seen(entry("old", run="a")), new, seen(new))

    assert not holding.is_changing
    assert (holding.present.value.reveal(), holding.previous.value.reveal()) == ("new", "old")


def test_only_one_previous_value_is_kept():
    runs = [entry(run, run=run) for run in ("a", "b", "c")]
    holding = holding_after(*(each for one in runs for each in (one, seen(one))))

    assert [each.value.reveal() for each in holding.entries] == ["b", "c"]


def test_values_of_failed_runs_stay_until_the_device_is_seen_with_a_later_one():
    failed, good, later = entry("x", run="a"), entry("y", run="b"), entry("z", run="c")

    assert [e.value.reveal() for e in holding_after(failed, good, later).prepared] == [*"xyz"]
    left = holding_after(failed, good, later, seen(good))
    assert left.present.value.reveal() == "y"
    assert [each.value.reveal() for each in left.prepared] == ["z"]


def test_the_same_entries_again_change_nothing():
    one, two = entry("x", run="a"), entry("y", run="b")
    story = [one, seen(one), two, seen(two)]

    assert holding_after(*story) == holding_after(*story, *story)


def test_what_a_book_keeps_makes_the_same_book_again():
    one, two, three = entry("x", run="a"), entry("y", run="b"), entry("z", run="c")
    book, again = Book(), Book()
    for each in (one, seen(one), two, seen(two), three):
        book.add(each)
    for each in book.entries():
        again.add(each)

    assert again.holdings == book.holdings
    assert again.made_in("run-c", 1001, 0) == book.made_in("run-c", 1001, 0)


def test_a_value_is_found_by_its_step_while_it_is_kept():
    book = Book()
    for one in (entry("x", run="a"), entry("y", run="b"), entry("z", run="c")):
        book.add(one)
        book.add(seen(one))

    assert book.made_in("c", 1001, 0)["password"].value.reveal() == "z"
    assert book.made_in("b", 1001, 0)["password"].state is State.PREVIOUS
    assert not book.made_in("a", 1001, 0)
    assert not book.made_in("c", 1001, 1)


@pytest.mark.parametrize("name", ["SN1", "1001", "branch-1"])
def test_a_device_is_found_by_each_of_its_names(name):
    book = Book()
    book.add(entry())

    assert len(book.of_device(name)) == 1
    assert not book.of_device("SN2")


def test_an_entry_is_read_as_it_was_written():
    assert decoded(entry().encoded()) == entry()


@pytest.mark.parametrize("data", [b"", b"[]", b'{"value": "s3cret"}', b"s3cret", b"null"])
def test_what_is_no_entry_is_refused_without_being_repeated(data):
    with pytest.raises(ValueError, match="no entry of a vault") as refused:
        decoded(data)
    assert "s3cret" not in str(refused.value)


def test_a_hidden_value_shows_nowhere():
    whole = entry("s3cret-value")
    texts = [
        repr(whole),
        str(whole),
        f"{whole.value} {whole.value:>20} {whole.value!r}",
        str(whole.value),
        str(asdict(whole)),
        repr(pickle.dumps(whole)),
        repr(copy.deepcopy(whole)),
    ]

    assert all("s3cret" not in text for text in texts)
    assert whole.value.reveal() == "s3cret-value"


def test_hidden_values_are_compared_and_never_hashed():
    assert Hidden("a") == Hidden("a") != Hidden("b")
    assert Hidden("a") != "a"
    with pytest.raises(TypeError):
        hash(Hidden("a"))
