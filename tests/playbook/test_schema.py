"""The JSON Schema that editors use says the same as the reader."""

import json
from pathlib import Path
from typing import ClassVar

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from orchestrator.playbook.language import json_schema
from tests.support.playbooks import faults, minimal

SCHEMA = json_schema()
VALIDATOR = Draft202012Validator(SCHEMA)
SHIPPED = sorted((Path(__file__).parents[2] / "playbooks").glob("*.yaml"))


def _is_common(tag, first):
    if tag.endswith(":bool"):
        return first in "tTfF"
    return not tag.endswith(":timestamp")


class Yaml(yaml.SafeLoader):
    """Reads as editors do: `on`, `off`, `yes` and `no` are words, and dates are text."""

    yaml_implicit_resolvers: ClassVar = {
        first: [(tag, pattern) for tag, pattern in resolvers if _is_common(tag, first)]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


def is_valid(text):
    return VALIDATOR.is_valid(yaml.load(text, Yaml))


def objects(schema, path=()):
    """Give every object of the schema with the path that leads to it."""
    if isinstance(schema, list):
        for part in schema:
            yield from objects(part, path)
    if not isinstance(schema, dict):
        return
    if "properties" in schema:
        yield path, schema["properties"], schema
        for name, part in schema["properties"].items():
            yield from objects(part, (*path, name))
    for part in (schema.get("anyOf"), schema.get("items")):
        yield from objects(part, path)
    for name, part in schema.get("$defs", {}).items():
        yield from objects(part, ("$defs", name))


def test_the_schema_is_a_valid_one_and_can_be_printed():
    Draft202012Validator.check_schema(SCHEMA)

    assert json.loads(json.dumps(SCHEMA)) == SCHEMA


def test_every_key_of_the_schema_is_explained():
    unexplained = [
        (*path, name)
        for path, properties, _ in objects(SCHEMA)
        for name, part in properties.items()
        if part is not False and not part.get("description")
    ]

    assert unexplained == []


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_the_shipped_playbooks_satisfy_the_schema(path):
    problems = [e.message for e in VALIDATOR.iter_errors(yaml.load(path.read_text(), Yaml))]

    assert problems == []


READER_KEYS = {
    (): "{key}: 1\n",
    ("devices",): "devices: {{{key}: 1}}\n",
    ("devices", "expect"): "devices: {{expect: {{{key}: 1}}}}\n",
    ("steps",): "steps: [{{operation: sync, {key}: 1}}, {{check: {{type: 1}}, {key}: 1}}]\n",
    ("steps", "proof"): "steps: [{{operation: reboot, proof: {{{key}: 1}}}}]\n",
    ("steps", "update", "password"): "steps: [{{update: {{password: {{{key}: 1}}}}}}]\n",
    ("per_device",): "per_device: [{{{key}: 1}}]\n",
    ("rollout",): "rollout: {{{key}: 1}}\n",
    ("rollout", "between_waves"): "rollout: {{waves: [1], between_waves: {{{key}: 1}}}}\n",
    ("rollout", "stop_when"): "rollout: {{stop_when: {{{key}: 1}}}}\n",
    ("steps", "approve"): "steps: [{{approve: {{{key}: 1}}}}]\n",
    ("rescue",): "rescue: [{{operation: sync, {key}: 1}}, {{check: {{type: 1}}, {key}: 1}}]\n",
    ("window",): "window: {{{key}: 1}}\n",
    ("window", "blackout"): "window: {{blackout: {{{key}: 1}}}}\n",
    ("notify",): "notify: {{{key}: 1}}\n",
    ("requests",): "requests: {{{key}: 1}}\n",
    ("retry",): "retry: {{{key}: 1}}\n",
}


@pytest.mark.parametrize("path", READER_KEYS, ids=".".join)
def test_the_reader_knows_every_key_of_the_schema_and_no_other(path):
    known = {name for at, properties, _ in objects(SCHEMA) if at == path for name in properties} - {
        "sleep"
    }

    def is_unknown(key):
        text = READER_KEYS[path].format(key=key)
        found = [f for f in faults(text) if f.message.startswith(f"{key!r} is no key of")]
        return len(found) == text.count(f"{key}: 1")

    assert len(known) > 1
    assert [name for name in known if is_unknown(name)] == []
    assert is_unknown("bogus")


GOOD = [
    minimal(),
    minimal("{organization: [1, 2], type: '${t}'}", more="vars: {t: 1}\n"),
    minimal("where: {software_version: {below: '2.5', at_least: '2'}, vendor: {newer_than: 3}}"),
    minimal(
        "where: {status: up, is_active: true, pending_settings: [a], created: missing}",
        "- sleep: 3",
    ),
    minimal(more="requests: {delay: 200ms, per_second: none}\nretry: {longest_wait: 1h30m}\n"),
    minimal(more="guard: {status: any, fresh_within: 10s, location_name: {matches: ['a*']}}\n"),
    minimal(steps="- sleep: 3s\n- {check: {status: up}, within: 5m}"),
    minimal("{all: true, exclude: [1, SN2], order_by: [name, -id], limit: 3}"),
    minimal(
        more="rollout: {max_down: 3, waves: [1, 10, 25%, '100%'], spread_by: [type, region]}\n"
    ),
    minimal(more="rollout: {waves: [1], between_waves: {succeeded: 9, approval: {by: another}}}\n"),
    minimal(more="rollout: {waves: [1], between_waves: {succeeded: 9%, approval: true}}\n"),
    minimal(more="rollout: {stop_when: {failed: 0, unconfirmed: 0%, failure_rate: 9.5%}}\n"),
    minimal(more="rollout: {max_down_per: {location: 1, region: 2, 'organization_id, type': 3}}\n"),
    minimal(more="rollout: {max_down: '${n}', waves: ['${n}']}\nvars: {n: 3}\n"),
    minimal(more="rescue: [{operation: sync}, {approve: Go on}]\n"),
    minimal(more="notify: {to: noc, on: [paused, finished]}\n"),
    minimal(more="notify: {to: 24}\n").replace("branch", "2026"),
    minimal(more="window: {opens: 0 1 * * sat, lasts: 4h, timezone: UTC, cutoff: fits}\n"),
    minimal(more="window: {opens: 2026-12-05T01:00, lasts: 4h, timezone: UTC}\n"),
    minimal(
        steps="- {operation: sync, continue_on: [failed]}\n- {approve: {question: Go on, by: another}}"
        "\n- notify: 'a ${x}'",
        more="notify: {to: [noc]}\nvars: {x: 1}\n",
    ),
    minimal(
        "{status: down, except_outages_of: [location_name]}",
        "- {done_if: {status: up}, refresh: true}\n- {operation: reboot, attempts: 2, proof: {witnesses:"
        " [up_time, device_log]}}",
        "rescue: [{escalate: Look}]\nnotify: {to: noc}\nsnapshots: record\n"
        "per_device: [{operation: reboot, at_most: 2, per: 1d}]\n",
    ),
    minimal(
        steps="- update: {description: 'was ${device.name}', debug: false, location: null, floor: 3,"
        " latitude: 47.6, longitude: '-122.3', sync: true}\n  proof: {contact: true, within: 10m}\n"
        "- update: {password: {generate: 24}, username: {env: NEW}}\n"
        "- update: {firmware_image: 7}\n  proof: {shows: {software_version: '2.5'}}\n"
        "- replace: {is_active: '${v}', customer_id: null}\n- deactivate: true",
        more="vars: {v: true}\n",
    ),
    minimal("status: down", "- {delete: true, attempts: 1, proof: {within: 5m}}"),
]
BAD = [
    minimal(steps="- sleep: 31536001"),
    minimal(more="requests: {in_flight: 1001}\n"),
    minimal("{type: 1, order_by: [name, name]}"),
    minimal("organisation: 1"),
    minimal("where: {password: x}"),
    minimal("where: {location_name: {match: x}}"),
    minimal("where: {status: {below: 3}}"),
    minimal("where: {last_connection: 3}"),
    minimal("{type: 1, where: {organization: 1}}"),
    minimal("{type: 1, limit: 0}"),
    minimal("{type: 1, all: 'yes'}"),
    minimal(steps="- operation: rebot"),
    minimal(steps="- {operation: sync, attempts: 0}"),
    minimal(steps="- {check: {status: up, within: 3m}}"),
    minimal(steps="[]"),
    minimal(more="rollout: {max_down: 0}\n"),
    minimal(more="rollout: {max_down: 0.5}\n"),
    minimal(more="rollout: {waves: 10}\n"),
    minimal(more="rollout: {waves: [half]}\n"),
    minimal(more="rollout: {waves: []}\n"),
    minimal(more="rollout: {waves: [1], spread_by: [-type]}\n"),
    minimal(more="rollout: {waves: [1], spread_by: [debug]}\n"),
    minimal(more="rollout: {waves: [1], spread_by: password}\n"),
    minimal(more="rollout: {waves: [1], between_waves: {}}\n"),
    minimal(more="rollout: {waves: [1], between_waves: {approval: another}}\n"),
    minimal(more="rollout: {waves: [1], between_waves: {approval: {}}}\n"),
    minimal(more="rollout: {stop_when: {}}\n"),
    minimal(more="rollout: {stop_when: {failure_rate: 5}}\n"),
    minimal(more="rollout: {stop_when: {failure_rate: 1%, after: 0}}\n"),
    minimal(more="rollout: {max_down_per: {}}\n"),
    minimal(more="rollout: {max_down_per: {status: 1}}\n"),
    minimal(more="rollout: {max_down_per: {location: 0}}\n"),
    minimal(more="rollout: {ramp: fast}\n"),
    minimal(more="rescue: []\n"),
    minimal(more="notify: {on: paused}\n"),
    minimal(more="notify: {to: 'slack://a'}\n"),
    minimal(more="notify: {to: noc, on: later}\n"),
    minimal(more="window: {lasts: 4h}\n"),
    minimal(steps="- approve: ''"),
    minimal(steps="- approve: true"),
    minimal(steps="- approve: {by: another}"),
    minimal(steps="- notify: 3", more="notify: {to: noc}\n"),
    minimal(steps="- {operation: sync, continue_on: in_doubt}\n- sleep: 1"),
    minimal(more="requests: {per_second: 0}\n"),
    minimal(more="requests: {delay: fast}\n"),
    minimal(more="requests: {delay: -1}\n"),
    minimal(more="guard: {}\n"),
    minimal(more="bogus: 1\n"),
    minimal("with: sites.csv"),
    minimal("{type: 1, key: uuid}"),
    minimal("{type: 1, except_outages_of: status}"),
    minimal(steps="- update: {}"),
    minimal(steps="- update: all"),
    minimal(steps="- update: {status: up}"),
    minimal(steps="- update: {password: hunter2}"),
    minimal(steps="- update: {password: {generate: 4}}"),
    minimal(steps="- update: {password: {generate: 24, env: A}}"),
    minimal(steps="- update: {latitude: 91}"),
    minimal(steps="- update: {type: -1}"),
    minimal(steps="- update: {reconf: true}"),
    minimal(steps="- replace: {reboot: 3}"),
    minimal(steps="- deactivate: false"),
    minimal("status: down", "- delete: 3"),
    minimal(steps="- {done_if: {status: up}, refresh: 3}\n- sleep: 1"),
    minimal(steps="- escalate: ''", more="notify: {to: noc}\n"),
    minimal(steps="- {operation: reboot, proof: {witnesses: camera}}"),
    minimal(more="snapshots: some\n"),
    minimal(more="per_device: [{operation: reboot, at_most: 0, per: 1d}]\n"),
    "playbook: a\nsteps: [{sleep: 1}]\n",
]


@pytest.mark.parametrize("text", GOOD)
def test_what_the_reader_takes_the_schema_takes(text):
    assert (is_valid(text), faults(text)) == (True, [])


@pytest.mark.parametrize("text", BAD)
def test_what_the_schema_refuses_the_reader_refuses(text):
    assert not is_valid(text)
    assert faults(text)


def test_every_share_that_the_reader_takes_the_schema_takes_and_no_other():
    for share in [
        "0%",
        "0.0%",
        "0.5%",
        "1%",
        "99.9999%",
        "100%",
        "100.0%",
        "100.1%",
        "101%",
        "-1%",
    ]:
        for key in ["max_down: {}", "stop_when: {{failed: {}}}", "waves: [{}]"]:
            text = minimal(more=f"rollout: {{{key.format(share)}}}\n")

            assert is_valid(text) is (not faults(text)), text


AMOUNTS = st.sampled_from([0, 1, 5, -1, 0.5, True, "5", "0%", "10%", "100%", "101%", "x", "", None])
NAMES = st.sampled_from(
    ["location", "region", "-type", "debug", "status", "password", "a, b", "", 1]
)
MANY_NAMES = NAMES | st.lists(NAMES, max_size=2)
WORDS = st.sampled_from(
    [True, False, "anybody", "another", "x", "failed", "in_doubt", "paused", {}]
)
MANY_WORDS = WORDS | st.lists(WORDS, max_size=2)


def some(**shapes):
    return st.fixed_dictionaries({}, optional=shapes) | st.sampled_from([None, [], "x"])


ROLLOUTS = some(
    max_down=AMOUNTS,
    max_down_per=st.dictionaries(NAMES.map(str), AMOUNTS, max_size=2),
    waves=st.lists(AMOUNTS, max_size=2) | AMOUNTS,
    spread_by=MANY_NAMES,
    between_waves=some(soak=AMOUNTS, succeeded=AMOUNTS, approval=WORDS | some(by=WORDS)),
    stop_when=some(failed=AMOUNTS, in_doubt=AMOUNTS, failure_rate=AMOUNTS, after=AMOUNTS),
    strict=WORDS,
    ramp=WORDS,
)
VALUES = AMOUNTS | WORDS | st.sampled_from(["${device.name}", "row", "47.6", 91, -1, "true"])
FIELDS = some(
    **dict.fromkeys(["name", "is_active", "type", "latitude", "location", "floor", "uuid"], VALUES),
    **dict.fromkeys(["reboot", "sync", "reconf"], WORDS),
    password=VALUES | some(generate=AMOUNTS | st.just(24), env=VALUES, command=WORDS),
) | st.just("row")
STEPS = st.lists(
    some(operation=st.just("sync"), continue_on=MANY_WORDS)
    | some(approve=WORDS | AMOUNTS | some(question=WORDS | AMOUNTS, by=WORDS))
    | some(notify=WORDS | AMOUNTS)
    | some(update=FIELDS, attempts=AMOUNTS)
    | some(replace=FIELDS)
    | some(deactivate=WORDS)
    | some(delete=WORDS, proof=some(within=AMOUNTS, contact=WORDS, witnesses=MANY_WORDS))
    | some(escalate=WORDS | AMOUNTS)
    | some(done_if=some(status=WORDS | st.just("up")), refresh=WORDS),
    max_size=2,
)


@settings(max_examples=300, deadline=None)
@given(ROLLOUTS, STEPS, STEPS, some(to=MANY_NAMES, on=MANY_WORDS))
def test_whatever_is_written_the_reader_takes_nothing_that_the_schema_refuses(
    rollout, steps, rescue, notify
):
    whole = {"playbook": "a", "devices": {"type": 1}, "steps": [{"sleep": 1}]}
    whole["notify"] = {"to": "noc"}
    parts = {"rollout": rollout, "steps": [*steps, {"sleep": 1}], "rescue": rescue}

    for name, part in {**parts, "notify": notify}.items():
        text = json.dumps({**whole, name: part})

        assert is_valid(text) or faults(text), text
