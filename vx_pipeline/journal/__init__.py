"""What must never be lost: decisions, plans, every intent to write and its outcome, the marks we answer for.

The warehouse can be rebuilt from the two systems; the journal cannot. SQLite by default, PostgreSQL by URL.
Rows are added, not changed: what happened stays as it was written down. Only the picture of who is who, which
people look at while a run has the warehouse, is replaced by each run.
"""

from vx_pipeline.journal.database import Journal, open_journal

__all__ = ["Journal", "open_journal"]
