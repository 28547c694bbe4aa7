"""The command line: shows what is planned and done, and decides nothing itself.

app            the commands by name, each imported only when it is asked for
commands       one file per command
exit_codes     how a process ends, in one place
failing        an error becomes one clear message; a bug of ours goes to the log
options        options that several commands share
completing     what a shell offers after <Tab>
screen         text for people: what goes to stdout, what to stderr, tables
confirming     the typed confirmation before a destructive run
plan_text      a plan for people and programs; plan_steps, plan_values, plan_rollout, plan_window,
               plan_forecast, plan_layout: its parts; plan_changes: what has changed since it was made
inventory      what the commands for devices share: filters, tables in and out, runs composed from them
naming         a device of a run by id, serial number or name
differences_text  what a run changed; drift_text: what deviates from a wanted state
cron           a run at a crontab's hand: once at a time, and quiet
exit_apart     commands whose --exit-code gives 2 a meaning of its own
listeners      a run as plain lines or JSON lines; live: as a view across the room
campaign       drive a run or take one over, and tell how it ended
reading        one pass over a run's journal that folds and checks it; history: the list of runs
contrast_text  two runs held against each other; comparing: a run against a simulator's ledger
files          what a command writes, whole or not at all
orders         give a run an order, and tell what came of it
shipped        where the playbooks are that come with the program
"""

import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out one command and return its exit code; whatever goes wrong is one clear message."""
    try:
        from orchestrator.cli import failing
        from orchestrator.cli.app import invoke
    except KeyboardInterrupt:
        return 130  # what knows the exit codes is not there yet

    try:
        code = invoke(sys.argv[1:] if arguments is None else arguments)
    except BaseException as error:  # noqa: BLE001 - the door: nothing gets past it as a traceback
        code = failing.end(error)
    return failing.flushed(code)
