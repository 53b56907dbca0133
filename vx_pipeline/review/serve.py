"""Listening and serving."""

import socket

import uvicorn
from starlette.types import ASGIApp

from vx_pipeline.errors import ServiceError


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens; port 0 takes a free one.

    Raises:
        ServiceError: the address does not exist or is in use.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
        family, kind, protocol, _, address = found[0]
        # With its protocol named, asyncio sends each answer at once instead of waiting for the client's nod.
        bound = socket.socket(family, kind, protocol)
    except OSError as error:
        raise _cannot(host, port, error) from None
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
        bound.listen(128)
    except OSError as error:
        bound.close()
        raise _cannot(host, port, error) from None
    return bound


def review_server(app: ASGIApp) -> uvicorn.Server:
    """The server for the page. It logs no addresses: what people search for stands in them."""
    return uvicorn.Server(
        uvicorn.Config(
            app,
            access_log=False,
            log_config=None,
            log_level="warning",
            lifespan="off",
            ws="none",
            server_header=False,
            proxy_headers=False,
        )
    )


def _cannot(host: str, port: int, error: OSError) -> ServiceError:
    return ServiceError(
        f"Port {port} of {host} cannot be listened on ({error.strerror}).",
        remedy="Stop what listens there, or choose another --port or --host.",
    )
