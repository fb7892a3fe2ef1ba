"""uvicorn's connections, with a limit on the time of a head, and none that is left to a client that does not read."""

import asyncio

from uvicorn.protocols.http.h11_impl import H11Protocol

LATE = b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
ABORT = "abort"  # in a request's state: the function that ends its connection at once


def punctual(seconds: float) -> type[H11Protocol]:
    """The protocol of connections whose heads must be there in so many seconds."""

    class Punctual(H11Protocol):
        _alarm: asyncio.TimerHandle | None = None

        def connection_made(self, transport):
            super().connection_made(transport)
            self.app_state = self.app_state | {ABORT: transport.abort}
            self._watch()

        def connection_lost(self, exc):
            self._unwatch()
            super().connection_lost(exc)

        def data_received(self, data):
            super().data_received(data)
            self._watch()

        def on_response_complete(self):
            super().on_response_complete()
            self._watch()
            if self.transport.is_closing():  # what is not read by then is lost
                self.loop.call_later(self.timeout_keep_alive, self.transport.abort)

        def timeout_keep_alive_handler(self):
            self.transport.abort()

        def _watch(self):
            """The alarm is set while a head is awaited, from its first moment on."""
            if self.cycle is not None and not self.cycle.response_complete or self.transport.is_closing():
                self._unwatch()
            elif self._alarm is None:
                self._alarm = self.loop.call_later(seconds, self._late)

        def _unwatch(self):
            if self._alarm is not None:
                self._alarm.cancel()
                self._alarm = None

        def _late(self):
            self.transport.write(LATE)
            self.transport.close()
            self.loop.call_later(self.timeout_keep_alive, self.transport.abort)

    return Punctual
