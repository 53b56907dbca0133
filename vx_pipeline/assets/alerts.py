"""Alerts: once for each change of state, to the log and to the address that a school named. Ids only."""

import logging
from collections.abc import Mapping, Sequence

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
        told = {"opened": len(news.opened), "closed": len(news.closed)}
        _post(session.settings.alert_url, session.key, lines, told)
    return news


def tell_news(session: SchoolSession, text: str, *, number: int) -> None:
    """Tells somebody what a run found that is no trouble of the sync and is not kept open as one.

    Args:
        session: the school at work.
        text: one line, with ids alone.
        number: how many things it is about.
    """
    line = f"{session.key}: {text}"
    log.warning("%s", line)
    _post(session.settings.alert_url, session.key, [line], {"opened": number, "closed": 0})


def _lines(school: str, news: News) -> list[str]:
    opened = [f"{school}: {problem.colour}: {problem.told}" for problem in news.opened]
    closed = [f"{school}: over: {problem.told}" for problem in news.closed]
    lines = [*opened, *closed]
    more = len(lines) - MOST_TOLD
    return lines[:MOST_TOLD] + ([f"{school}: and {more} more"] if more > 0 else [])


def _post(url: str, school: str, lines: Sequence[str], told: Mapping[str, int]) -> None:
    """Sends the alert where a school wants it. A sync never fails because nobody took its alert."""
    if not url:
        return
    payload = {"text": "\n".join(lines), "school": school, **told}
    try:
        httpx.post(url, json=payload, timeout=_TIMEOUT_SECONDS).raise_for_status()
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        log.warning("%s: the alert could not be delivered (%s)", school, type(error).__name__)
