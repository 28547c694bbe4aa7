"""The file that says where names lead: every fault with its place, no URL in any text."""

import pytest

from orchestrator.adapters.people.notify_file import read_targets
from orchestrator.model.errors import SettingsError

URL = "slack://T0ken/S3cret/V4lue"


@pytest.fixture
def file(tmp_path):
    return tmp_path / "notify.txt"


def _fault(file, text):
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(SettingsError) as error:
        read_targets(file)
    return str(error.value).replace(str(file), "FILE")


def _plain(targets):
    return {name: [url.get_secret_value() for url in urls] for name, urls in targets.items()}


def test_names_lead_to_their_urls_and_one_name_may_lead_to_several(file):
    file.write_text(
        "# who is told\n\nnoc-chat = slack://a/b/c\r\n  ops.mail=mailtos://u:p@example.com?to=x#y \n"
        "noc-chat = json://127.0.0.1/hook\n  # the end"
    )

    assert _plain(read_targets(file)) == {
        "noc-chat": ["slack://a/b/c", "json://127.0.0.1/hook"],
        "ops.mail": ["mailtos://u:p@example.com?to=x#y"],
    }


def test_an_editors_byte_order_mark_is_no_part_of_the_name(file):
    file.write_bytes(b"\xef\xbb\xbfnoc = json://x\n")

    assert list(read_targets(file)) == ["noc"]


def test_what_was_read_never_shows_a_url(file):
    file.write_text(f"noc = {URL}\n")

    assert "S3cret" not in repr(read_targets(file)) + str(read_targets(file))


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("noc", "FILE:2:1: write `name = apprise-url`"),
        (f"  {URL}", "FILE:2:3: write `name = apprise-url`"),
        (f"{URL}?a=b", "FILE:2:1: write `name = apprise-url`"),
        (f"noc chat = {URL}", "FILE:2:1: a name is made of letters, digits, '.', '_' and '-'"),
        (f" = {URL}", "FILE:2:1: a name is made of letters, digits"),
        (f"nöc = {URL}", "FILE:2:1: a name is made of letters, digits"),
        ("noc = ", "FILE:2:6: there is no URL for 'noc' behind the '='"),
        (f"noc = {URL} {URL}", "FILE:2:7: the URL for 'noc' must be one word such as slack://"),
        ("noc = hooks.example.com/S3cret", "FILE:2:7: the URL for 'noc' must be one word"),
        ("noc =  json://ö/S3cret", "FILE:2:8: the URL for 'noc' must be one word"),
        (f"ok = {URL}", "FILE:2:6: this place stands under 'ok' already; remove one"),
    ],
)
def test_a_line_that_is_wrong_is_named_with_its_place_and_without_its_secret(file, line, fault):
    told = _fault(file, f"ok = {URL}\n{line}\n")

    assert told.startswith(fault)
    assert "S3cret" not in told
    assert "\n" not in told


def test_all_faults_are_told_at_once(file):
    told = _fault(file, "a\nb = \nc = json://x\nd d = json://x\n")

    assert [line.split(":")[1] for line in told.splitlines()] == ["1", "2", "4"]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "FILE:1:1: it names nobody"),
        ("# nobody\n", "FILE:1:1: it names nobody"),
        (b"noc = \xff\xfe", "FILE: it is not text"),
        (b"#" * 300_000, "FILE: it is longer than 262,144 bytes"),
    ],
)
def test_a_file_that_says_nothing_usable_is_refused(file, text, fault):
    assert _fault(file, text).startswith(fault)


def test_a_file_that_is_not_there_is_named(file):
    with pytest.raises(SettingsError, match=r"targets .*notify\.txt cannot be read: no such file"):
        read_targets(file)
