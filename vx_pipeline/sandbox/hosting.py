"""Runs ASGI applications with uvicorn in a thread, on free loopback ports, and stops without leaving a trace."""

import asyncio
import logging
import socket
import threading
from collections.abc import Mapping
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

_START_SECONDS = 10.0
_STOP_SECONDS = 10.0
_GRACE_SECONDS = 2.0


class _Protocol(H11Protocol):
    """Lets an application break its connection off: its transport stands in the scope."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        app = self.app

        async def with_transport(scope: Any, receive: Any, send: Any) -> None:
            scope["sandbox.transport"] = transport
            await app(scope, receive, send)

        self.app = with_transport


class _Server(uvicorn.Server):
    """Stops at once, where uvicorn looks and waits in steps of a tenth of a second: tests stop many."""

    def __init__(self, app: Any, stopping: asyncio.Event) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=_Protocol,
                ws="none",
                loop="asyncio",
                lifespan="off",
                log_config=None,
                access_log=False,
                proxy_headers=False,
                server_header=False,
                date_header=False,
                timeout_keep_alive=60,
            )
        )
        self._stopping = stopping

    async def main_loop(self) -> None:
        await self._stopping.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        try:
            async with asyncio.timeout(_GRACE_SECONDS):
                while self.server_state.connections or self.server_state.tasks:
                    await asyncio.sleep(0.001)
        except TimeoutError:
            for task in self.server_state.tasks:
                task.cancel()


class Hosting:
    """Serves applications until it is told to stop.

    Args:
        apps: ASGI applications by name.
        stopping: set, in the servers' thread, when they stop.
    """

    def __init__(self, apps: Mapping[str, Any], stopping: asyncio.Event) -> None:
        self._stopping = stopping
        self._sockets = {name: _loopback_socket() for name in apps}
        self._servers = [(_Server(app, stopping), self._sockets[name]) for name, app in apps.items()]
        self.urls = {
            name: f"http://127.0.0.1:{bound.getsockname()[1]}" for name, bound in self._sockets.items()
        }
        """Where each application is reached."""
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ready = threading.Event()
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._serve()), name="sandbox", daemon=True
        )

    def start(self) -> None:
        """Returns when the thread runs; the sockets listen already.

        Raises:
            RuntimeError: the thread did not come up.
        """
        # Clients that hang up early are a matter for tests, not for the log.
        logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
        self._thread.start()
        if not self._ready.wait(_START_SECONDS):
            raise RuntimeError("The sandbox's servers did not start.")

    def stop(self) -> None:
        """Ends hanging answers, closes every connection and socket, and waits for the thread.

        Raises:
            RuntimeError: the thread did not end.
        """
        if self._loop is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join(_STOP_SECONDS)
        for bound in self._sockets.values():
            bound.close()
        if self._thread.is_alive():
            raise RuntimeError("The sandbox's servers did not stop.")

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._ready.set()
        await asyncio.gather(*(server.serve(sockets=[bound]) for server, bound in self._servers))


def _loopback_socket() -> socket.socket:
    # Named, because asyncio sends small pieces at once only where it knows that the protocol is TCP.
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.bind(("127.0.0.1", 0))
    # Connections queue from here on, even before the thread runs.
    bound.listen(128)
    return bound
