"""The sensors that watch Orah, one for each school, and push the days of students about whom something is new."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import dagster as dg

from vx_pipeline.assets.alerts import tell_troubles
from vx_pipeline.assets.unwatched import LOOK
from vx_pipeline.automation.looking import Look, look
from vx_pipeline.automation.news import Wish
from vx_pipeline.automation.owed import behind, due_wishes, note_wishes
from vx_pipeline.automation.push import DUE, HIGH, MIDDLE, push_attendance_job, push_request
from vx_pipeline.automation.seen import Seen, read_cursor, write_cursor
from vx_pipeline.errors import VxError, in_words
from vx_pipeline.journal.due_pushes import EVERYBODY, note_look
from vx_pipeline.journal.problems import RED, YELLOW, Trouble
from vx_pipeline.session import SchoolSession
from vx_pipeline.settings import Settings, load_settings

SENSOR_INTERVAL_SECONDS = 60

BLIND = timedelta(minutes=15)
"""How old the last good look may be before somebody is told."""

WHOLE_DAY_UNSEEN = timedelta(hours=1)
"""How old the last look at the whole day may be before somebody is told."""


def movements_sensors(settings: Settings) -> list[dg.SensorDefinition]:
    """A sensor ``movements_<school>`` for each school, so that a school in trouble holds up no other."""
    return [_sensor(key) for key in settings.school_keys()]


def _sensor(school: str) -> dg.SensorDefinition:
    @dg.sensor(
        name=f"movements_{school.replace('-', '_')}",
        job_name=push_attendance_job.name,
        minimum_interval_seconds=SENSOR_INTERVAL_SECONDS,
        description="Watches Orah for students who leave, come back, or are marked in a roll, and pushes their "
        "marks.",
    )
    def movements(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        seen = read_cursor(context.cursor)
        try:
            with SchoolSession(load_settings(), school) as session:
                found = watch(session, seen)
        except VxError as error:
            found = Look((), seen, str(error))
        if found.trouble:
            context.log.warning("%s: %s", school, found.trouble)
        requests = [_request(school, wish) for wish in found.wishes]
        skipped = dg.SkipReason(f"{school}: {found.trouble}" if found.trouble else "Nothing new.")
        return dg.SensorResult(
            run_requests=requests,
            skip_reason=None if requests else skipped,
            cursor=write_cursor(found.seen),
        )

    return movements


def watch(session: SchoolSession, seen: Seen) -> Look:
    """Looks, notes what is wanted, and tells what is wrong. What is due is wanted also where Orah cannot be seen.

    Raises:
        VxError: the school's settings or the journal cannot be used.
    """
    now = session.now()
    seen = replace(seen, began=seen.began or now)
    due = due_wishes(session, now)
    try:
        found = look(session, seen)
    except Exception as error:  # noqa: BLE001 - what one answer brings about is told, not met in silence for ever
        found = Look((), seen, in_words(error))
        troubles = _blind(found, now)
    else:
        note_wishes(session, found.wishes)
        note_look(session.journal, session.key, at=now)
        troubles = _half_blind(found, now)
    tell_troubles(session, LOOK, troubles)
    tell_troubles(session, "push", behind(session, now))
    return replace(found, wishes=(*found.wishes, *due))


def _blind(found: Look, now: datetime) -> list[Trouble]:
    """Nothing new is seen at all."""
    last = found.seen.until or found.seen.began
    if last is None or now - last < BLIND:
        return []
    since = f"since {last.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if found.seen.until else "so far"
    told = f"Orah could not be looked at {since}, and who leaves is not marked: {found.trouble}"
    return [Trouble(RED, LOOK, 0, told)]


def _half_blind(found: Look, now: datetime) -> list[Trouble]:
    """The last minutes are seen; what was edited or entered late is not."""
    looked = datetime.fromisoformat(found.seen.looked) if found.seen.looked else found.seen.began
    if not found.trouble or looked is None or now - looked < WHOLE_DAY_UNSEEN:
        return []
    told = f"what was edited in Orah since {looked.astimezone(UTC):%Y-%m-%d %H:%M} UTC is not seen: {found.trouble}"
    return [Trouble(YELLOW, LOOK, 0, told)]


def _request(school: str, wish: Wish) -> dg.RunRequest:
    everybody = EVERYBODY in wish.orah_ids
    return push_request(
        school,
        wish.day,
        [] if everybody else wish.orah_ids,
        f"{school}:{wish.day}:{wish.reason}",
        tags={DUE: "yes"} if wish.is_due else None,
        priority=MIDDLE if everybody else HIGH,
    )
