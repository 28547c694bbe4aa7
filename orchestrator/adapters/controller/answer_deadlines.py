"""Answers that are overdue: one timer for all requests that may take equally long."""

import asyncio


class AnswerDeadlines:
    """Breaks off each connection whose answer is not there within `seconds` of real time.

    Whoever waits for that answer is told by its connection, as if the other side had hung up.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._due: dict[asyncio.Transport, float] = {}
        """In the order in which they are due, as each may take the same time."""
        self._timer: asyncio.TimerHandle | None = None

    def begin(self, transport: asyncio.Transport) -> None:
        """Count the time of the connection's answer from now; needs one `end`."""
        loop = asyncio.get_running_loop()
        due = self._due[transport] = loop.time() + self.seconds
        if self._timer is None:
            self._timer = loop.call_at(due, self._look)

    def has_passed(self, transport: asyncio.Transport) -> bool:
        """Say of a connection that was begun and not ended whether it was broken off."""
        return transport not in self._due

    def end(self, transport: asyncio.Transport) -> None:
        """Leave the connection alone from now on."""
        self._due.pop(transport, None)

    def close(self) -> None:
        """Break off nothing any more; what is still waited for did not pass its time."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        loop = asyncio.get_running_loop()
        self._timer = None
        for transport, due in list(self._due.items()):
            if due > loop.time():
                self._timer = loop.call_at(due, self._look)
                return
            del self._due[transport]
            transport.abort()
