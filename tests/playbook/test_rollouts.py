"""How carefully: waves, limits, budgets and notifications, as written and as meant."""

from fractions import Fraction

import pytest

from orchestrator.model.amounts import Share
from orchestrator.model.policies import (
    Approver,
    BetweenWaves,
    Budget,
    GroupLimit,
    Notify,
    Occasion,
    Rollout,
)
from tests.support.playbooks import fault, faults, minimal, playbook

WAVES = "waves: [1, 100%]"


def rollout(written, **given):
    return playbook(minimal(more=f"rollout: {{{written}}}\n"), **given).rollout


def percent(number):
    return Share(Fraction(str(number)) / 100)


def test_every_part_of_a_rollout_becomes_its_model():
    read = playbook(
        minimal(
            more="""\
            rollout:
              max_down: "2.5%"
              max_down_per: {location: 1, "organization_id, type": 5}
              waves: [1, 10, 25%, 100%]
              spread_by: [type_short_name, software_version, location]
              between_waves: {soak: 5m, succeeded: 95%, approval: true}
              stop_when: {failed: 5, unconfirmed: 1%, in_doubt: 0, failure_rate: 10%, after: 20}
              strict: false
              ramp: true
            """
        )
    )

    assert read.rollout == Rollout(
        max_down=percent("2.5"),
        max_down_per=(GroupLimit(("location",), 1), GroupLimit(("organization_id", "type"), 5)),
        waves=(1, 10, percent(25), percent(100)),
        spread_by=("type_short_name", "software_version", "location"),
        between_waves=BetweenWaves(300.0, percent(95), Approver.ANYBODY),
        stop_when=Budget(5, percent(1), 0, percent(10), 20),
        strict=False,
        ramp=True,
    )


def test_what_a_rollout_leaves_out_takes_the_defaults_of_the_model():
    assert rollout("max_down: 3") == Rollout(max_down=3)
    assert rollout(f"{WAVES}, between_waves: {{soak: 0}}").between_waves == BetweenWaves()
    assert rollout("stop_when: {failed: 0}").stop_when == Budget(failed=0)


def test_a_failure_rate_is_counted_over_ten_devices_at_least_when_nothing_is_said():
    assert rollout("stop_when: {failure_rate: 10%}").stop_when.after == 10
    assert rollout("stop_when: {failure_rate: 10%, after: 1}").stop_when.after == 1


def test_equal_waves_stay_as_many_as_they_are():
    assert rollout("waves: [5, 5, 10%, 10%]").waves == (5, 5, percent(10), percent(10))


@pytest.mark.parametrize("max_down_per", ["{location: 50}", "{location: 5}"])
def test_a_group_may_be_allowed_more_than_the_whole(max_down_per):
    assert rollout(f"max_down: 5, max_down_per: {max_down_per}").max_down == 5


@pytest.mark.parametrize(
    ("written", "approver"),
    [
        ("true", Approver.ANYBODY),
        ("false", None),
        ("{by: anybody}", Approver.ANYBODY),
        ("{by: another}", Approver.ANOTHER),
    ],
)
def test_an_approval_is_wanted_of_nobody_anybody_or_another(written, approver):
    read = rollout(f"{WAVES}, between_waves: {{approval: {written}}}")

    assert read.between_waves.approval == approver


def test_an_amount_can_be_a_variable():
    text = minimal(more="vars: {a: 10%, b: 3}\nrollout: {max_down: '${a}', waves: ['${b}', 100%]}")

    assert playbook(text).rollout.max_down == percent(10)
    assert playbook(text, variables={"a": "7"}).rollout.max_down == 7
    assert playbook(text, variables={"b": "20%"}).rollout.waves == (percent(20), percent(100))


def test_a_variable_that_has_no_value_is_one_fault_and_not_two():
    rest = "waves: '${a}', max_down_per: '${a}', between_waves: {approval: '${a}'}"

    found = fault(minimal(more=f"vars: {{a: }}\nrollout: {{max_down: '${{a}}', {rest}}}\n"))

    assert found.key == "vars.a"


@pytest.mark.parametrize(
    ("written", "key", "message", "hint"),
    [
        ("max_down: 0%", "max_down", "0% of the devices is no device", "more than 0%"),
        ("max_down: 0.0%", "max_down", "is no device", "more than 0%"),
        ("max_down: 101%", "max_down", "more than all of them", "at most 100%"),
        ("max_down: 100.0001%", "max_down", "more than all of them", "at most 100%"),
        ("max_down: 1.00001%", "max_down", "not a share", "at most 4 digits"),
        ("max_down: 0.1", "max_down", "'0.1' is not a whole number", "did you mean 10%?"),
        ("max_down: .255", "max_down", "'.255' is not a whole number", "did you mean 25.5%?"),
        ("max_down: 1.5", "max_down", "'1.5' is not a whole number", "such as 10%"),
        ("max_down: 10 %", "max_down", "'10 %' is not a share", "did you mean 10%?"),
        ("max_down: '2,5%'", "max_down", "not a share", "did you mean 2.5%?"),
        ("max_down: '%'", "max_down", "'%' is not a share", ""),
        ("max_down: -5%", "max_down", "not a share", "never below zero"),
        ("max_down: ten%", "max_down", "not a share", ""),
        ("max_down: -5", "max_down", "below the least possible, 1", ""),
        ("waves: 10", "waves", "expected a list of waves", "write [10]"),
        ("waves: {a: 1}", "waves", "expected a list of waves", ""),
        ("waves: []", "waves", "list is empty", ""),
        ("waves: ", "waves", "expected a list of waves", ""),
        ("waves: [1, 0]", "waves[1]", "below the least possible, 1", ""),
        ("waves: [0%, 1]", "waves[0]", "no device", ""),
        ("waves: [1, half]", "waves[1]", "'half' is not a whole number", "such as 10%"),
        ("waves: [1, '5']", "waves[1]", "in quotes", "remove the quotes"),
        ("wave: [1]", "wave", "no key of rollout", "'waves'"),
        ("serial: [1]", "serial", "no key of rollout", "'waves'"),
        ("failure_rate: 1%", "failure_rate", "no key of rollout", "under `stop_when`"),
        ("soak: 1m", "soak", "no key of rollout", "under `between_waves`"),
        ("stop_when: {failed: 1}, strict: maybe", "strict", "not true or false", ""),
        ("strict: yes, stop_when: {failed: 1}", "strict", "not true or false", "write true"),
        ("ramp: {start: 1}", "ramp", "found a mapping", ""),
        ("ramp: 2", "ramp", "'2' is not true or false", ""),
        ("stop_when: {}", "stop_when", "nothing is said", "failed, unconfirmed, in_doubt"),
        ("stop_when: 5", "stop_when", "expected stop_when", "failed, unconfirmed, in_doubt"),
        ("stop_when: {failed: -1}", "stop_when.failed", "below the least possible, 0", ""),
        ("stop_when: {failed: 100%}", "stop_when.failed", "would stop nothing", "below 100%"),
        ("stop_when: {fail: 1}", "stop_when.fail", "no key of stop_when", "'failed'"),
        ("stop_when: {rate: 1%}", "stop_when.rate", "no key of stop_when", "'failure_rate'"),
        ("stop_when: {failure_rate: 5}", "stop_when.failure_rate", "not a share", "mean 5%?"),
        ("stop_when: {failure_rate: 0.05}", "stop_when.failure_rate", "not a share", "5%?"),
        ("stop_when: {failure_rate: 100%}", "stop_when.failure_rate", "stop nothing", ""),
        ("stop_when: {failure_rate: [1]}", "stop_when.failure_rate", "found a list", ""),
        (
            "stop_when: {failure_rate: 5%, after: 0}",
            "stop_when.after",
            "below the least possible, 1",
            "",
        ),
        ("stop_when: {failed: 1, after: 9}", "stop_when.after", "about failure_rate", "10%"),
        ("between_waves: {soak: 1m}", "between_waves", "means nothing without waves", "add waves"),
        ("spread_by: type", "spread_by", "means nothing without waves", "add waves"),
        ("strict: true", "strict", "means nothing without stop_when", "add a budget"),
    ],
)
def test_a_rollout_that_cannot_be_meant_is_a_fault(written, key, message, hint):
    found = fault(minimal(more=f"rollout: {{{written}}}\n"))

    assert found.key == f"rollout.{key}"
    assert message in found.message
    assert hint in found.hint


@pytest.mark.parametrize(
    ("written", "key", "message", "hint"),
    [
        ("{}", "", "nothing is said under between_waves", "soak, succeeded, approval"),
        ("{soak: -1s}", ".soak", "not a duration", "never below zero"),
        ("{succeeded: 0}", ".succeeded", "below the least possible, 1", ""),
        ("{succeeded: 120%}", ".succeeded", "more than all", "at most 100%"),
        ("{succeded: 90%}", ".succeded", "no key of between_waves", "'succeeded'"),
        ("{approve: true}", ".approve", "no key of between_waves", "'approval'"),
        ("{approval: another}", ".approval", "not true or false", "write {by: another}"),
        ("{approval: maybe}", ".approval", "not true or false", ""),
        ("{approval: [true]}", ".approval", "found a list", ""),
        ("{approval: {}}", ".approval.by", "'by' is missing", "anybody"),
        ("{approval: {by: me}}", ".approval.by", "'me' is not a person", "anybody"),
        ("{approval: {who: another}, soak: 1s}", ".approval.who", "no key of approval", ""),
    ],
)
def test_a_gate_that_cannot_be_meant_is_a_fault(written, key, message, hint):
    found = faults(minimal(more=f"rollout: {{{WAVES}, between_waves: {written}}}\n"))

    at_key = [f for f in found if f.key == f"rollout.between_waves{key}"]
    assert len(at_key) == 1
    assert message in at_key[0].message
    assert hint in at_key[0].hint


def test_what_depends_on_a_faulty_key_is_no_second_fault():
    text = "waves: [0], between_waves: {soak: 1s}, spread_by: type, strict: true"
    budget = "stop_when: {failure_rate: 500%, after: 3}"

    assert [f.key for f in faults(minimal(more=f"rollout: {{{text}, {budget}}}\n"))] == [
        "rollout.waves[0]",
        "rollout.stop_when.failure_rate",
    ]


def test_people_are_told_of_everything_unless_the_playbook_chooses():
    every = playbook(minimal(more="notify: {to: noc-chat}\n")).notify
    some = playbook(minimal(more="notify: {to: [noc, mail.1], on: [paused, finished]}\n")).notify
    one = playbook(minimal(more="notify: {to: [noc, noc], on: approval_needed}\n")).notify

    assert every == Notify(("noc-chat",), tuple(Occasion))
    assert some == Notify(("noc", "mail.1"), (Occasion.PAUSED, Occasion.FINISHED))
    assert one == Notify(("noc",), (Occasion.APPROVAL_NEEDED,))
    assert playbook(minimal()).notify is None


@pytest.mark.parametrize(
    ("written", "key", "message", "hint"),
    [
        ("noc", "", "expected notify", "known here: to, on"),
        ("{}", ".to", "'to' is missing", "Names of those"),
        ("{on: paused}", ".to", "'to' is missing", ""),
        ("{to: []}", ".to", "list is empty", ""),
        ("{to: ''}", ".to", "not a name", "noc-chat"),
        ("{to: [noc, 'slack://a/b']}", ".to[1]", "not a name", "never in a playbook"),
        ("{to: noc, on: []}", ".on", "list is empty", ""),
        ("{to: noc, on: [stared]}", ".on[0]", "not an occasion", "'started'"),
        ("{to: noc, on: wave}", ".on", "not an occasion", "'wave_finished'"),
        ("{to: noc, on: all}", ".on", "not an occasion", "leave the key out"),
        ("{to: noc, when: paused}", ".when", "no key of notify", "to, on"),
    ],
)
def test_notifications_that_cannot_be_meant_are_a_fault(written, key, message, hint):
    found = fault(minimal(more=f"notify: {written}\n"))

    assert found.key == f"notify{key}"
    assert message in found.message
    assert hint in found.hint


def test_every_fault_of_a_rollout_is_named_at_once():
    text = minimal(
        steps="- {operation: sync, continue_on: in_doubt}\n- aprove: go?",
        more="""\
        rollout:
          max_down: 0%
          max_down_per: {locaton: 1, type: 0}
          waves: [1, 0]
          between_waves: {soak: x}
          stop_when: {}
          ramp: fast
        rescue: [{operation: sinc}]
        notify: {to: noc, on: later}
        """,
    )

    assert [f.key for f in faults(text)] == [
        "steps[0].continue_on",
        "steps[1]",
        "rollout.max_down",
        "rollout.max_down_per.locaton",
        "rollout.max_down_per.type",
        "rollout.waves[1]",
        "rollout.between_waves.soak",
        "rollout.stop_when",
        "rollout.ramp",
        "rescue[0].operation",
        "notify.on",
    ]
