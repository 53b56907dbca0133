"""What `vx match --json` prints. It goes to scripts and files, so no value of anybody's record is in it."""

from typing import Any

from vx_pipeline.commands.answering import Sight
from vx_pipeline.commands.match_files import Imported
from vx_pipeline.journal.cases import Case
from vx_pipeline.journal.decisions import Decision
from vx_pipeline.journal.open_cases import OpenCase


def case_row(case: Case, waiting: OpenCase | None) -> dict[str, Any]:
    """A case: ids, and why it waits."""
    refused = waiting.refused if waiting else frozenset()
    taken = waiting.taken if waiting else frozenset()
    return {
        "case_id": case.case_id,
        "entity": case.entity.value,
        "kind": case.kind,
        "veracross_id": case.veracross_id,
        "orah_id": case.orah_id,
        "reason": case.reason,
        "pattern": case.pattern,
        "score": case.score,
        "opened_at": case.opened_at,
        "waits": waiting is not None,
        "later": bool(waiting and waiting.later),
        "relatives": [vars(relative) for relative in case.relatives],
        "candidates": [
            {
                "orah_id": one.orah_id,
                "score": one.score,
                "gap": one.gap,
                "rule": one.rule,
                "why": one.why,
                "conflict": one.conflict,
                "refused": one.orah_id in refused,
                "taken": one.orah_id in taken,
            }
            for one in case.candidates
        ],
    }


def sight_row(sight: Sight) -> dict[str, Any]:
    """A case that is looked at: with the evidence, but without the values that it compares."""
    evidence = [
        {"field": one.field, "level": one.level, "bits": one.bits, "total": one.total}
        for one in sight.evidence
    ]
    decided = [decision_row(one) for one in sight.decided]
    seen = sight.records.theirs.person_id if sight.records.theirs else None
    return case_row(sight.case, sight.waiting) | {
        "candidate": seen,
        "evidence": evidence,
        "decisions": decided,
    }


def decision_row(decision: Decision) -> dict[str, Any]:
    """A decision with its note, without the fingerprint."""
    values = {name: value for name, value in vars(decision).items() if name != "seen"}
    return values | {"days": [day.isoformat() for day in decision.days]}


def imported_row(imported: Imported) -> dict[str, Any]:
    """What became of the lines of a file."""
    return {
        "lines": imported.lines,
        "decided": [decision_row(one) for one in imported.decided],
        "already": imported.already,
        "repeated": list(imported.repeated),
        "refused": [vars(one) for one in imported.refused],
    }
