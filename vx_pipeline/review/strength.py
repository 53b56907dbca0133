"""How strong the evidence for a candidate is, in words, against what a link without a person would need."""

import math

from vx_pipeline.journal.cases import Candidate, Matching
from vx_pipeline.journal.open_cases import OpenCase
from vx_pipeline.matching.policy import current_policy

STRONG = "strong"


def enough_bits(matching: Matching | None) -> float | None:
    """The bits that a link without a person needs in a pool of this size; None without a run."""
    if matching is None:
        return None
    pool = max(matching.counts.get("students", 0), matching.counts.get("records", 0), 2)
    return round(math.log2(pool) + current_policy().guards.evidence, 1)


def strength(score: float, enough: float | None) -> str:
    """``strong``, ``likely``, ``possible`` or ``weak``; empty where nobody knows what is enough."""
    if enough is None:
        return ""
    guards = current_policy().guards
    if score >= enough:
        return STRONG
    if score >= enough - guards.margin:
        return "likely"
    return "possible" if score >= enough - guards.evidence + guards.floor else "weak"


def candidates_left(waiting: OpenCase) -> list[Candidate]:
    """The case's candidates that nobody has ruled out, the best first."""
    out = waiting.refused | waiting.taken
    left = (each for each in waiting.case.candidates if each.orah_id not in out)
    return sorted(left, key=lambda each: each.rank)
