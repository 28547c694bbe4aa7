"""The JSON Schema that editors use says the same as the reader."""

import json
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from orchestrator.playbook.language import json_schema
from tests.support.playbooks import faults, minimal

SCHEMA = json_schema()
VALIDATOR = Draft202012Validator(SCHEMA)
SHIPPED = sorted((Path(__file__).parents[2] / "playbooks").glob("*.yaml"))


def is_valid(text):
    return VALIDATOR.is_valid(yaml.safe_load(text))


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
    plain = {"soak", "succeeded", "approval", "failed", "unconfirmed", "failure_rate", "after"}
    plain |= {"opens", "lasts", "once", "timezone", "cutoff"}  # inside of what is yet to come
    unexplained = [
        (*path, name)
        for path, properties, _ in objects(SCHEMA)
        for name, part in properties.items()
        if part is not False and name not in plain and not part.get("description")
    ]

    assert unexplained == []


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_the_shipped_playbooks_satisfy_the_schema(path):
    problems = [e.message for e in VALIDATOR.iter_errors(yaml.safe_load(path.read_text()))]

    assert problems == []


READER_KEYS = {
    (): "{key}: 1\n",
    ("devices",): "devices: {{{key}: 1}}\n",
    ("devices", "expect"): "devices: {{expect: {{{key}: 1}}}}\n",
    ("steps",): "steps: [{{operation: sync, {key}: 1}}, {{check: {{type: 1}}, {key}: 1}}]\n",
    ("steps", "proof"): "steps: [{{operation: reboot, proof: {{{key}: 1}}}}]\n",
    ("rollout",): "rollout: {{{key}: 1}}\n",
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
    minimal(more="requests: {per_second: 0}\n"),
    minimal(more="requests: {delay: fast}\n"),
    minimal(more="requests: {delay: -1}\n"),
    minimal(more="guard: {}\n"),
    minimal(more="bogus: 1\n"),
    "playbook: a\nsteps: [{sleep: 1}]\n",
]


@pytest.mark.parametrize("text", GOOD)
def test_what_the_reader_takes_the_schema_takes(text):
    assert (is_valid(text), faults(text)) == (True, [])


@pytest.mark.parametrize("text", BAD)
def test_what_the_schema_refuses_the_reader_refuses(text):
    assert not is_valid(text)
    assert faults(text)


def test_what_is_yet_to_come_has_its_shape_in_the_schema_already():
    rollout = "rollout: {max_down: 3, waves: [1, 10, 25%], between_waves: {soak: 5m}}\n"
    window = "window: {opens: '0 1 * * sat', lasts: 4h, timezone: UTC, cutoff: fits}\n"
    text = minimal(steps="- approve: {by: noc}", more=rollout + window)

    assert is_valid(text)
    assert not is_valid(minimal(more="rollout: {waves: [half]}\n"))
    assert len(faults(text)) == 4
