"""A yardstick of part (b): `requests` in threads, a session for each."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import requests

from tests.bench.careful import Notes, Sessions, redeploy
from tests.bench.measuring import Stamp, peak_memory


def run(base_url: str, devices: int, in_flight: int, folder: Path) -> dict[str, float]:
    """Measure it, from before the first connection until the last verdict."""
    before = Stamp.now()
    with (
        (folder / "done.jsonl").open("w") as file,
        Sessions() as sessions,
        ThreadPoolExecutor(in_flight) as pool,
    ):
        notes = Notes(file)

        def work(device: int) -> None:
            try:
                verdict = redeploy(sessions.mine(), base_url, device)
            except requests.RequestException as error:
                verdict = f"failed: {error}"
            notes.write(device, verdict)

        for _ in pool.map(work, range(1000, 1000 + devices)):
            pass
    after = Stamp.now()
    return {
        "seconds": after.at - before.at,
        "cpu": after.cpu - before.cpu,
        "peak_memory": peak_memory(),
        "proven": notes.proven,
    }
