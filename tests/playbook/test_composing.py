"""Text becomes a tree with places, or one clear fault."""

import importlib
import sys

import pytest

from orchestrator.playbook import composing
from orchestrator.playbook.composing import MAX_CHARACTERS, Mapping, Scalar, Sequence, compose
from orchestrator.playbook.faults import Faults, Place
from tests.support.playbooks import fault, faults, minimal


def composed(text):
    found = Faults("x.yaml", text)
    node = compose(text, found)
    found.raise_if_any()
    return node


def test_every_key_and_value_knows_its_line_column_and_length():
    tree = composed("a: é\nlist: ['xy',  z]\n")

    assert tree == Mapping(
        (
            composing.Entry(Scalar("a", Place(1, 1, 1)), Scalar("é", Place(1, 4, 1))),
            composing.Entry(
                Scalar("list", Place(2, 1, 4)),
                Sequence(
                    (Scalar("xy", Place(2, 8, 4), is_plain=False), Scalar("z", Place(2, 15, 1))),
                    Place(2, 7, 1),
                ),
            ),
        ),
        Place(1, 1, 0),
    )


def test_no_value_is_typed_so_nothing_of_what_was_written_is_lost():
    texts = ["2.10", "no", "0123", "0x10", "12:30", "2026-01-31", "1e3", "~"]

    assert [item.text for item in composed("\n".join(f"- {t}" for t in texts)).items] == texts


@pytest.mark.parametrize(
    ("text", "place", "hint"),
    [
        ("a:\n\tb: 1\n", (2, 1), "tabs"),
        ("exclude: @keep.csv\n", (1, 10), "into quotes"),
        ("a: b: c\n", (1, 5), "colon"),
        ("a: [1, 2\nb: 3\n", (2, 2), "never closed"),
        ('a: "x\n', (2, 1), "quote"),
        ("a: [x, ${b}]\n", (1, 9), '"${name}"'),
        ("a: {b: ${b}}\n", (1, 9), '"${name}"'),
        ("a: 1\n- b\n", (2, 1), "indentation"),
        ("%FOO\n", (1, 5), "indentation"),
        ("a: *b\n", (1, 4), "&b"),
        ("a: &b [*b]\n", (1, 8), "&b"),
        ("", (1, 1), "playbook:"),
        ("# nothing\n", (1, 1), "playbook:"),
        ("a: \x01\n", (1, 4), ""),
        ("a: 1\nb: \ud800\n", (2, 4), ""),
    ],
)
def test_what_is_no_yaml_is_one_fault_with_its_place(text, place, hint):
    found = fault(text)

    assert (found.line, found.column) == place
    assert hint in found.hint


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        (minimal() + "steps: []\n", (6, 1), "stands twice here, first in line 4"),
        (minimal() + "---\nplaybook: b\n", (6, 1), "second document"),
        (minimal(more="description: !!python/name:os.system x\n"), (6, 14), "the tag"),
        (minimal(more="<<: {description: x}\n"), (6, 1), "merging"),
        (minimal(more="[a, b]: 1\n"), (6, 1), "a key has to be a word"),
    ],
)
def test_what_yaml_can_and_a_playbook_cannot_is_a_fault(text, place, message):
    found = fault(text)

    assert (found.line, found.column) == place
    assert message in found.message


@pytest.mark.parametrize("text", ["- just\n- a list\n", "only words\n"])
def test_a_file_that_is_no_mapping_is_no_playbook(text):
    assert "expected a playbook" in fault(text).message


def test_aliases_cannot_blow_a_small_file_up():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 10)]

    assert "more than 100,000 values" in fault("\n".join(lines)).message


@pytest.mark.parametrize("text", ["- " * 5000 + "x", "[" * 5000])
def test_nesting_without_end_is_a_fault_and_no_crash(text):
    assert "deep" in fault(text).message


def test_a_text_without_end_is_refused_unread():
    assert "characters" in fault("#" * (MAX_CHARACTERS + 1)).message


def test_a_playbook_reads_the_same_without_the_c_library(monkeypatch):
    text = minimal(more="rollout: {max_down: 0}\nrolout: 1\n")
    fast = faults(text)
    monkeypatch.setitem(sys.modules, "_yaml", None)
    monkeypatch.setattr(composing, "_LOADER", importlib.import_module("yaml").SafeLoader)

    assert faults(text) == fast
    assert fault("a: [1\nb: 2\n").message.startswith("this is not valid YAML")
    assert fault("a:\n\tb: 1\n").hint.startswith("indent with spaces")
