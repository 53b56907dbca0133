"""`vx review`: the page where people decide who is who."""

import getpass
import sys
import webbrowser
from contextlib import suppress
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from vx_pipeline.errors import ConfigurationError
from vx_pipeline.journal import open_journal
from vx_pipeline.settings import load_settings

PORT = 3010
"""Beside Dagster's own 3000."""

_SHORTEST_PASSWORD = 10


def review(
    host: Annotated[
        str, typer.Option(help="Address to listen on. Any but this machine's own needs users.")
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")
    ] = PORT,
    open_browser: Annotated[bool, typer.Option("--open", help="Open the page in the browser.")] = False,
    hash_password: Annotated[
        bool,
        typer.Option("--hash-password", help="Print a password's hash for VX_REVIEW_USERS, and end."),
    ] = False,
) -> None:
    """Serve the page where people decide who is who, until interrupted."""
    if hash_password:
        sys.stdout.write(_ask_for_hash() + "\n")
        return
    _serve(host, port, open_browser=open_browser)


def _serve(host: str, port: int, *, open_browser: bool) -> None:
    from vx_pipeline.review.access import check_address, load_access, signing_key
    from vx_pipeline.review.app import create_app
    from vx_pipeline.review.serve import listen, review_server

    settings, access = load_settings(), load_access()
    check_address(host, access)
    schools = {key: ZoneInfo(settings.timezone(key)) for key in settings.school_keys()}
    url = settings.journal_url
    journal = open_journal(settings.home, url.get_secret_value() if url else None)
    try:
        app = create_app(
            journal,
            schools,
            days_back={key: settings.days_back(key) for key in schools},
            signing_key=signing_key(settings.home),
            access=access,
            host=host,
        )
        bound = listen(host, port)
        shown = f"[{host}]" if ":" in host else host
        address = f"http://{shown}:{bound.getsockname()[1]}/"
        sys.stdout.write(f"The review page is at {address}\n")
        if access.users and host not in ("127.0.0.1", "localhost", "::1"):
            sys.stdout.write("Passwords travel through it: put a proxy with TLS before it.\n")
        sys.stdout.flush()
        if open_browser:
            webbrowser.open(address)
        # Ctrl+C is how this command ends, and no failure.
        with suppress(KeyboardInterrupt):
            review_server(app).run(sockets=[bound])
    finally:
        journal.close()


def _ask_for_hash() -> str:
    """The hash of a password that is typed twice without being shown; read once where there is no terminal."""
    from vx_pipeline.review.access import hash_password

    if sys.stdin.isatty():
        password = getpass.getpass("Password: ")
        if getpass.getpass("Once more: ") != password:
            raise ConfigurationError("The two passwords are not the same.", remedy="Type it again.")
    else:
        password = sys.stdin.readline().rstrip("\n")
    if len(password) < _SHORTEST_PASSWORD:
        raise ConfigurationError(
            f"The password is shorter than {_SHORTEST_PASSWORD} characters.", remedy="Choose a longer one."
        )
    return hash_password(password)
