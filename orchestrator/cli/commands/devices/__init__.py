"""`devices`: the inventory, listed, shown, counted, exported, and changed by runs.

Each command stands in the module of its name.
"""

from orchestrator.cli.app import new_app
from orchestrator.cli.commands.devices.delete import delete
from orchestrator.cli.commands.devices.export import export
from orchestrator.cli.commands.devices.import_ import import_
from orchestrator.cli.commands.devices.list_ import list_
from orchestrator.cli.commands.devices.show import show
from orchestrator.cli.commands.devices.summary import WatchCommand, summary
from orchestrator.cli.commands.devices.update import update

app = new_app(no_args_is_help=True)


@app.callback()
def devices() -> None:
    """List, show, count and export devices; import, update and delete them as runs."""


app.command("list")(list_)
app.command("show")(show)
app.command("summary", cls=WatchCommand)(summary)
app.command("export")(export)
app.command("import")(import_)
app.command("update")(update)
app.command("delete")(delete)
