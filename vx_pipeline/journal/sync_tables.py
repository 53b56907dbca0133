"""The journal's tables of what people said about plans, and of what is wrong. Rows are added, then closed."""

from sqlalchemy import JSON, BigInteger, Column, Date, Index, Integer, String, Table, Text

from vx_pipeline.journal.columns import Moment, metadata

approvals = Table(
    "approvals",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("school", String(64), nullable=False),
    Column("plan_id", String(36), nullable=False, comment="the plan in which the change was seen"),
    Column("step", Integer, nullable=False),
    Column(
        "fingerprint",
        String(64),
        nullable=False,
        comment="of the change: what was approved, and nothing else",
    ),
    Column("settings_hash", String(64), nullable=False, comment="of the rules under which it was seen"),
    Column("answer", String(16), nullable=False, comment="approve or refuse"),
    Column("actor", Text, nullable=False),
    Column("via", String(16), nullable=False, comment="page or shell"),
    Column("note", Text, nullable=False),
    Column("at", Moment, nullable=False),
    Index("ix_approvals_fingerprint", "school", "fingerprint"),
)
"""Grain: one answer of one person to one held change. The newest about a change stands."""

pins = Table(
    "pins",
    metadata,
    Column("pin_id", Integer, primary_key=True, autoincrement=True),
    Column("school", String(64), nullable=False, index=True),
    Column("entity", String(16), nullable=False),
    Column("key", BigInteger, nullable=False, comment="Veracross id"),
    Column("field", String(64), nullable=False, comment="Orah field; empty for the whole record"),
    Column("reason", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("made_at", Moment, nullable=False),
    Column("last_day", Date, comment="the last day on which it holds; null: until it is taken away"),
    Column("ended_at", Moment),
    Column("ended_by", Text),
)
"""Grain: one person, house or field that the sync leaves alone."""

problems = Table(
    "problems",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("school", String(64), nullable=False),
    Column("source", String(32), nullable=False, comment="who found it: plan, apply, delivery, read"),
    Column(
        "colour", String(8), nullable=False, comment="yellow: an item was left out; red: the sync stopped"
    ),
    Column("entity", String(32), nullable=False),
    Column("key", BigInteger, nullable=False, comment="Veracross id; 0 for what is about no record"),
    Column("reason", Text, nullable=False, comment="as found last; without names"),
    Column("opened_at", Moment, nullable=False),
    Column("seen_at", Moment, nullable=False),
    Column("times", Integer, nullable=False, comment="runs that met it"),
    Column("closed_at", Moment),
    Index("ix_problems_school", "school", "source", "closed_at"),
)
"""Grain: one trouble from the run that first met it until the run that did not any more."""

explanations = Table(
    "explanations",
    metadata,
    Column("school", String(64), primary_key=True),
    Column("veracross_id", BigInteger, primary_key=True, autoincrement=False),
    Column("at", Moment, nullable=False),
    Column("told", JSON, nullable=False, comment="topic to sentences; may hold names"),
)
"""Grain: one person, as the newest plan of the school saw them; replaced by each plan."""
