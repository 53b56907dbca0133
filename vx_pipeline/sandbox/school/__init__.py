"""A synthetic boarding school: its Veracross records, its Orah tenant, and the truth about who is who.

Everybody is invented. The records hold what real schools hold: names from everywhere, missing values, data
entry that contradicts itself, and an Orah tenant that people have kept by hand.
"""

from vx_pipeline.sandbox.school.generate import describe, generate
from vx_pipeline.sandbox.school.model import UNKNOWN_FIELDS, School

__all__ = ["UNKNOWN_FIELDS", "School", "describe", "generate"]
