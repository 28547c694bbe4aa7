"""Commands whose --exit-code gives 2 a meaning of its own, so that no error may end with it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import typer
from typer.core import TyperCommand

from orchestrator.cli.exit_codes import ExitCode


class ApartCommand(TyperCommand):
    """With --exit-code an error that would end with 2 ends with 1."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any
    ) -> Any:
        """Read the command line."""
        with _errors_apart(wanted="--exit-code" in args):
            return super().make_context(info_name, args, parent, **extra)

    def invoke(self, ctx: Any) -> Any:
        """Carry the command out."""
        with _errors_apart(wanted=bool(ctx.params.get("exit_code"))):
            return super().invoke(ctx)


@contextmanager
def _errors_apart(*, wanted: bool) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        if not wanted:
            raise
        from orchestrator.cli import failing

        code = failing.end(error)
        raise typer.Exit(ExitCode.TROUBLE if code == ExitCode.USAGE else code) from error
