"""The machine's own clock, or one that runs faster for the simulator."""

import time

import anyio


class SystemClock:
    """Wall time taken once and carried on steadily, so that it never runs backwards (ports.Clock).

    It goes on while the machine is suspended where the system can say so (Linux). A `speed` above
    one exists only to live with a simulated fleet: everybody has to share the same clock then.
    `not_before` is a moment already recorded: a resumed run never lives before its own journal.
    """

    def __init__(self, speed: float = 1.0, *, not_before: float = 0.0) -> None:
        if not speed > 0:
            raise ValueError(f"a clock's speed is above zero, this is {speed!r}")
        self._speed = speed
        self._steady_then = self.steady()
        self._wall_then = max(time.time(), not_before)  # noqa: TID251 - this is the clock

    @property
    def speed(self) -> float:
        return self._speed

    def now(self) -> float:
        return self._wall_then + (self.steady() - self._steady_then) * self._speed

    async def sleep(self, seconds: float) -> None:
        await anyio.sleep(max(0.0, seconds) / self._speed)

    if hasattr(time, "CLOCK_BOOTTIME"):

        def steady(self) -> float:
            return time.clock_gettime(time.CLOCK_BOOTTIME)

    else:  # pragma: no cover - other systems

        def steady(self) -> float:
            return time.monotonic()
