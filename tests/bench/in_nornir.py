"""A yardstick of part (b): Nornir 3 with its own runner of threads, and `requests` in its task."""

from pathlib import Path

from nornir.core import Nornir
from nornir.core.inventory import Defaults, Groups, Host, Hosts, Inventory
from nornir.core.task import Result, Task
from nornir.plugins.runners import ThreadedRunner

from tests.bench.careful import Notes, Sessions, redeploy
from tests.bench.measuring import Stamp, peak_memory


def run(base_url: str, devices: int, in_flight: int, folder: Path) -> dict[str, float]:
    """Measure it, from before the first connection until the last verdict; not its inventory."""
    hosts = Hosts(
        {
            f"branch-{device}": Host(f"branch-{device}", data={"id": device})
            for device in range(1000, 1000 + devices)
        }
    )
    nornir = Nornir(
        Inventory(hosts, Groups(), Defaults()), runner=ThreadedRunner(num_workers=in_flight)
    )
    before = Stamp.now()
    with (folder / "done.jsonl").open("w") as file, Sessions() as sessions:
        notes = Notes(file)

        def work(task: Task) -> Result:
            device = task.host["id"]
            verdict = redeploy(sessions.mine(), base_url, device)
            notes.write(device, verdict)
            return Result(host=task.host, result=verdict, changed=verdict == "succeeded")

        found = nornir.run(work)
        for name in found.failed_hosts:
            notes.write(hosts[name]["id"], f"failed: {found[name].exception}")
    after = Stamp.now()
    return {
        "seconds": after.at - before.at,
        "cpu": after.cpu - before.cpu,
        "peak_memory": peak_memory(),
        "proven": notes.proven,
    }
