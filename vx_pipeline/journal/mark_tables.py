"""The journal's tables of questions about marks, and of what a later push must not forget."""

from sqlalchemy import JSON, BigInteger, Column, Date, Index, Integer, String, Table, Text

from vx_pipeline.journal.columns import Moment, metadata

mark_questions = Table(
    "mark_questions",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("school", String(64), nullable=False),
    Column("kind", String(16), nullable=False, comment="conflict: a person marked the row; budget: too many"),
    Column("attendance_id", BigInteger, nullable=False, comment="Veracross class attendance row"),
    Column("student_id", BigInteger, nullable=False),
    Column("orah_id", BigInteger, nullable=False),
    Column("class_id", BigInteger, nullable=False),
    Column("attendance_date", Date, nullable=False),
    Column("block_id", String(64)),
    Column("theirs_status", String(64), comment="code of the row as it was read"),
    Column("theirs_notes", Text),
    Column("ours_status", String(64), comment="code that Orah's word would be"),
    Column("ours_notes", Text),
    Column("cause", Text, comment="what Orah said: outcome, source and name; null in an earlier version"),
    Column("changed_at", Moment, comment="when the row was last modified, as Veracross says"),
    Column("told", JSON, nullable=False, comment="labels and words for the page; may hold names"),
    Column("reason", Text, nullable=False),
    Column("opened_at", Moment, nullable=False),
    Column("seen_at", Moment, nullable=False),
    Column("closed_at", Moment),
    Column(
        "closed_as", String(16), comment="answered, settled (nothing is left to ask), replaced or expired"
    ),
    Index("ix_mark_questions_open", "school", "closed_at"),
    Index("ix_mark_questions_row", "school", "attendance_id"),
)
"""Grain: one question about one attendance row, from the push that first asked it until it is closed."""

mark_answers = Table(
    "mark_answers",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("school", String(64), nullable=False),
    Column("question", Integer, nullable=False, index=True),
    Column("answer", String(16), nullable=False, comment="keep_theirs or use_ours"),
    Column("actor", Text, nullable=False),
    Column("via", String(16), nullable=False, comment="page or shell"),
    Column("at", Moment, nullable=False),
)
"""Grain: one answer of one person to one question."""

mark_doubts = Table(
    "mark_doubts",
    metadata,
    Column("school", String(64), primary_key=True),
    Column("attendance_id", BigInteger, primary_key=True, autoincrement=False),
    Column("since", Moment, nullable=False),
)
"""Grain: one mark of ours whose evidence Orah did not show once; missed again, the mark is taken back."""

unmatched_days = Table(
    "unmatched_days",
    metadata,
    Column("school", String(64), primary_key=True),
    Column("orah_id", BigInteger, primary_key=True, autoincrement=False),
    Column("day", Date, primary_key=True),
    Column("seen_at", Moment, nullable=False),
)
"""Grain: one day with time away of an Orah record that was nobody's; taken out when it is pushed with a link."""

known_passes = Table(
    "known_passes",
    metadata,
    Column("school", String(64), primary_key=True),
    Column("leave_id", BigInteger, primary_key=True, autoincrement=False),
    Column("orah_id", BigInteger, comment="null until it was read"),
    Column("starts_at", Moment),
    Column("ends_at", Moment),
    Column("seen_at", Moment, nullable=False),
)
"""Grain: one pass whose id is known; Orah has no list of them."""

due_pushes = Table(
    "due_pushes",
    metadata,
    Column("school", String(64), primary_key=True),
    Column("day", Date, primary_key=True),
    Column("orah_id", BigInteger, primary_key=True, autoincrement=False),
    Column("due_at", Moment, nullable=False),
    Column("wished_at", Moment, comment="when a look or a schedule asked for it last; null where none did"),
    Column("owed_since", Moment, comment="since when it was to be pushed and was not; null until it is due"),
)
"""Grain: one student whose day is to be pushed, or pushed again. Orah id 0 stands for everybody."""

last_looks = Table(
    "last_looks",
    metadata,
    Column("school", String(64), primary_key=True),
    Column("looked_at", Moment, nullable=False),
)
"""Grain: one school, and when its Orah was last looked at with success."""
