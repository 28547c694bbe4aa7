"""Options that several commands share; those that override a setting end up in its Settings."""

import inspect
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from functools import wraps
from typing import TYPE_CHECKING, Annotated, Any

import typer

from orchestrator.cli import completing, screen

if TYPE_CHECKING:
    from orchestrator.settings import Settings

RunReference = Annotated[
    str,
    typer.Argument(
        metavar="RUN",
        help="A run's id, the beginning of it, or `last`.",
        autocompletion=completing.run_ids,
    ),
]
Variables = Annotated[
    list[str] | None,
    typer.Option("--var", metavar="NAME=VALUE", help="A value for one of the playbook's vars."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Write JSON for programs.")]

CONTROLLER = {
    "base_url": "Where the controller's API begins.",
    "token_file": "A file that holds the controller's token.",
    "ca_bundle": "Certificates to trust instead of the system's.",
    "allow_plain_http": "Send the token over plain http:// (true or false).",
    "connect_timeout": "How long a connection may take to be made.",
    "answer_timeout": "How long an operation request may go unanswered.",
    "read_timeout": "How long one read may take.",
    "read_attempts": "How often one read is tried in all.",
    "page_size": "Devices asked for with one list request.",
    "controller_patience": "How long to wait for an unusable controller.",
    "speed": "How much faster a simulator's time runs.",
    "event_loop": "auto, asyncio or uvloop.",
}
RUNS = {"runs_dir": "The folder that holds the runs."}
VAULT = {
    "vault_file": "The encrypted file that keeps the passwords of devices.",
    "vault_key_file": "A file that holds the key of the vault.",
}
OTHERS = {
    "locks_dir": "Where runs tell each other which devices they hold.",
    "notify_file": "Whom a playbook's notify can tell: lines of name = apprise-url.",
    **VAULT,
    "password_command": "A command that prints one secret for each device.",
}
LOG = {
    "log_file": "Where the log goes; - is stderr.",
    "log_level": "debug, info, warning or error.",
    "log_format": "console or json.",
}
"""Settings that the command line can override, by group; the secret ones are not among them."""

_SECRETS = ("--token", "--audit-key", "--vault-key")


def with_settings(
    *groups: Mapping[str, str], opens_log: bool = False, ignoring: Collection[str] = ()
) -> Callable[[Callable[..., int]], Callable[..., int]]:
    """Give a command the options of these groups and hand it `settings` with them in force.

    Settings in `ignoring` keep their defaults, whatever the environment and `.env` say of them.
    An error that nobody foresaw leaves as UnexpectedError, which knows where the log is.
    """
    helps = {name: text for group in groups for name, text in group.items()}

    def decorate(command: Callable[..., int]) -> Callable[..., int]:
        own = inspect.signature(command)
        parameters = [p for p in own.parameters.values() if p.name != "settings"]
        extra = [_parameter(name, text) for name, text in helps.items()]
        secrets = [_secret(option) for option in _SECRETS]

        @wraps(command)
        def run(**given: Any) -> int:
            for option in _SECRETS:
                given.pop(_name_of(option), None)
            overrides = {name: given.pop(name, None) for name in helps}
            is_unwatched = opens_log and given.get("cron") is True
            settings = read_settings(overrides, ignoring, silently=is_unwatched)
            if opens_log:
                configure_log(settings)
            if is_unwatched:
                _log_warnings(settings)
            return _guarded(lambda: command(settings=settings, **given), settings)

        signature = own.replace(parameters=[*parameters, *extra, *secrets])
        # typer reads all three, and must not see `settings`, which is no option.
        run.__signature__ = signature  # type: ignore[attr-defined]
        run.__annotations__ = {p.name: p.annotation for p in signature.parameters.values()}
        del run.__wrapped__
        return run

    return decorate


def _guarded(command: Callable[[], int], settings: "Settings") -> int:
    from orchestrator.cli.failing import UnexpectedError, is_bug

    try:
        return command()
    except Exception as error:
        if is_bug(error):
            raise UnexpectedError(settings) from error
        raise


def _log_warnings(settings: "Settings") -> None:
    """Tell the log what a person would be told on every start by the clock."""
    import structlog

    for warning in settings.warnings:
        structlog.get_logger(__name__).warning("settings.doubtful", what=warning)


def read_settings(
    overrides: Mapping[str, object], ignoring: Collection[str] = (), *, silently: bool = False
) -> "Settings":
    """Read all settings, and tell a person what is probably a mistake in them, unless silently."""
    from orchestrator import settings as all_settings

    settings = all_settings.load(overrides, ignoring=ignoring)
    for warning in () if silently else settings.warnings:
        screen.warn(warning)
    return settings


def configure_log(settings: "Settings") -> None:
    """Open the log as the settings say, with everything secret masked."""
    from orchestrator import logging_setup
    from orchestrator.model.errors import SettingsError

    secrets = [
        secret.get_secret_value()
        for secret in (settings.token, settings.audit_key, settings.vault_key)
        if secret is not None
    ]
    if settings.token_file is not None:
        # Whoever needs the token says what is wrong with its file.
        with suppress(SettingsError):
            secrets.append(settings.read_token())
    logging_setup.configure(
        level=settings.log_level,
        form=settings.log_format,
        file=settings.log_file,
        secrets=secrets,
    )


def refuse_secret(option: str, value: str | None) -> None:
    """Say why a secret is not taken on the command line, and where it belongs."""
    if value is None:
        return
    name = "ORCHESTRATOR_" + _name_of(option).upper()
    what = (
        f"{option} is not taken: everybody on this machine can read a command line;"
        f" set {name} in the environment or in .env"
    )
    if option == "--token":
        what += ", or name a file that holds it with --token-file"
    if option == "--vault-key":
        what += ", or name a file that holds it with --vault-key-file"
    raise typer.BadParameter(what)


def read_variables(given: list[str] | None) -> dict[str, str]:
    """Read `name=value` pairs; raises a usage error for anything else, or a name given twice."""
    variables: dict[str, str] = {}
    for pair in given or []:
        name, separator, value = pair.partition("=")
        if not separator or not name.strip():
            raise typer.BadParameter(f"--var takes name=value, this is {pair!r}")
        if name.strip() in variables:
            raise typer.BadParameter(f"--var {name.strip()} is given twice")
        variables[name.strip()] = value
    return variables


def again(settings: "Settings", *words: str) -> str:
    """Give a command to type, with the options that this one was given for its settings."""
    import shlex

    options = []
    for name in (*CONTROLLER, *RUNS, *OTHERS, *LOG):
        if settings.source_of(name) == "command line":
            value = getattr(settings, name)
            shown = f"{value:g}" if isinstance(value, float) else str(value)
            options += [_option(name), shown.lower() if isinstance(value, bool) else shown]
    return shlex.join(["orchestrator", *words, *options])


def _parameter(name: str, text: str) -> inspect.Parameter:
    option = typer.Option(_option(name), metavar=_METAVARS.get(name, "TEXT"), help=text)
    return inspect.Parameter(
        name,
        inspect.Parameter.KEYWORD_ONLY,
        default=None,
        annotation=Annotated[str | None, option],
    )


_METAVARS = {
    "base_url": "URL",
    "token_file": "FILE",
    "ca_bundle": "FILE",
    "allow_plain_http": "BOOL",
    "connect_timeout": "TIME",
    "answer_timeout": "TIME",
    "read_timeout": "TIME",
    "read_attempts": "N",
    "page_size": "N",
    "controller_patience": "TIME",
    "speed": "FACTOR",
    "event_loop": "LOOP",
    "runs_dir": "FOLDER",
    "vault_file": "FILE",
    "vault_key_file": "FILE",
    "password_command": "COMMAND",
    "log_file": "FILE",
    "log_level": "LEVEL",
    "log_format": "FORMAT",
}


def _secret(option: str) -> inspect.Parameter:
    def refuse(value: str | None) -> None:
        refuse_secret(option, value)

    hidden = typer.Option(option, hidden=True, callback=refuse)
    return inspect.Parameter(
        _name_of(option),
        inspect.Parameter.KEYWORD_ONLY,
        default=None,
        annotation=Annotated[str | None, hidden],
    )


def _option(name: str) -> str:
    return "--" + name.replace("_", "-")


def _name_of(option: str) -> str:
    return option.removeprefix("--").replace("-", "_")
