"""The push of a school's day, and the two tables that tell what it found and did, as assets."""

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import date, timedelta
from typing import Any

import dagster as dg

from vx_pipeline.assets.catalog import OWNERS, table_metadata
from vx_pipeline.assets.partitions import SCHOOL_DAYS
from vx_pipeline.assets.push_troubles import tell_labels, tell_marks, tell_unread
from vx_pipeline.attendance.day import PushedDay, push_day
from vx_pipeline.attendance.looked_at import Update
from vx_pipeline.attendance.reading import OrahReader
from vx_pipeline.attendance.tables import read_school_day, write_day
from vx_pipeline.attendance.writing import Pusher
from vx_pipeline.errors import VxError
from vx_pipeline.journal.due_pushes import pushes_owed
from vx_pipeline.journal.mark_questions import close_days_before, open_questions
from vx_pipeline.journal.push_memory import forget_days_before
from vx_pipeline.session import SchoolSession

ABSENCES = dg.AssetKey(["attendance", "absences"])
PLANNED_UPDATES = dg.AssetKey(["attendance", "planned_updates"])

PUSHED = [
    dg.AssetSpec(
        key,
        deps=[
            dg.AssetKey(["matching", "student_links"]),
            dg.AssetKey(["veracross", "meeting_times"]),
            dg.AssetKey(["veracross", "enrollments"]),
        ],
        group_name="attendance",
        kinds={"duckdb", "python"},
        owners=OWNERS,
        partitions_def=SCHOOL_DAYS,
        description=description + " Written by the job push_attendance.",
    )
    for key, description in (
        (ABSENCES, "When and where students were away that day, by Orah's movements and passes."),
        (PLANNED_UPDATES, "Class meetings that Orah says something about, and what became of each mark."),
    )
]


def push_school_day(
    session: SchoolSession, day: date, *, cause: str, orah_ids: Collection[int] | None = None
) -> PushedDay:
    """Pushes a day's marks of one school; of these students alone where they are named.

    Raises:
        VxError: the day cannot be pushed. What was written before stands in the journal.
    """
    policy, zone = session.school.policies.attendance, session.school.zone
    with session.writing() as connection:
        known = read_school_day(connection, day, zone=zone)
    pushed = session.run(
        push_day(
            Pusher(session.veracross, session.journal, session.key, cause, policy, session.now),
            OrahReader(session.orah, session.journal, session.key, zone, policy),
            known,
            orah_ids,
        )
    )
    with session.writing() as connection:
        write_day(connection, pushed, known=known, policy=policy, at=session.now(), orah_ids=orah_ids)
    oldest = session.today() - timedelta(days=policy.days_back)
    forget_days_before(session.journal, session.key, oldest)
    close_days_before(session.journal, session.key, oldest, at=session.now())
    tell_marks(session)
    if pushed.label_troubles is not None:
        tell_labels(session, pushed.label_troubles)
    if orah_ids is None and day == session.today():
        tell_unread(session, passes=pushed.passes_unread, roll_entries=pushed.not_understood)
    return pushed


def push_metadata(session: SchoolSession, pushed: PushedDay) -> dict[dg.AssetKey, dict[str, Any]]:
    """Metadata of both tables: rows, counts by result, and the page where a person answers."""
    waiting = len(open_questions(session.journal, session.key))
    page = dg.MetadataValue.url(f"{session.settings.review_url}/{session.key}/attendance/marks")
    outside = {} if pushed.in_window else {"outside the edit window": "the day was not looked at"}
    with session.reading() as connection:
        return {
            ABSENCES: outside
            | table_metadata(
                connection,
                "attendance.absences",
                {
                    "periods away": len(pushed.periods),
                    "records without a match": len(pushed.unmatched),
                    "roll entries not understood": pushed.not_understood,
                    "passes not understood or not answered": pushed.passes_unread,
                },
            ),
            PLANNED_UPDATES: {
                **outside,
                **table_metadata(connection, "attendance.planned_updates", count_results(pushed.updates)),
                "marks that wait for a person": waiting,
                "review page": page,
            },
        }


def count_results(updates: Sequence[Update]) -> dict[str, int]:
    """How many rows came to which end."""
    return dict(sorted(Counter(update.result for update in updates).items()))


def refuse_failures(pushed: PushedDay) -> None:
    """A push of which something failed must not look like one that went well.

    Raises:
        VxError: some marks were not written.
    """
    failed = [update for update in pushed.updates if update.result == "failed"]
    if failed:
        raise VxError(
            f"{len(failed)} of {len(pushed.updates)} marks were not written. The first: {failed[0].reason}",
            kept="The others are done; nobody's own mark was changed.",
            remedy="attendance.planned_updates has the reason of each; they are tried again by themselves.",
        )


def is_left_undone(session: SchoolSession, day: date) -> bool:
    """Whether a mark of a day could not be written yet, or a push of it was wanted and did not come through."""
    if day in pushes_owed(session.journal, session.key, before=session.now()):
        return True
    with session.reading() as connection:
        failed = connection.execute(
            "SELECT count(*) FROM attendance.planned_updates WHERE attendance_date = $day AND result = 'failed'",
            {"day": day},
        ).fetchone()
    return failed is not None and failed[0] > 0
