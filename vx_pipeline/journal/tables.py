"""The journal's tables of plans, writes and marks. Moments are UTC; JSON columns hold what their name says."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    false,
)

from vx_pipeline.journal.columns import Moment, metadata

plans = Table(
    "plans",
    metadata,
    Column("plan_id", String(36), primary_key=True),
    Column("school", String(64), nullable=False, index=True),
    Column("created_at", Moment, nullable=False),
    Column("run_id", String(64)),
    Column("fingerprint", String(64), nullable=False, comment="hash over the rows"),
    Column("hold_reason", Text, comment="why nothing of it may be written; null when the gate is open"),
    Column(
        "purpose", String(16), nullable=False, server_default="sync", comment="sync, person, class or undo"
    ),
    Column("subject", String(64), comment="id of the person or class, or of the plan that is undone"),
    Column("actor", Text, comment="who asked for an undo or for one person"),
    Column("inputs", JSON, comment="hash of what it rests on: veracross, orah, settings"),
)
"""Grain: one plan. What a run wanted to change in Orah."""

plan_rows = Table(
    "plan_rows",
    metadata,
    Column("plan_id", ForeignKey("plans.plan_id"), primary_key=True),
    Column("step", Integer, primary_key=True, comment="rows of one step are sent in one request"),
    Column("field", String(64), primary_key=True, comment="empty for a step that changes no field"),
    Column("entity", String(32), nullable=False),
    Column("action", String(32), nullable=False),
    Column("key", BigInteger, nullable=False, comment="Veracross id"),
    Column("target_id", BigInteger, comment="Orah id; null for a record that does not exist yet"),
    Column("before", JSON),
    Column("after", JSON),
    Column("reason", Text, nullable=False),
    Column("cause", String(16), nullable=False, server_default="veracross", comment="what brought it about"),
    Column("urgent", Boolean, nullable=False, server_default=false()),
    Column("change", String(64), nullable=False, server_default="", comment="fingerprint of the step"),
    Column(
        "verdict",
        String(16),
        nullable=False,
        server_default="write",
        comment="what the gate says of the step",
    ),
    Column("verdict_reason", Text, nullable=False, server_default=""),
)
"""Grain: one field of one step of a plan."""

intents = Table(
    "intents",
    metadata,
    Column("intent_id", Integer, primary_key=True, autoincrement=True),
    Column("school", String(64), nullable=False),
    Column("at", Moment, nullable=False),
    Column("system", String(16), nullable=False, comment="orah or veracross"),
    Column("entity", String(32), nullable=False),
    Column("action", String(32), nullable=False),
    Column("key", BigInteger, nullable=False, comment="id in the system the value comes from"),
    Column("target_id", BigInteger, comment="id in the system that is written"),
    Column("body", JSON, nullable=False, comment="the fields sent"),
    Column("cause", String(64), nullable=False, comment="plan_id, or the run of a push"),
    Column("change", String(64), comment="fingerprint of the change behind it"),
    Column("approval", Integer, comment="number of the approval without which it was not written"),
    Index("ix_intents_target", "school", "system", "entity", "target_id"),
)
"""Grain: one write, noted before it is sent."""

outcomes = Table(
    "outcomes",
    metadata,
    Column("intent_id", ForeignKey("intents.intent_id"), primary_key=True),
    Column("at", Moment, nullable=False),
    Column("result", String(16), nullable=False, comment="done, confirmed, absent or failed"),
    Column("target_id", BigInteger, comment="id that the other system gave a new record"),
    Column("detail", Text, nullable=False, default=""),
)
"""Grain: one intent that came to an end. An intent without an outcome was interrupted."""

marks = Table(
    "marks",
    metadata,
    Column("mark_id", Integer, primary_key=True, autoincrement=True),
    Column("school", String(64), nullable=False),
    Column("attendance_id", BigInteger, nullable=False, comment="Veracross class attendance row"),
    Column("at", Moment, nullable=False),
    Column("ours", Boolean, nullable=False, comment="false: seen there; true: written by us and read back"),
    Column("status", String(64), comment="code of the school's own value list"),
    Column("notes", Text),
    Column("student_id", BigInteger, comment="these five: of which student in which meeting the row tells"),
    Column("orah_id", BigInteger, comment="the record in Orah whose time away it was"),
    Column("class_id", BigInteger),
    Column("attendance_date", Date),
    Column("block_id", String(64)),
    Column("cause", Text, comment="what Orah said: outcome, source and name; null for a state that was seen"),
    Column("evidence", JSON, comment="ids of the movements, passes and rolls it rests on"),
    Column("known_from", Moment, comment="the earliest moment of the evidence"),
    Column(
        "chosen", Boolean, comment="not ours, and set by a person after us: never a row that nobody marked"
    ),
    Index("ix_marks_attendance", "school", "attendance_id"),
    Index("ix_marks_day", "school", "attendance_date"),
)
"""Grain: one state of one attendance row that we saw first or wrote. The latest is the base."""
