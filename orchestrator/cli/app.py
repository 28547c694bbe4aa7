"""The commands by name: help knows them all and imports none of them."""

from collections.abc import MutableMapping, Sequence
from importlib import import_module
from keyword import iskeyword
from typing import Annotated, Any, cast

import typer
from typer.core import TyperGroup

from orchestrator import __version__

NAME = "orchestrator"

COMMANDS = {
    "validate": "Check playbooks and name every fault in them.",
    "plan": "Show whom a playbook would touch, and why not the others.",
    "run": "Carry a playbook out, and prove it device by device.",
    "resume": "Take a run up again where it ended.",
    "retry": "Plan again for the devices that a run did not bring through.",
    "rollback": "Plan to put back what a run changed.",
    "pause": "Start nothing new in a run for now.",
    "continue": "Let a run go on that a person paused.",
    "cancel": "Start nothing new in a run ever.",
    "approve": "Agree to what a run asks, or deny it.",
    "limit": "Lower a run's limits, or raise them again.",
    "why": "Say what holds one device of a run.",
    "runs": "List the runs.",
    "show": "Show what a run has come to.",
    "report": "Write a run's report as a page, a table or for machines.",
    "compare": "Hold two runs against each other.",
    "diff": "Show what a run changed on which device.",
    "drift": "Hold the fleet against a wanted state.",
    "audit": "Read, verify and export a run's audit log.",
    "devices": "List, count, export, import, update and delete devices.",
    "vault": "Keep the passwords of devices, and look one up.",
    "simulator": "Start a simulated controller with a fleet of devices.",
    "demo": "Run a whole campaign against a simulated fleet.",
    "schema": "Print the JSON Schema of playbooks, for editors.",
    "settings": "Show every setting, its value and its source.",
}
"""Every command with its line in the help; the module of the same name in `commands` has the rest.

Where the name is a word of Python itself, an underscore follows it there.
"""

_FIRST = "Start with:  orchestrator demo"


class LazyGroup(TyperGroup):
    """A group that imports a command's module when the command is called, and not before."""

    commands: MutableMapping[str, Any]

    def list_commands(self, ctx: typer.Context) -> list[str]:  # type: ignore[override]  # noqa: ARG002 - typer calls it so
        """Name the commands in the order of the help."""
        return list(COMMANDS)

    def get_command(self, ctx: typer.Context, cmd_name: str) -> Any:  # type: ignore[override]  # noqa: ARG002
        """Import one command; None when there is no such command."""
        if cmd_name not in COMMANDS:
            return None
        if cmd_name not in self.commands:
            name = f"{cmd_name}_" if iskeyword(cmd_name) else cmd_name
            module = import_module(f"orchestrator.cli.commands.{name}")
            command = typer.main.get_command(module.app)
            command.name = cmd_name
            self.commands[cmd_name] = command
        return self.commands[cmd_name]

    def resolve_command(self, ctx: typer.Context, args: list[str]) -> Any:  # type: ignore[override]
        """Find the command that is called; an unknown one is answered with the nearest."""
        if args and not args[0].startswith("-") and args[0] not in COMMANDS:
            from orchestrator.cli.failing import nearest

            what = f"there is no command {args[0]!r}{nearest(args[0], COMMANDS)}"
            raise typer.BadParameter(what, ctx=ctx)
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: typer.Context) -> Any:  # type: ignore[override]
        """Carry out a command; typer would end a broken pipe with the code of failed devices."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError as error:
            from orchestrator.cli.failing import be_quiet

            raise typer.Exit(be_quiet()) from error

    def format_commands(self, ctx: typer.Context, formatter: Any) -> None:  # type: ignore[override]  # noqa: ARG002
        """Write the list of commands from the table."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def shell_complete(self, ctx: typer.Context, incomplete: str) -> Any:  # type: ignore[override]
        """Offer the commands, and the options once a dash is typed."""
        from orchestrator.cli.completing import completions

        found = completions((n, h) for n, h in COMMANDS.items() if n.startswith(incomplete))
        return [*found, *super(TyperGroup, self).shell_complete(ctx, incomplete)]


def new_app(**details: Any) -> typer.Typer:
    """Make the app of one command: plain help, and errors left to the door."""
    return typer.Typer(
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
        **details,
    )


def _show_version(wanted: bool) -> None:
    if wanted:
        from orchestrator.cli import screen

        screen.show_data(f"{NAME} {__version__}")
        raise typer.Exit


def _refuse_token(value: str | None) -> None:
    from orchestrator.cli.options import refuse_secret

    refuse_secret("--token", value)


def _root(
    _version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Show the version and end."
        ),
    ] = False,
    _token: Annotated[
        str | None, typer.Option("--token", hidden=True, callback=_refuse_token)
    ] = None,
) -> None:
    """Bulk maintenance for fleets of CPEs: planned, paced, proven and audited."""


def command() -> Any:
    """Make the command line as a whole."""
    app = typer.Typer(
        name=NAME,
        cls=LazyGroup,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        no_args_is_help=True,
        epilog=_FIRST,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_root)
    return typer.main.get_command(app)


def invoke(arguments: Sequence[str]) -> int:
    """Carry out one command; its errors are left to whoever called."""
    code = command().main(args=list(arguments), prog_name=NAME, standalone_mode=False)
    return cast(int, code or 0)
