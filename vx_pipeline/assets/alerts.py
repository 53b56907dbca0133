"""Alerts: once for each change of state, to the log and to the address that a school named. Ids only."""

import logging
from collections.abc import Sequence

import httpx

from vx_pipeline.journal.problems import News, Trouble, record_troubles
from vx_pipeline.session import SchoolSession

log = logging.getLogger(__name__)

MOST_TOLD = 20
_TIMEOUT_SECONDS = 10


def tell_troubles(session: SchoolSession, source: str, found: Sequence[Trouble]) -> News:
    """Records all that a source found, and tells somebody what is new and what is over.

    Args:
        session: the school at work.
        source: who found it: ``plan``, ``apply``, ``delivery`` or ``run``.
        found: all of it; what is not among it any more is over.
    """
    news = record_troubles(session.journal, session.key, source, found, at=session.now())
    if news.opened or news.closed:
        lines = _lines(session.key, news)
        for line in lines:
            log.warning("%s", line)
        _post(session.settings.alert_url, session.key, news, lines)
    return news


def _lines(school: str, news: News) -> list[str]:
    opened = [f"{school}: {problem.colour}: {problem.told}" for problem in news.opened]
    closed = [f"{school}: over: {problem.told}" for problem in news.closed]
    lines = [*opened, *closed]
    more = len(lines) - MOST_TOLD
    return lines[:MOST_TOLD] + ([f"{school}: and {more} more"] if more > 0 else [])


def _post(url: str, school: str, news: News, lines: Sequence[str]) -> None:
    """Sends the alert where a school wants it. A sync never fails because nobody took its alert."""
    if not url:
        return
    payload = {
        "text": "\n".join(lines),
        "school": school,
        "opened": len(news.opened),
        "closed": len(news.closed),
    }
    try:
        httpx.post(url, json=payload, timeout=_TIMEOUT_SECONDS).raise_for_status()
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        log.warning("%s: the alert could not be delivered (%s)", school, type(error).__name__)
