"""Settings: what they mean, where each value came from, and all that is wrong with them at once.

Rising strength: default, environment, `.env`, command line. Nobody else knows pydantic-settings.
"""

import difflib
import importlib.util
import ipaddress
import os
import shlex
import stat
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PrivateAttr,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_core import ErrorDetails, PydanticUndefined
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from orchestrator.model import durations, tokens
from orchestrator.model.errors import SettingsError

PREFIX = "ORCHESTRATOR_"
ENV_FILE = Path(".env")
_MASK = "********"
_NEAR = 0.75


def _as_seconds(value: object) -> object:
    """Read a duration as people write it; a bare number is seconds."""
    if not isinstance(value, str):
        return value
    try:
        return float(value)
    except ValueError:
        return durations.from_text(value)


def _as_word(value: object) -> object:
    return value.strip().lower() if isinstance(value, str) else value


def _as_place(value: Path) -> Path:
    return Path(os.path.expanduser(value))  # noqa: PTH111 - Path.expanduser raises for unknown users


Place = Annotated[Path, AfterValidator(_as_place)]
Seconds = Annotated[float, BeforeValidator(_as_seconds), Field(gt=0, le=30 * 86400)]


class Settings(BaseSettings):
    """Every setting of the program; `load` makes it, so that nothing is read by accident."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_ignore_empty=True,
        env_file=None,
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        use_attribute_docstrings=True,
        dotenv_filtering="only_existing",
    )

    base_url: str = "https://control.zequenze.com/api/v1"
    """Where the controller's API begins."""
    allow_plain_http: bool = False
    """Send the token over plain `http://` to a controller that is not on this machine."""
    token: SecretStr | None = None
    """The controller's API token. Better kept in a file: see the next one."""
    token_file: Place | None = None
    """A file that holds the token; read again when the controller no longer takes it."""
    ca_bundle: Place | None = None
    """Certificates (PEM) to trust instead of the system's, for a private authority."""
    connect_timeout: Seconds = 10.0
    """How long a connection to the controller may take to be made."""
    answer_timeout: Seconds = 60.0
    """How long an operation request may go unanswered before it is in doubt."""
    read_timeout: Seconds = 30.0
    """How long one read may take before it is tried again."""
    read_attempts: Annotated[int, Field(ge=1, le=20)] = 4
    """How often one read is tried in all before the controller counts as unreachable."""
    page_size: Annotated[int, Field(ge=1, le=10_000)] = 500
    """Devices asked for with one list request; the controller may give fewer."""
    controller_patience: Seconds = 1800.0
    """How long a paused run waits for a controller it cannot use before it stops."""
    plan_lifetime: Seconds = 86400.0
    """How long a plan may be carried out after it was made, unless its window opens only later."""
    runs_dir: Place = Path("logs/runs")
    """The folder that holds a folder for each run: plan, journal, report."""
    locks_dir: Place = Path("/tmp/orchestrator-locks")  # noqa: S108 - everybody's, and guarded as such
    """Where runs tell each other which devices they hold; the same for all users of a machine."""
    log_file: Place = Path("logs/orchestrator.log")
    """Where the log goes; `-` is the terminal (stderr)."""
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"], BeforeValidator(_as_word)
    ] = "info"
    """The least that is logged: `debug`, `info`, `warning` or `error`."""
    log_format: Annotated[Literal["console", "json"], BeforeValidator(_as_word)] = "console"
    """`console` for people, `json` for machines."""
    audit_key: SecretStr | None = None
    """A secret that chains the journal, so that nobody without it can change what it says."""
    notify_file: Place | None = None
    """Whom a playbook's `notify` can tell: one `name = apprise-url` a line; the URLs are secrets."""
    vault_file: Place = Path("logs/vault")
    """The encrypted file that keeps passwords of devices: being set, present, and the one before."""
    vault_key: SecretStr | None = None
    """The vault's key; where neither it nor a file for it is set, the system's keyring is asked."""
    vault_key_file: Place | None = None
    """A file that holds the key of the vault."""
    password_command: str | None = None
    """A command that prints one secret for `{command: true}`; it gets the device as JSON on stdin."""
    speed: Annotated[float, Field(gt=0, le=10_000)] = 1.0
    """How many times faster than real a simulator's time runs; refused for any other controller."""

    event_loop: Annotated[Literal["auto", "asyncio", "uvloop"], BeforeValidator(_as_word)] = "auto"
    """`uvloop` is the faster one, `asyncio` is Python's own; `auto` takes uvloop where it is installed."""

    _sources: Mapping[str, str] = PrivateAttr(default_factory=dict)
    _warnings: tuple[str, ...] = PrivateAttr(default=())

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - as it is called
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - as it is called
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - as it is called
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - as it is called
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take what `load` has read and weighed, and look nowhere else."""
        return (init_settings,)

    @field_validator("base_url")
    @classmethod
    def _is_usable(cls, value: str) -> str:
        return _checked_url(value)

    @field_validator("allow_plain_http")
    @classmethod
    def _keeps_the_token_unseen(cls, value: bool, info: ValidationInfo) -> bool:
        url = info.data.get("base_url")
        if url is not None and not value and _is_plain(url) and not is_loopback(url):
            raise ValueError(
                f"{url} would carry the token in clear; use https://, or set this to true"
            )
        return value

    @field_validator("token", "audit_key", "vault_key")
    @classmethod
    def _is_one_word(cls, value: SecretStr | None) -> SecretStr | None:
        return None if value is None else SecretStr(tokens.one_word(value.get_secret_value()))

    @field_validator("token_file")
    @classmethod
    def _is_the_only_token(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        if value is not None and info.data.get("token") is not None:
            raise ValueError("the token is given twice, as text and as a file; give one of them")
        return value

    @field_validator("vault_key_file")
    @classmethod
    def _is_the_only_key(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        if value is not None and info.data.get("vault_key") is not None:
            raise ValueError(
                "the vault's key is given twice, as text and as a file; give one of them"
            )
        return value

    @field_validator("password_command")
    @classmethod
    def _is_a_command_line(cls, value: str | None) -> str | None:
        try:
            words = [] if value is None else shlex.split(value)
        except ValueError:
            # What is quoted may be a secret.
            raise ValueError("this is no command line: a quotation is not closed") from None
        if value is not None and not words:
            raise ValueError("this is no command line: it is empty")
        return value

    @field_validator("ca_bundle")
    @classmethod
    def _can_be_read(cls, value: Path | None) -> Path | None:
        there = value is not None and (value.is_file() or value.is_dir())
        if value is not None and not (there and os.access(value, os.R_OK)):
            raise ValueError(f"there is no readable file or folder {value}")
        return value

    @field_validator("event_loop")
    @classmethod
    def _is_installed(cls, value: str) -> str:
        if value == "uvloop" and importlib.util.find_spec("uvloop") is None:
            raise ValueError("uvloop is not installed here; install it, or say auto")
        return value

    @field_validator("speed")
    @classmethod
    def _is_for_a_simulator(cls, value: float, info: ValidationInfo) -> float:
        url = info.data.get("base_url")
        if value != 1 and url is not None and not is_loopback(url):
            raise ValueError(f"only a simulator on this machine has a speed, and {url} is not one")
        return value

    @property
    def warnings(self) -> tuple[str, ...]:
        """Give what is probably a mistake and yet no reason to stop."""
        return self._warnings

    @property
    def vault_key_text(self) -> str | None:
        """Give the vault's key as the environment has it."""
        return None if self.vault_key is None else self.vault_key.get_secret_value()

    @property
    def audit_key_bytes(self) -> bytes | None:
        """Give the audit key as the journal takes it."""
        return None if self.audit_key is None else self.audit_key.get_secret_value().encode()

    def source_of(self, field: str) -> str:
        """Name where a value came from: default, environment, .env or command line."""
        return self._sources.get(field, "default")

    def read_token(self) -> str:
        """Give the token, read from its file each time; raises SettingsError when there is none."""
        if self.token is not None:
            return self.token.get_secret_value()
        if self.token_file is None:
            raise SettingsError(
                f"there is no token: set {PREFIX}TOKEN, or {PREFIX}TOKEN_FILE to a file with it"
            )
        try:
            with self.token_file.open("rb") as file:
                return tokens.one_word(file.read(tokens.LONGEST + 1))
        except OSError as error:
            reason = (error.strerror or "unreadable").lower()
            raise SettingsError(f"the token file {self.token_file}: {reason}") from error
        except ValueError as error:
            raise SettingsError(f"the token file {self.token_file}: {error}") from None

    @classmethod
    def _loaded(cls, given: Mapping[str, Any], sources: Mapping[str, str]) -> Self:
        settings = cls(**given)
        settings._sources = sources
        return settings


def load(
    overrides: Mapping[str, object] | None = None,
    *,
    env_file: Path | None = None,
    ignoring: Collection[str] = (),
) -> Settings:
    """Read all settings; `overrides` come from the command line, None in them means not given.

    What the environment and `.env` say of the settings in `ignoring` is not looked at.
    Without `env_file` a `.env` in the working directory is read if there is one. Raises
    SettingsError with everything that is wrong, one line each, and no secret in it.
    """
    given = {name: value for name, value in (overrides or {}).items() if value is not None}
    from_file = _env_file(env_file)
    dotenv = DotEnvSettingsSource(Settings, env_file=from_file)
    known = {name: value for name, value in given.items() if name in Settings.model_fields}
    values: dict[str, Any] = {}
    sources: dict[str, str] = {}
    for source, found in (
        ("environment", _without(EnvSettingsSource(Settings)(), ignoring)),
        (".env", _without(dotenv(), ignoring)),
        ("command line", known),
    ):
        values |= found
        sources |= dict.fromkeys(found, source)
    faults = _unknown_overrides(given) + _unknown_in_file(dotenv.env_vars)
    typos, warnings = _unknown_in_environment(os.environ)
    faults += typos
    settings = None
    try:
        settings = Settings._loaded(values, sources)  # noqa: SLF001 - its other half
    except ValidationError as error:
        # The traceback of a validation error may show values; only our sentences leave.
        faults += [_sentence(each, sources) for each in error.errors(include_url=False)]
    if settings is None or faults:
        raise SettingsError("\n".join(faults))
    settings._warnings = (*warnings, *_exposed(settings))  # noqa: SLF001
    return settings


def _exposed(settings: Settings) -> list[str]:
    """Tell of files with secrets that other users of this machine can read."""
    return [
        f"{env_name(name)}: others can read {path}; say `chmod 600 {path}`"
        for name in ("notify_file", "vault_key_file")
        if (path := getattr(settings, name)) is not None and _is_open_to_others(path)
    ]


def _is_open_to_others(path: Path) -> bool:
    try:
        return bool(path.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH))
    except OSError:  # whoever needs the file says so
        return False


def _without(found: Mapping[str, Any], names: Collection[str]) -> dict[str, Any]:
    return {name: value for name, value in found.items() if name not in names}


def is_loopback(url: str) -> bool:
    """Tell whether a URL leads to this very machine."""
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_plain(url: str) -> bool:
    return urlsplit(url).scheme != "https"


def env_name(field: str) -> str:
    """Give the name of a setting in the environment and in `.env`."""
    return PREFIX + field.upper()


@dataclass(frozen=True, slots=True)
class Explained:
    """One setting as `orchestrator settings` shows it."""

    name: str
    env: str
    value: str
    """Readable; a secret is masked, and what is not set is empty."""
    source: str
    description: str


def explain(settings: Settings) -> list[Explained]:
    """Give every setting with its value and where that came from; no secret is shown."""
    return [
        Explained(
            name=name,
            env=env_name(name),
            value=_shown(name, getattr(settings, name)),
            source=settings.source_of(name),
            description=field.description or "",
        )
        for name, field in Settings.model_fields.items()
    ]


def as_markdown() -> str:
    """Give the table of settings that stands in the README."""
    rows = ["| setting | default | meaning |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        default = "" if field.default is PydanticUndefined else _shown(name, field.default)
        shown = f"`{default}`" if default else ""
        rows.append(f"| `{env_name(name)}` | {shown} | {field.description} |")
    return "\n".join(rows) + "\n"


def _shown(name: str, value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, SecretStr):
        return _MASK
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:g}" if name == "speed" else durations.as_text(value)
    return str(value)


def _checked_url(value: str) -> str:
    """Give the URL without its last slash; the message never repeats what might hold a password."""
    try:
        parts = urlsplit(value.strip())
        port_is_good = parts.port != 0
    except ValueError as error:
        raise ValueError("this is not a URL") from error
    if parts.username is not None or parts.password is not None:
        raise ValueError("a name or password must not stand in the URL; the token is a setting")
    if parts.query or parts.fragment or value.strip().endswith(("?", "#")):
        raise ValueError("the URL must end with its path: no '?' and no '#'")
    if parts.scheme not in ("http", "https") or not parts.hostname or not port_is_good:
        raise ValueError("this is not a URL such as https://control.example.com/api/v1")
    if any(character.isspace() or not character.isprintable() for character in value.strip()):
        raise ValueError("the URL must not hold blanks or control characters")
    return parts._replace(netloc=parts.netloc.lower()).geturl().rstrip("/")


def _env_file(asked_for: Path | None) -> Path | None:
    if asked_for is None and not ENV_FILE.exists():
        return None
    path = asked_for or ENV_FILE
    try:
        path.read_text(encoding="utf-8")
    except OSError as error:
        reason = (error.strerror or "unreadable").lower()
        raise SettingsError(f"{path} cannot be read: {reason}") from error
    except UnicodeDecodeError:
        raise SettingsError(f"{path} cannot be read: it is not text") from None
    return path


def _unknown_overrides(given: Iterable[str]) -> list[str]:
    return [
        f"{name} on the command line: there is no such setting{_hint(name, Settings.model_fields)}"
        for name in given
        if name not in Settings.model_fields
    ]


def _unknown_in_file(names: Iterable[str]) -> list[str]:
    return [
        f"{name} in .env: there is no such setting{_hint(name, _env_names())}"
        for name in _unknown(names)
    ]


def _unknown_in_environment(names: Iterable[str]) -> tuple[list[str], list[str]]:
    """Tell misspelt names, which are errors, from foreign ones: platforms add their own."""
    typos: list[str] = []
    warnings: list[str] = []
    for name in _unknown(names):
        sentence = f"{name} in the environment: there is no such setting"
        hint = _hint(name, _env_names())
        (typos if hint else warnings).append(sentence + hint)
    return typos, warnings


def _unknown(names: Iterable[str]) -> list[str]:
    known = set(_env_names())
    upper = sorted(name.upper() for name in names)
    return [name for name in upper if name.startswith(PREFIX) and name not in known]


def _env_names() -> Sequence[str]:
    return [env_name(name) for name in Settings.model_fields]


def _hint(name: str, known: Iterable[str]) -> str:
    bare = {each.removeprefix(PREFIX): each for each in known}
    nearest = difflib.get_close_matches(name.removeprefix(PREFIX), bare, n=1, cutoff=_NEAR)
    return f"; did you mean {bare[nearest[0]]}?" if nearest else ""


def _sentence(error: ErrorDetails, sources: Mapping[str, str]) -> str:
    field = str(error["loc"][0])
    source = sources.get(field, "default")
    where = f"--{field.replace('_', '-')}" if source == "command line" else env_name(field)
    if source in ("environment", ".env"):
        where += f" in {'the environment' if source == 'environment' else source}"
    return f"{where}: {_what(error)}"


_BOUNDS = {
    "greater_than": ("must be more than", "gt"),
    "greater_than_equal": ("must be at least", "ge"),
    "less_than_equal": ("must be at most", "le"),
}
_KINDS = {
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "int_type": "must be a whole number",
    "float_parsing": "must be a number",
    "float_type": "must be a number",
    "bool_parsing": "must be true or false",
    "bool_type": "must be true or false",
}


def _what(error: ErrorDetails) -> str:
    kind = error["type"]
    context: dict[str, Any] = error.get("ctx", {})
    if kind == "value_error":
        return str(context["error"])
    if kind == "literal_error":
        return f"must be {context['expected']}"
    if kind in _BOUNDS:
        words, bound = _BOUNDS[kind]
        return f"{words} {context[bound]:g}"
    return _KINDS.get(kind) or error["msg"][:1].lower() + error["msg"][1:]
