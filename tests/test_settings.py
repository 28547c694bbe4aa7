"""Settings: their strength, their sources, and everything that is wrong with them at once."""

import os
from pathlib import Path

import pytest

from orchestrator.model.errors import SettingsError
from orchestrator.settings import Settings, as_markdown, env_name, explain, is_loopback, load

TOKEN = "s3cret-t0ken-value"


@pytest.fixture(autouse=True)
def _clean(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.upper().startswith("ORCHESTRATOR_"):
            monkeypatch.delenv(name)


def _env(monkeypatch, **values):
    for name, value in values.items():
        monkeypatch.setenv(f"ORCHESTRATOR_{name}", value)


def _dotenv(text):
    Path(".env").write_text(text)


def _faults(overrides=None):
    with pytest.raises(SettingsError) as error:
        load(overrides)
    return str(error.value).splitlines()


def test_without_anything_given_the_defaults_hold():
    settings = load()

    assert settings.base_url == "https://control.zequenze.com/api/v1"
    assert settings.runs_dir == Path("logs/runs")
    assert settings.controller_patience == 1800
    assert {settings.source_of(name) for name in Settings.model_fields} == {"default"}


def test_the_environment_beats_the_default_the_file_the_environment_the_command_line_both(
    monkeypatch,
):
    _env(monkeypatch, PAGE_SIZE="1", READ_ATTEMPTS="1", LOG_LEVEL="error")
    _dotenv("ORCHESTRATOR_PAGE_SIZE=2\nORCHESTRATOR_READ_ATTEMPTS=2\n")
    settings = load({"page_size": 3, "log_format": None})

    assert (settings.page_size, settings.source_of("page_size")) == (3, "command line")
    assert (settings.read_attempts, settings.source_of("read_attempts")) == (2, ".env")
    assert (settings.log_level, settings.source_of("log_level")) == ("error", "environment")
    assert (settings.log_format, settings.source_of("log_format")) == ("console", "default")


def test_another_file_than_dot_env_can_be_named(tmp_path):
    other = tmp_path / "other.env"
    other.write_text("ORCHESTRATOR_PAGE_SIZE=7\n")

    assert load(env_file=other).page_size == 7
    with pytest.raises(SettingsError, match=r"nowhere\.env cannot be read: no such file"):
        load(env_file=tmp_path / "nowhere.env")


def test_a_file_that_is_not_text_is_named():
    Path(".env").write_bytes(b"\xff\xfe\x00")

    assert _faults() == [".env cannot be read: it is not text"]


def test_an_empty_value_is_as_if_not_given(monkeypatch):
    _env(monkeypatch, TOKEN="", PAGE_SIZE="")

    assert load().token is None


@pytest.mark.parametrize(
    ("text", "seconds"), [("30s", 30), ("1h30m", 5400), ("200ms", 0.2), ("45", 45), ("1.5", 1.5)]
)
def test_a_duration_is_text_or_a_number_of_seconds(monkeypatch, text, seconds):
    _env(monkeypatch, READ_TIMEOUT=text)

    assert load().read_timeout == seconds


@pytest.mark.parametrize("text", ["0", "-5s", "soon", "1w", "nan", "inf", "90d"])
def test_an_impossible_duration_is_refused(monkeypatch, text):
    _env(monkeypatch, READ_TIMEOUT=text)

    (fault,) = _faults()
    assert fault.startswith("ORCHESTRATOR_READ_TIMEOUT in the environment: ")


@pytest.mark.parametrize(
    ("given", "normal"),
    [
        ("https://c.example.com/api/v1/", "https://c.example.com/api/v1"),
        ("  HTTPS://C.Example.com/API//  ", "https://c.example.com/API"),
        ("http://127.0.0.1:8080/api/v1", "http://127.0.0.1:8080/api/v1"),
        ("http://localhost:8080", "http://localhost:8080"),
        ("http://[::1]:8080/api", "http://[::1]:8080/api"),
    ],
)
def test_a_url_is_brought_into_one_form(given, normal):
    assert load({"base_url": given}).base_url == normal


@pytest.mark.parametrize(
    "url",
    [
        "",
        "control.example.com",
        "ftp://c.example.com",
        "https://",
        "https://h:99999/",
        "https://c.example.com:0/",
        "https://a b/",
        "https://[::1/api",
        "https://c.example.com/api?x=1",
        "https://c.example.com/api?",
        "https://c.example.com/#a",
    ],
)
def test_what_is_no_usable_url_is_refused(url):
    (fault,) = _faults({"base_url": url})

    assert fault.startswith("--base-url: ")


def test_a_password_in_the_url_is_refused_and_not_repeated():
    (fault,) = _faults({"base_url": "https://ana:hunter2@c.example.com/api"})

    assert "must not stand in the URL" in fault
    assert "hunter2" not in fault


@pytest.mark.parametrize(
    "url", ["http://c.example.com/api", "HTTP://C.example.com", "http://10.0.0.1"]
)
def test_plain_http_to_another_machine_is_refused_unless_allowed(url):
    (fault,) = _faults({"base_url": url})

    assert fault.startswith("ORCHESTRATOR_ALLOW_PLAIN_HTTP: http://")
    assert "would carry the token in clear" in fault
    assert load({"base_url": url, "allow_plain_http": True}).base_url.startswith("http://")


@pytest.mark.parametrize(
    ("url", "loopback"),
    [
        ("http://127.9.9.9/", True),
        ("http://localhost", True),
        ("http://[::1]", True),
        ("http://localhost.example.com", False),
        ("http://127.0.0.1.example.com", False),
        ("http://0.0.0.0", False),
        ("nonsense", False),
    ],
)
def test_only_this_very_machine_is_loopback(url, loopback):
    assert is_loopback(url) is loopback


def test_a_speed_is_for_a_simulator_on_this_machine():
    assert load({"base_url": "http://127.0.0.1:1", "speed": 60}).speed == 60
    (fault,) = _faults({"speed": 60})
    assert "only a simulator on this machine has a speed" in fault


def test_a_token_given_twice_is_refused(monkeypatch):
    _env(monkeypatch, TOKEN=TOKEN, TOKEN_FILE="token.txt")

    (fault,) = _faults()
    assert "given twice" in fault


def test_a_token_is_read_from_its_file_each_time(tmp_path):
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n")
    settings = load({"token_file": str(file)})
    first = settings.read_token()
    file.write_text("another\n")

    assert (first, settings.read_token()) == (TOKEN, "another")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "it is empty"),
        (b"two words", "it must be one word"),
        (b"line\nline", "it must be one word"),
        (b"\xff\xfe", "it is not text"),
        (b"a" * 100_000, "it is longer than"),
        (None, "no such file"),
    ],
)
def test_a_token_file_that_holds_no_token_is_named_without_its_content(tmp_path, content, words):
    file = tmp_path / "token"
    if content is not None:
        file.write_bytes(content)

    with pytest.raises(SettingsError, match=f"^the token file {file}: {words}"):
        load({"token_file": file}).read_token()


def test_a_missing_token_says_how_to_give_one():
    with pytest.raises(SettingsError, match="set ORCHESTRATOR_TOKEN, or ORCHESTRATOR_TOKEN_FILE"):
        load().read_token()


def test_a_tilde_is_the_home_of_the_user(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    _dotenv("ORCHESTRATOR_RUNS_DIR=~/runs\n")

    assert load().runs_dir == tmp_path / "runs"


def test_a_ca_bundle_must_be_there():
    (fault,) = _faults({"ca_bundle": "nowhere.pem"})

    assert fault == "--ca-bundle: there is no readable file or folder nowhere.pem"


def test_a_ca_bundle_may_be_a_file_or_a_folder(tmp_path):
    (tmp_path / "company.pem").touch()

    assert load({"ca_bundle": tmp_path}).ca_bundle == tmp_path
    assert load({"ca_bundle": tmp_path / "company.pem"}).ca_bundle == tmp_path / "company.pem"


def test_what_is_to_be_ignored_keeps_its_default_wherever_it_stands(monkeypatch):
    _env(monkeypatch, BASE_URL="no url", PAGE_SIZE="7")
    _dotenv("ORCHESTRATOR_SPEED=60\n")

    settings = load(ignoring=("base_url", "speed"))

    assert (settings.speed, settings.page_size) == (1, 7)
    assert settings.source_of("base_url") == "default"


def test_everything_that_is_wrong_is_said_at_once_and_no_secret_with_it(monkeypatch):
    _env(monkeypatch, TOKEN=f"{TOKEN} {TOKEN}", PAGE_SIZE="many", LOG_LEVEL="loud", BASEURL="x")
    _dotenv("ORCHESTRATOR_RUN_DIR=x\nORCHESTRATOR_ALLOW_PLAIN_HTTP=perhaps\nOTHER=1\n")
    faults = _faults({"read_attempts": 0, "speed": "fast", "pagesize": 3})

    assert sorted(faults) == sorted(EVERY_FAULT.strip().splitlines())


EVERY_FAULT = """
pagesize on the command line: there is no such setting; did you mean page_size?
ORCHESTRATOR_RUN_DIR in .env: there is no such setting; did you mean ORCHESTRATOR_RUNS_DIR?
ORCHESTRATOR_BASEURL in the environment: there is no such setting; did you mean ORCHESTRATOR_BASE_URL?
ORCHESTRATOR_ALLOW_PLAIN_HTTP in .env: must be true or false
ORCHESTRATOR_TOKEN in the environment: it must be one word of plain characters, on one line
--read-attempts: must be at least 1
ORCHESTRATOR_PAGE_SIZE in the environment: must be a whole number
ORCHESTRATOR_LOG_LEVEL in the environment: must be 'debug', 'info', 'warning' or 'error'
--speed: must be a number
"""


def test_an_unknown_name_in_the_file_is_an_error_even_without_a_neighbour():
    _dotenv("ORCHESTRATOR_XYZZY=1\n")

    assert _faults() == ["ORCHESTRATOR_XYZZY in .env: there is no such setting"]


def test_a_foreign_name_in_the_environment_is_only_a_warning(monkeypatch):
    _env(monkeypatch, SERVICE_HOST="10.0.0.7")

    assert load().warnings == (
        "ORCHESTRATOR_SERVICE_HOST in the environment: there is no such setting",
    )


@pytest.mark.parametrize("name", ["notify_file", "vault_key_file"])
@pytest.mark.parametrize(("mode", "warned"), [(0o600, False), (0o640, True), (0o604, True)])
def test_a_file_of_secrets_that_others_can_read_is_a_warning(tmp_path, name, mode, warned):
    file = tmp_path / "secrets"
    file.touch()
    file.chmod(mode)
    sentence = f"{env_name(name)}: others can read {file}; say `chmod 600 {file}`"

    assert load({name: file}).warnings == ((sentence,) if warned else ())


@pytest.mark.parametrize("name", ["notify_file", "vault_key_file"])
def test_a_file_of_secrets_that_is_not_there_is_no_warning(name):
    assert load({name: "nowhere"}).warnings == ()


def test_the_vault_lies_beside_the_runs_unless_another_place_is_named():
    settings = load()

    assert settings.vault_file == Path("logs/vault")
    assert settings.vault_key_text is None
    assert load({"vault_file": "other"}).vault_file == Path("other")


def test_a_key_of_the_vault_given_twice_is_refused(monkeypatch):
    _env(monkeypatch, VAULT_KEY="a-key", VAULT_KEY_FILE="key.txt")

    (fault,) = _faults()
    assert "the vault's key is given twice" in fault
    assert "a-key" not in fault


@pytest.mark.parametrize(("command", "words"), [("pass show 'cpe", "not closed"), ("  ", "empty")])
def test_what_is_no_command_line_is_refused_and_not_repeated(command, words):
    (fault,) = _faults({"password_command": command})

    assert fault.startswith("--password-command: this is no command line: ")
    assert words in fault
    assert "cpe" not in fault


def test_the_folder_for_locks_is_one_for_the_machine_whatever_the_user_calls_temporary(monkeypatch):
    monkeypatch.setenv("TMPDIR", "/home/ana/tmp")

    assert load().locks_dir == Path("/tmp/orchestrator-locks")


def test_no_secret_shows_in_what_is_printed(monkeypatch):
    _env(monkeypatch, TOKEN=TOKEN, AUDIT_KEY="another-secret", VAULT_KEY="third-secret")
    settings = load()
    shown = repr(settings) + str(settings) + repr(explain(settings))

    assert TOKEN not in shown
    assert "another-secret" not in shown
    assert "third-secret" not in shown
    assert settings.vault_key_text == "third-secret"
    assert settings.audit_key_bytes == b"another-secret"


def test_each_setting_is_explained_with_its_value_and_source(monkeypatch):
    _env(monkeypatch, TOKEN=TOKEN)
    rows = {row.name: row for row in explain(load({"page_size": 9}))}

    assert list(rows) == list(Settings.model_fields)
    assert all(row.description.endswith(".") for row in rows.values())
    assert (rows["token"].value, rows["token"].source) == ("********", "environment")
    assert (rows["page_size"].value, rows["page_size"].source) == ("9", "command line")
    assert (rows["controller_patience"].value, rows["controller_patience"].source) == (
        "30m",
        "default",
    )
    assert rows["audit_key"].value == ""


def test_the_table_names_every_setting_once():
    table = as_markdown()

    assert [line.split("`")[1] for line in table.splitlines()[2:]] == [
        env_name(name) for name in Settings.model_fields
    ]


def test_the_example_file_names_only_settings_there_are():
    example = Path(__file__).parent.parent / ".env.example"
    text = example.read_text()
    Path("all.env").write_text(text.replace("#ORCHESTRATOR", "ORCHESTRATOR"))
    faults = []
    try:
        load(env_file=Path("all.env"))
    except SettingsError as error:
        faults = str(error).splitlines()

    assert faults == [
        "ORCHESTRATOR_CA_BUNDLE in .env: there is no readable file or folder /etc/ssl/certs/company.pem"
    ]


def test_an_event_loop_that_is_not_installed_is_refused_in_one_sentence(monkeypatch):
    monkeypatch.setenv("ORCHESTRATOR_EVENT_LOOP", "UVLOOP")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)

    with pytest.raises(SettingsError, match="EVENT_LOOP in the environment: uvloop is not install"):
        load()


def test_pythons_own_event_loop_can_be_asked_for(monkeypatch):
    monkeypatch.setenv("ORCHESTRATOR_EVENT_LOOP", "asyncio")

    assert load().event_loop == "asyncio"
