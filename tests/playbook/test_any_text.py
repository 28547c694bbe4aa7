"""Whatever a file holds, the reader ends with a playbook or with faults that have a place."""

from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.playbook.faults import render_faults
from orchestrator.playbook.language import PLAYBOOK
from tests.support.playbooks import faults, minimal

PIECES = [
    *("playbook: a", "devices:", "steps:", "- operation: reboot", "vars: {a: 1}", "${a}", "@x.csv"),
    *("{", "}", "[", "]", ":", "- ", "\n", "\n  ", "&a ", "*a", "'", '"', "|\n", "\t", "~", "none"),
    *(
        "where:",
        "status: up",
        "below:",
        "2.5",
        "30s",
        "include:",
        "é",
        "\u2028",
        "\x85",
        "#",
        "!!x ",
    ),
    *PLAYBOOK.keys,
]
TEXTS = st.lists(st.sampled_from(PIECES), max_size=25).map("".join) | st.text(max_size=60)


@settings(max_examples=100, deadline=None)
@given(TEXTS, st.booleans())
def test_every_text_gives_a_playbook_or_faults_with_a_place(text, after_a_good_beginning):
    found = faults(minimal() + text if after_a_good_beginning else text, variables={"a": "x"})

    for fault in found:
        assert fault.line >= 1
        assert fault.column >= 1
        assert 1 <= fault.length <= max(1, len(fault.source))
        assert fault.message
    assert render_faults(found).count("\n\n") >= max(0, len(found) - 1)
