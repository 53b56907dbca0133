"""The journal's tables of attendance as the page shows it: views of a school's warehouse, replaced by each run.

Nothing here is the only copy: whoever empties these tables gets them back with the next run.
"""

from sqlalchemy import JSON, BigInteger, Boolean, Column, Date, Float, String, Table, Text

from vx_pipeline.journal.columns import Moment, metadata

attendance_published = Table(
    "attendance_published",
    metadata,
    Column("school", String(64), primary_key=True),
    Column("as_of", Date, nullable=False, comment="the day that the figures were worked out for"),
    Column(
        "first_day",
        Date,
        nullable=False,
        comment="of the term; days before it and before the last week are dropped",
    ),
    Column("at", Moment, nullable=False, comment="when it was published"),
)
"""Grain: one school: which day its figures and alerts are of."""

attendance_days = Table(
    "attendance_days",
    metadata,
    Column("school", String(64), primary_key=True),
    Column("day", Date, primary_key=True),
    Column("student_id", BigInteger, primary_key=True, autoincrement=False),
    Column("marks", JSON, nullable=False, comment="[start on the school's clock HH:MM, class id, kind], ..."),
)
"""Grain: one student on one day of the term; a day is replaced as a whole."""

attendance_standing = Table(
    "attendance_standing",
    metadata,
    Column("school", String(64), primary_key=True),
    Column("student_id", BigInteger, primary_key=True, autoincrement=False),
    Column("house", Text, comment="null for boarders whose house nobody knows, and for day students"),
    Column("grade", Text),
    Column("is_boarder", Boolean, nullable=False),
    Column("windows", JSON, nullable=False, comment="window to its figures, as in attendance.insights"),
)
"""Grain: one student, with the figures of the newest day."""

attendance_alerts = Table(
    "attendance_alerts",
    metadata,
    Column("school", String(64), primary_key=True),
    Column("student_id", BigInteger, primary_key=True, autoincrement=False),
    Column("rule", Text, primary_key=True),
    Column("window", String(16), nullable=False),
    Column("measure", String(16), nullable=False),
    Column("value", Float, nullable=False),
    Column("threshold", Float, nullable=False),
    Column("since", Date, nullable=False),
)
"""Grain: one rule that one student meets on the newest day."""
