"""What a run wrote into records: the first devices in full, the others counted."""

from orchestrator.model.events import DoubtResolved, OperationLost, OperationRefused
from orchestrator.report.changes import Changes
from orchestrator.report.differences import Certainty
from tests.support.histories import T0, accepted, finished, intended, rewritten, succeeded


def changes(*events, keep=50):
    found = Changes(keep)
    for event in events:
        found.after(event)
    return found


def walk(device):
    return (rewritten(device), accepted(device), succeeded(device))


def test_a_proven_change_is_kept_with_its_fields():
    [found] = changes(*walk(1)).shown

    assert found.device == 1
    assert [(each.field, each.before, each.after) for each in found.fields] == [
        ("description", "old", "new"),
        ("password", None, "fp:12ab34cd56ef"),
    ]
    assert {each.certainty for each in found.fields} == {Certainty.PROVEN}


def test_what_was_refused_changed_nothing():
    refused = OperationRefused(T0, 1, 0, 1, 400, "rejected", "no such location")

    assert changes(rewritten(1), refused).shown == []


def test_operations_alone_change_no_record():
    assert changes(intended(1), accepted(1), succeeded(1)).shown == []


def test_beyond_the_first_devices_the_others_are_counted_once_they_may_have_been_changed():
    refused = OperationRefused(T0, 4, 0, 1, 400, "rejected", "no such location")
    found = changes(*walk(1), *walk(2), *walk(3), rewritten(4), refused, rewritten(5), keep=2)

    assert [each.device for each in found.shown] == [1, 2]
    assert found.hidden == 1


def test_a_lost_request_may_have_changed_a_record_until_it_is_known_not_to():
    lost = OperationLost(T0, 2, 0, 1, "no answer")
    found = changes(*walk(1), rewritten(2), lost, keep=1)

    assert found.hidden == 1


def test_a_doubt_that_ends_well_is_a_change():
    doubt = DoubtResolved(T0, 2, 0, 1, applied=True, sign="the record shows it")
    found = changes(*walk(1), rewritten(2), doubt, keep=1)

    assert found.hidden == 1


def test_an_operation_of_an_uncounted_device_is_no_change_of_its_record():
    refused = OperationRefused(T0, 2, 0, 1, 400, "rejected", "no such location")
    found = changes(*walk(1), rewritten(2), refused, intended(2), accepted(2), keep=1)

    assert found.hidden == 0


def test_a_device_that_ended_is_still_counted_once():
    later = [finished(3), *walk(4), finished(4), finished(2)]
    found = changes(*walk(1), *walk(2), *walk(3), rewritten(3), accepted(3), *later, keep=1)

    assert found.hidden == 3
