"""What must never be lost: plans, every intent to write and its outcome, and the marks we answer for.

The warehouse can be rebuilt from the two systems; the journal cannot. SQLite by default, PostgreSQL by URL.
Rows are added, not changed: what happened stays as it was written down.
"""

from vx_pipeline.journal.database import Journal, open_journal

__all__ = ["Journal", "open_journal"]
