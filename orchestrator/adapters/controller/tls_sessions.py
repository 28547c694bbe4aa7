"""TLS sessions that are taken up again, so that only the first connection to a host pays in full.

Python's ssl remembers no client session by itself.
"""

import ssl
from contextlib import suppress


def resuming(context: ssl.SSLContext) -> ssl.SSLContext:
    """Have every connection made from this context offer its server the last session it had with it.

    A server that does not take it gets a full handshake; what is trusted does not change, because
    only a connection that was verified under this very context is remembered.
    """
    last: dict[str | None, ssl.SSLObject] = {}

    class Resuming(ssl.SSLObject):
        """One connection; asked for its session only when the next one is made.

        TLS 1.3 sends its tickets after the handshake, so a session is worth nothing earlier.
        """

        _has_begun = False

        def do_handshake(self) -> None:
            if not self._has_begun:
                self._has_begun = True
                before = last.get(self.server_hostname)
                if before is not None:
                    with suppress(ValueError, ssl.SSLError):  # it cannot be used: shake hands anew
                        self.session = before.session
            try:
                super().do_handshake()
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                raise
            except ssl.SSLError:  # it may be the session that the server cannot bear
                last.pop(self.server_hostname, None)
                raise
            last[self.server_hostname] = self

    context.sslobject_class = Resuming
    return context
