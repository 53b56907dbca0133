"""The journal's tables of who is who: decisions and views (added to, never changed), and the newest picture.

People's names stand in ``match_people`` and ``match_cases`` because the review page has to show them; each run of
a school replaces its rows there.
"""

from sqlalchemy import JSON, BigInteger, Column, Float, Index, Integer, String, Table, Text

from vx_pipeline.journal.columns import Moment, metadata

decisions = Table(
    "decisions",
    metadata,
    Column(
        "number", Integer, primary_key=True, autoincrement=False, comment="without gaps, over all schools"
    ),
    Column("school", String(64), nullable=False),
    Column("entity", String(16), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("veracross_id", BigInteger),
    Column("orah_id", BigInteger),
    Column("note", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("via", String(16), nullable=False, comment="page, shell or import"),
    Column("at", Moment, nullable=False),
    Column("seen", JSON, nullable=False, comment="field to the digests of both values, as they were then"),
    Column("days", JSON, nullable=False, comment="days of attendance that it touches"),
    Column("undoes", Integer, comment="number of the decision that this one takes back"),
    Index("ix_decisions_veracross", "school", "entity", "veracross_id"),
    Index("ix_decisions_orah", "school", "entity", "orah_id"),
)
"""Grain: one thing that a person decided about one or two records, or took back. Rows are only ever added."""

audit = Table(
    "audit",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("school", String(64), nullable=False),
    Column("at", Moment, nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", String(32), nullable=False),
    Column("subject", Text, nullable=False, comment="a case or ids; never a name or a typed text"),
    Index("ix_audit_school", "school", "number"),
)
"""Grain: one look or deed of one person. Rows are only ever added."""

matchings = Table(
    "matchings",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("school", String(64), nullable=False),
    Column("run_id", String(64), nullable=False),
    Column("at", Moment, nullable=False),
    Column("read_at", Moment, comment="the older of the two reads that the picture rests on"),
    Column("policy_version", String(64), nullable=False),
    Column("counts", JSON, nullable=False),
    Column(
        "newest_decision",
        Integer,
        nullable=False,
        server_default="0",
        comment="the newest that the run took in; 0: none",
    ),
    Index("ix_matchings_school", "school", "number"),
)
"""Grain: one run that matched a school. Rows are only ever added."""

match_cases = Table(
    "match_cases",
    metadata,
    Column("school", String(64), primary_key=True),
    Column("case_id", String(64), primary_key=True),
    Column("entity", String(16), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("veracross_id", BigInteger),
    Column("orah_id", BigInteger, comment="the linked record, or the one that nobody stands behind"),
    Column("reason", Text, nullable=False),
    Column("pattern", Text, comment="group for confirming many at once"),
    Column("score", Float, nullable=False),
    Column("house", Text),
    Column("grade", Text),
    Column("opened_at", Moment, nullable=False),
    Column("candidate_ids", JSON, nullable=False, comment="Orah ids, best first"),
    Column("relatives", JSON, nullable=False),
    Column("candidates", JSON, nullable=False, comment="with their evidence"),
)
"""Grain: one question to a person, as the newest run of the school left it."""

match_people = Table(
    "match_people",
    metadata,
    Column("school", String(64), primary_key=True),
    Column("entity", String(16), primary_key=True),
    Column("system", String(16), primary_key=True, comment="veracross or orah"),
    Column("person_id", BigInteger, primary_key=True, autoincrement=False),
    Column("folded", Text, nullable=False, comment="names in lower-case ASCII, for the search"),
    Column("shown", JSON, nullable=False, comment="fields as they are written there"),
    Column("digests", JSON, nullable=False),
    Column("wanted", JSON, nullable=False, comment="Orah fields: as a sync would write them, or as they are"),
    Column("days_away", JSON, nullable=False),
    Column("linked_to", BigInteger),
    Column("rule", Text),
    Column("linked_at", Moment),
    Column("score", Float),
    Column("evidence", JSON, nullable=False),
)
"""Grain: one record of one system, as the newest run of the school saw it."""
