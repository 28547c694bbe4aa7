"""A yardstick of part (b): Nornir 3 with its threaded runner, and `requests` in its task.

Set up as its documentation does it, by InitNornir with an inventory plugin. Sessions belong to the
threads and not to the hosts: a connection for each host would be one for each request.
"""

from pathlib import Path

from nornir import InitNornir
from nornir.core.inventory import Defaults, Groups, Host, Hosts, Inventory
from nornir.core.plugins.inventory import InventoryPluginRegister
from nornir.core.task import Result, Task

from tests.bench.careful import Notes, Sessions, redeploy
from tests.bench.measuring import Stamp, peak_memory


class Branches:
    """An inventory plugin: so many branches, each with its device."""

    def __init__(self, devices: int) -> None:
        self._devices = range(1000, 1000 + devices)

    def load(self) -> Inventory:
        """Give the hosts."""
        names = {f"branch-{device}": device for device in self._devices}
        hosts = {name: Host(name, data={"id": device}) for name, device in names.items()}
        return Inventory(Hosts(hosts), Groups(), Defaults())


def run(base_url: str, devices: int, in_flight: int, folder: Path) -> dict[str, float]:
    """Measure it, from before the first connection until the last verdict; not its inventory."""
    InventoryPluginRegister.register("branches", Branches)
    nornir = InitNornir(
        inventory={"plugin": "branches", "options": {"devices": devices}},
        runner={"plugin": "threaded", "options": {"num_workers": in_flight}},
        logging={"enabled": False},  # its log is not what is measured
    )
    before = Stamp.now()
    with (folder / "done.jsonl").open("w") as file, Sessions() as sessions:
        notes = Notes(file)

        def work(task: Task) -> Result:
            device = task.host["id"]
            verdict = redeploy(sessions.mine(), base_url, device)
            notes.write(device, verdict)
            return Result(host=task.host, result=verdict, changed=verdict == "succeeded")

        found = nornir.run(task=work)
        for name in found.failed_hosts:
            notes.write(nornir.inventory.hosts[name]["id"], f"failed: {found[name].exception}")
    after = Stamp.now()
    return {
        "seconds": after.at - before.at,
        "cpu": after.cpu - before.cpu,
        "peak_memory": peak_memory(),
        "proven": notes.proven,
    }
