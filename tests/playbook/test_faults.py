"""Faults as a person reads them."""

import pytest

from orchestrator.model.errors import Fault, PlaybookError
from orchestrator.playbook.faults import Faults, Place, nearest, render_faults


def test_a_fault_is_shown_with_its_line_underlined_and_what_would_be_right():
    fault = Fault(
        "a.yaml", 12, 5, "rollout.max_don", "no such key", "did you mean x?", 3, "a:  bad"
    )

    assert render_faults([fault]) == (
        "a.yaml:12:5: no such key\n"
        "   12 | a:  bad\n"
        "      |     ^^^\n"
        "   at rollout.max_don\n"
        " hint: did you mean x?"
    )


def test_a_fault_without_a_line_is_shown_by_its_message():
    assert render_faults([Fault("a.yaml", 1, 1, "", "gone")]) == "a.yaml:1:1: gone"


def test_tabs_before_a_fault_keep_the_underline_in_its_place():
    shown = render_faults([Fault("a", 1, 3, "", "x", length=1, source="\t\tb")])

    assert shown.splitlines()[-1].endswith("| \t\t^")


@pytest.mark.parametrize(
    ("column", "lead", "marked"),
    [(1, "", "b"), (5_000, "…" + "a" * 80, "b"), (10_001, "…" + "a" * 160, "")],
)
def test_of_a_huge_line_only_what_stands_around_the_fault_is_shown(column, lead, marked):
    line = "a" * (column - 1) + marked + "c" * (10_000 - column)
    _, shown, under = render_faults([Fault("a", 1, column, "", "x", "", 9_000, line)]).splitlines()

    assert shown.removeprefix("    1 | ").startswith(lead + marked)
    assert len(shown) <= 180
    assert under.startswith("      | " + " " * len(lead) + "^")
    assert len(under) <= 180


def test_a_huge_line_of_a_playbook_and_a_huge_sentence_are_cut_too():
    faults = Faults("p.yaml", "x: 1\n" + "y" * 5_000_000)
    faults.add(Place(2, 1, 5_000_000), "k" * 5_000_000, "m" * 5_000_000, "h" * 5_000_000)

    assert len(render_faults(faults.found)) < 4_000


def test_faults_are_raised_in_the_order_of_the_text_and_each_once():
    faults = Faults("p.yaml", "one\ntwo\n")
    faults.add_elsewhere(Fault("list.csv", 1, 1, "", "z"))
    faults.add(Place(2, 1, 99), "b", "second")
    faults.add(Place(1, 2), "a", "first")
    faults.add(Place(1, 2), "a", "first")

    with pytest.raises(PlaybookError) as raised:
        faults.raise_if_any()

    found = raised.value.faults
    assert [(f.path, f.message, f.length) for f in found] == [
        ("p.yaml", "first", 1),
        ("p.yaml", "second", 3),
        ("list.csv", "z", 1),
    ]
    assert str(raised.value).splitlines()[0] == "p.yaml:1:2: first"


def test_no_fault_raises_nothing():
    Faults("p.yaml", "").raise_if_any()


@pytest.mark.parametrize(
    ("word", "words", "said"),
    [
        ("Reboot", ["reboot", "sync"], "did you mean 'reboot'?"),
        ("upp", ["up", "Up"], "did you mean 'up'?"),
        ("zzz", ["reboot", "sync"], "known here: reboot, sync"),
        ("zzz", [], ""),
    ],
)
def test_the_nearest_word_is_offered_else_all_of_them(word, words, said):
    assert nearest(word, words) == said


@pytest.mark.parametrize(
    "line",
    [
        'password: "hunter2',
        "{api_token: hunter2}",
        "username: 'hunter2'",
        "PASSWORD=hunter2",
        "  wifi_key: hunter2",
        "- update: {psk: hunter2}",
        "X.WEPKey.1=hunter2",
    ],
)
def test_no_fault_shows_a_line_that_gives_a_secret(line):
    faults = Faults("p.yaml", line)
    faults.add(Place(1, 3, 5), "", "wrong")

    assert [(f.source, f.length) for f in faults.found] == [("", 1)]


@pytest.mark.parametrize("line", ["password: {generate: 24}", "public_key: abc", "keyboard: de"])
def test_a_line_that_only_names_a_secret_or_sounds_like_one_is_shown(line):
    faults = Faults("p.yaml", line)
    faults.add(Place(1, 3), "", "wrong")

    assert faults.found[0].source == line
