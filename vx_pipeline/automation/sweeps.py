"""Pushes of everybody at fixed times: what no look sees, because nothing moves or it is entered days later."""

import logging
from datetime import datetime, time, timedelta

import dagster as dg

from vx_pipeline.automation.news import Wish
from vx_pipeline.automation.owed import note_wishes
from vx_pipeline.automation.push import MIDDLE, push_attendance_job, push_request
from vx_pipeline.automation.schedules import school_schedules
from vx_pipeline.errors import VxError
from vx_pipeline.journal.due_pushes import EVERYBODY
from vx_pipeline.session import SchoolSession
from vx_pipeline.settings import Settings, load_settings

SWEEP_CRONS = ("30 5 * * *", "30 10 * * *", "30 14 * * *")

WHOLE_WINDOW_UNTIL = time(9)
"""A tick before this time of day covers each day of the edit window, a later one the day alone."""

log = logging.getLogger(__name__)


def sweep_schedules(settings: Settings) -> list[dg.ScheduleDefinition]:
    """One for each school, before its lessons and twice during them."""
    told = "Every day at 5:30, for each day of the edit window, and at 10:30 and 14:30, for the day itself,"
    return school_schedules(settings, push_attendance_job, SWEEP_CRONS, told, _sweeps)


def _sweeps(school: str, tick: datetime) -> list[dg.RunRequest]:
    """Today first. Each push is noted before it is asked for, so that the sensor repeats one that is lost."""
    with SchoolSession(load_settings(), school) as session:
        days_back = session.school.policies.attendance.days_back if tick.time() < WHOLE_WINDOW_UNTIL else 0
        days = [tick.date() - timedelta(days=number) for number in range(days_back + 1)]
        try:
            note_wishes(session, [Wish(day, (EVERYBODY,), "sweep") for day in days])
        except VxError as error:
            log.warning("%s: the pushes could not be noted: %s", school, error)
    moment = f"{tick:%Y-%m-%dT%H:%M}"
    return [push_request(school, day, [], f"{school}:{day}:sweep:{moment}", priority=MIDDLE) for day in days]
