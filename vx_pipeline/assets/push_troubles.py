"""What a push leaves to a person, as troubles: marks that wait, unknown labels, and what nobody understood.

Each trouble is about something of its own: two about one thing are one, and nobody would be told of the second.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import date, timedelta
from zlib import crc32

from vx_pipeline.assets.alerts import tell_troubles
from vx_pipeline.journal.mark_questions import open_questions
from vx_pipeline.journal.problems import YELLOW, Trouble
from vx_pipeline.session import SchoolSession

NIGHT = timedelta(hours=6)
"""How long after a day a row that Veracross lacks is told: by then the night's read knows cancelled classes."""


def tell_marks(session: SchoolSession) -> None:
    """Tells which marks wait for a person or for a row: once when there are some, and once when there are none."""
    waiting = Counter(str(one.question.kind) for one in open_questions(session.journal, session.key))
    found = {
        "marks in conflict": (
            waiting["conflict"],
            "wait for a person, because somebody else marked the rows",
        ),
        "marks held": (
            waiting["budget"],
            "wait for a person, because too many would have been written within an hour",
        ),
        "marks without a row": (
            _rows_missing(session),
            "are not written, because Veracross has no attendance row for the class meeting",
        ),
    }
    tell_troubles(session, "marks", _counted(found))


def tell_labels(session: SchoolSession, troubles: Iterable[str]) -> None:
    """Tells what is wrong with which status: in the settings, or in what marks of the edit window would need."""
    found = dict.fromkeys([*troubles, *_blocked(session)])
    tell_troubles(
        session, "labels", [Trouble(YELLOW, "status", crc32(told.encode()), told) for told in found]
    )


def tell_unread(session: SchoolSession, *, passes: int, roll_entries: int) -> None:
    """Tells what of Orah's word on everybody's day nobody understood; a push of a few would seem to end it."""
    then = "nothing is marked on their account, and nothing taken back"
    found = {
        "passes": (passes, f"were not understood or not answered; {then}"),
        "class rolls": (roll_entries, f"entries were not understood; {then}"),
    }
    tell_troubles(session, "orah", _counted(found))


def _counted(found: dict[str, tuple[int, str]]) -> list[Trouble]:
    return [
        Trouble(YELLOW, about, 0, f"{number} {told}") for about, (number, told) in found.items() if number
    ]


def _rows_missing(session: SchoolSession) -> int:
    """Rows of days in the edit window that Veracross did not have when they were looked for last."""
    over = (session.now().astimezone(session.school.zone) - NIGHT).date()
    with session.reading() as connection:
        row = connection.execute(
            "SELECT count(*) FROM attendance.planned_updates "
            "WHERE result = 'no_row' AND attendance_date >= $oldest AND attendance_date < $over",
            {"oldest": _oldest(session), "over": over},
        ).fetchone()
    assert row is not None
    return int(row[0])


def _blocked(session: SchoolSession) -> list[str]:
    """Why marks of the edit window are not written for want of a status; also of those that this push left out."""
    with session.reading() as connection:
        rows = connection.execute(
            "SELECT DISTINCT reason FROM attendance.planned_updates "
            "WHERE result = 'blocked' AND attendance_date >= $oldest ORDER BY reason",
            {"oldest": _oldest(session)},
        ).fetchall()
    return [str(reason) for (reason,) in rows]


def _oldest(session: SchoolSession) -> date:
    """The first day of the edit window."""
    return session.today() - timedelta(days=session.school.policies.attendance.days_back)
