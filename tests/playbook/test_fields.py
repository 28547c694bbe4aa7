"""Fields that say where a device belongs: for limits per group, and for a first wave of each kind."""

import pytest

from orchestrator.model.devices import DETAIL_ONLY_FIELDS, MOMENT_FIELDS
from orchestrator.model.policies import GroupLimit
from tests.support.playbooks import fault, minimal, playbook


def limits(written):
    return playbook(minimal(more=f"rollout: {{max_down_per: {written}}}\n")).rollout.max_down_per


def spread(written):
    text = minimal(more=f"rollout: {{waves: [3], spread_by: {written}}}\n")
    return playbook(text).rollout.spread_by


def test_limits_are_for_one_field_or_for_several_together():
    assert limits("{location: 1, 'organization_id,type': 5, ' name , type ': 2}") == (
        GroupLimit(("location",), 1),
        GroupLimit(("organization_id", "type"), 5),
        GroupLimit(("name", "type"), 2),
    )


def test_in_a_block_several_fields_need_no_quotes():
    text = minimal(more="rollout:\n  max_down_per:\n    organization_id, type: 2\n")

    assert playbook(text).rollout.max_down_per[0].title == "organization_id, type"


def test_fields_that_nobody_documents_are_taken():
    assert limits("{region: 2}") == (GroupLimit(("region",), 2),)
    assert limits("{'locaton': 2}") == (GroupLimit(("locaton",), 2),)
    assert spread("[region, 'typ']") == ("region", "typ")


def test_one_field_can_stand_alone():
    assert spread("software_version") == ("software_version",)


@pytest.mark.parametrize(
    ("written", "key", "message", "hint"),
    [
        ("{locaton: 1}", ".locaton", "no documented field", "did you mean 'location'?"),
        ("{Location: 1}", ".Location", "no documented field", "did you mean 'location'?"),
        ("{'typ, location_nam': 1}", ".typ, location_nam", "no documented", "'type'?"),
        ("{password: 1}", ".password", "a secret", ""),
        ("{'type, password': 1}", ".type, password", "a secret", ""),
        ("{last_connection: 1}", ".last_connection", "changes while the run", "location"),
        ("{status: 1}", ".status", "changes while the run goes on", "location"),
        ("{pending_settings: 1}", ".pending_settings", "changes while the run goes on", ""),
        ("{product_class: 1}", ".product_class", "only the detail record has", "location"),
        ("{'type, debug': 1}", ".type, debug", "only the detail record has debug", ""),
        ("{location: 0}", ".location", "below the least possible, 1", ""),
        ("{location: 10%}", ".location", "not a whole number of devices", "such as 1"),
        ("{location: }", ".location", "no value here", ""),
        ("{'type,': 1}", ".type,", "no field name here", "one comma"),
        ("{'': 1}", ".", "no field name here", "one comma"),
        ("{'type, type': 1}", ".type, type", "'type' is named more than once", ""),
        ("{'type, location': 1, 'location, type': 2}", ".location, type", "twice", "one of"),
        ("{}", "", "expected fields with their limits", "`location: 1`"),
        ("location", "", "expected fields with their limits", "`location: 1`"),
        ("[location]", "", "expected fields with their limits", "`location: 1`"),
    ],
)
def test_groups_that_cannot_be_meant_are_a_fault(written, key, message, hint):
    found = fault(minimal(more=f"rollout: {{max_down_per: {written}}}\n"))

    assert found.key == f"rollout.max_down_per{key}"
    assert message in found.message
    assert hint in found.hint


@pytest.mark.parametrize(
    ("written", "key", "message", "hint"),
    [
        ("[-type]", "[0]", "would turn an order around", "write type"),
        ("sofware_version", "", "no documented field", "'software_version'"),
        ("[type, username]", "[1]", "a secret", ""),
        ("[type, update_frequency]", "[1]", "only the detail record has update_frequency", ""),
        ("[status_change]", "[0]", "changes while the run goes on", ""),
        ("'type, location'", "", "not one field", "write a list: [type, location]"),
        ("[]", "", "list is empty", ""),
        ("[type, type]", "", "'type' is named more than once", ""),
    ],
)
def test_kinds_that_cannot_be_meant_are_a_fault(written, key, message, hint):
    found = fault(minimal(more=f"rollout: {{waves: [3], spread_by: {written}}}\n"))

    assert found.key == f"rollout.spread_by{key}"
    assert message in found.message
    assert hint in found.hint


@pytest.mark.parametrize("field", sorted(DETAIL_ONLY_FIELDS | MOMENT_FIELDS))
def test_no_field_that_lists_lack_or_that_moves_forms_a_group(field):
    for written in (f"max_down_per: {{{field}: 1}}", f"waves: [1], spread_by: ['{field}']"):
        assert field in fault(minimal(more=f"rollout: {{{written}}}\n")).message
