"""When a day is pushed again for a row that could not be brought to an end."""

from datetime import UTC, date, datetime, timedelta

import pytest

from vx_pipeline.attendance.again import AGAIN_SOON, LATER, RETRY, with_retries
from vx_pipeline.attendance.looked_at import Item, Update
from vx_pipeline.journal.marks import Place

NOW = datetime(2026, 11, 18, 20, tzinfo=UTC)
TODAY = date(2026, 11, 18)


@pytest.mark.parametrize(
    ("result", "of_today", "of_yesterday", "of_an_earlier_day"),
    [
        ("failed", RETRY, LATER, LATER),
        # Each day of the window is pushed in the morning, whether or not the settings are mended.
        ("blocked", LATER, None, None),
        ("no_row", RETRY, LATER, None),
        ("waiting", AGAIN_SOON, AGAIN_SOON, AGAIN_SOON),
        ("written", None, None, None),
    ],
)
def test_what_is_open_is_looked_at_again_the_less_often_the_older_it_is(
    result: str,
    of_today: timedelta | None,
    of_yesterday: timedelta | None,
    of_an_earlier_day: timedelta | None,
) -> None:
    for days_ago, wait in enumerate((of_today, of_yesterday, of_an_earlier_day)):
        day = TODAY - timedelta(days=days_ago)
        update = Update(Item(Place(1, 7, 40, day, "4"), None, None), result, "")
        found = with_retries({}, [update], (), day=day, today=TODAY, now=NOW)
        assert found == ({} if wait is None else {7: NOW + wait})
