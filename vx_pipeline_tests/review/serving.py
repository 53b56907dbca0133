"""The review page over real HTTP: uvicorn in a thread, on a free port of this machine."""

import asyncio
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from zoneinfo import ZoneInfo

from vx_pipeline.journal import Journal
from vx_pipeline.review.access import AccessSettings
from vx_pipeline.review.app import create_app
from vx_pipeline.review.serve import listen, review_server
from vx_pipeline_tests.review.school import SCHOOL

_PATIENCE_SECONDS = 10
_KEY = "only-for-tests-only-for-tests-only-for-tests"


@contextmanager
def serving(
    journal: Journal,
    schools: Sequence[str] = (SCHOOL,),
    *,
    access: AccessSettings | None = None,
    host: str = "127.0.0.1",
    days_back: int = 7,
) -> Iterator[str]:
    """Serves the journal's schools while the block lasts; gives the address, without a slash at its end.

    Args:
        journal: what is shown.
        schools: their keys.
        access: who may come in.
        days_back: the schools' edit window.
        host: the address that the page believes to be served on; it listens on this machine alone.
    """
    zones = {school: ZoneInfo("America/New_York") for school in schools}
    windows = dict.fromkeys(zones, days_back)
    app = create_app(journal, zones, days_back=windows, signing_key=_KEY, access=access, host=host)
    server = review_server(app)
    with listen("127.0.0.1", 0) as bound:
        thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[bound])), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{bound.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(_PATIENCE_SECONDS)
            assert not thread.is_alive(), "the review page did not stop"
