"""Confirming a whole group of cases that agree in the same way: look at some, see what all cause, decide."""

from collections import Counter
from dataclasses import dataclass

from starlette.exceptions import HTTPException
from starlette.responses import Response

from vx_pipeline.journal.cases import Candidate, Case, Person, get_cases
from vx_pipeline.journal.decisions import Answer, DecidedMeanwhile, Kind, decide_many
from vx_pipeline.journal.open_cases import OpenCase, open_cases
from vx_pipeline.review import words
from vx_pipeline.review.compare import Row, about, display_name, has_left, side_by_side
from vx_pipeline.review.decide import LONGEST_NOTE, changed_page, meanwhile_page, take_name
from vx_pipeline.review.effects import WHEN, Effects, effects_of, sum_of
from vx_pipeline.review.pair import Pair, newest_number, read_pair
from vx_pipeline.review.site import Visit

SAMPLE = 10
"""Pairs that are shown field by field."""

_MOST = 5000
_LONGEST_PATTERN = 500


@dataclass(frozen=True)
class Line:
    """One pair of the group, in short."""

    case_id: str
    pair: str
    ours: str
    theirs: str
    about_ours: str
    about_theirs: str
    score: float
    left: bool


@dataclass(frozen=True)
class Look:
    """One pair of the sample, field by field."""

    case_id: str
    name: str
    rows: list[Row]

    @property
    def told(self) -> str:
        """How many fields agree, and how many do not."""
        tones = Counter(row.tone for row in self.rows)
        names = {
            "agree": "same",
            "close": "nearly the same",
            "differ": "differ",
            "missing": "missing on one side",
        }
        return ", ".join(f"{tones[tone]} {told}" for tone, told in names.items() if tones[tone])


def groups_page(visit: Visit) -> Response:
    """The groups that there are."""
    found = open_cases(visit.journal, visit.school, put_off=False, limit=0)
    visit.note("view", "groups")
    return visit.page(
        "groups.html", groups=sorted(found.counts["pattern"].items(), key=lambda each: -each[1])
    )


def group_page(visit: Visit) -> Response:
    """One group: a sample side by side, and all with a box to tick."""
    pattern = visit.text("pattern", _LONGEST_PATTERN)
    newest = newest_number(visit)
    group = _group(visit, pattern)
    if not group:
        return visit.go(visit.at("groups"))
    matching = visit.directory.matching
    step = max(1, len(group) / SAMPLE)
    sample = [group[int(number * step)] for number in range(min(SAMPLE, len(group)))]
    visit.note("view", f"group of {len(group)}")
    return visit.page(
        "group.html",
        pattern=pattern,
        lines=[_line(visit, case, candidate) for case, candidate in group],
        sample=[_look(visit, case, candidate) for case, candidate in sample],
        newest=newest,
        run=matching.run_id if matching else "",
    )


def confirm_group_page(visit: Visit) -> Response:
    """What confirming the ticked pairs causes, all together."""
    pairs = _ticked(visit)
    if not pairs:
        return visit.go(visit.at("groups", "look", pattern=visit.text("pattern", _LONGEST_PATTERN)))
    if _run_changed(visit):
        return changed_page(visit, case_address=visit.at("groups"))
    visit.note("view", f"group of {len(pairs)} to be confirmed")
    return visit.page(
        "group_confirm.html",
        pattern=visit.text("pattern", _LONGEST_PATTERN),
        ticked=[(case.case_id, f"{case.case_id} {pair.orah_id}") for case, pair in pairs],
        sum=sum_of(_effects(pair) for _, pair in pairs),
        newest=visit.number("newest"),
        run=visit.text("run"),
        note=visit.text("note", LONGEST_NOTE),
        when=WHEN,
    )


def decide_group_action(visit: Visit) -> Response:
    """Records all of them, or none."""
    pairs = _ticked(visit)
    if not pairs:
        raise HTTPException(400)
    if _run_changed(visit):
        return changed_page(visit, case_address=visit.at("groups"))
    take_name(visit)
    note, newest = visit.text("note", LONGEST_NOTE), visit.number("newest")
    if newest is None:
        raise HTTPException(400)
    answers = [
        Answer(
            pair.entity,
            Kind.SAME,
            pair.veracross_id,
            pair.orah_id,
            note,
            pair.seen,
            _effects(pair).days,
            newest,
        )
        for _, pair in pairs
    ]
    try:
        decided = decide_many(
            visit.journal,
            answers,
            school=visit.school,
            actor=visit.actor,
            via="page",
            at=visit.now,
            action="decide",
        )
    except DecidedMeanwhile as news:
        return meanwhile_page(visit, news, case_address=visit.at("groups"), of_many=len(answers))
    visit.tell(done="many", number=None, told=words.counted(len(decided), "pair"), case="")
    return visit.go(visit.at("groups"))


def _group(visit: Visit, pattern: str) -> list[tuple[Case, Candidate]]:
    """The open cases of a group, each with the one candidate that is left."""
    if not pattern:
        return []
    found = open_cases(visit.journal, visit.school, pattern=pattern, put_off=False, limit=_MOST)
    return [(each.case, candidate) for each in found.cases if (candidate := _best(each)) is not None]


def _best(each: OpenCase) -> Candidate | None:
    out = each.refused | each.taken
    left = [one for one in each.case.candidates if one.orah_id not in out and not one.conflict]
    return min(left, key=lambda one: one.rank, default=None)


def _ticked(visit: Visit) -> list[tuple[Case, Pair]]:
    """The pairs that the form names.

    Raises:
        HTTPException: one of them is no pair of the newest run.
    """
    # Once each: a pair that is named twice is still one decision.
    named = [str(value).split(" ") for value in dict.fromkeys(visit.form.getlist("pair"))][:_MOST]
    if any(
        len(parts) != 2 or not (parts[1].isascii() and parts[1].isdigit() and len(parts[1]) < 19)
        for parts in named
    ):
        raise HTTPException(400)
    cases = {
        case.case_id: case
        for case in get_cases(visit.journal, visit.school, [case_id for case_id, _ in named])
    }
    made = []
    for case_id, orah_id in named:
        case = cases.get(case_id)
        if case is None or int(orah_id) not in {each.orah_id for each in case.candidates}:
            raise HTTPException(400)
        pair = read_pair(visit, case.entity, case.veracross_id, int(orah_id))
        if pair.ours is None or pair.theirs is None:
            raise HTTPException(400)
        made.append((case, pair))
    return made


def _run_changed(visit: Visit) -> bool:
    matching = visit.directory.matching
    return matching is None or matching.run_id != visit.text("run")


def _effects(pair: Pair) -> Effects:
    return effects_of(Kind.SAME, pair.ours, pair.theirs, linked=pair.linked)


def _line(visit: Visit, case: Case, candidate: Candidate) -> Line:
    ours = visit.directory.find(case.entity, "veracross", case.veracross_id)
    theirs = visit.directory.find(case.entity, "orah", candidate.orah_id)
    return Line(
        case_id=case.case_id,
        pair=f"{case.case_id} {candidate.orah_id}",
        ours=display_name(ours) if ours else f"Veracross {case.veracross_id}",
        theirs=display_name(theirs) if theirs else f"Orah {candidate.orah_id}",
        about_ours=about(ours),
        about_theirs=about(theirs),
        score=candidate.score,
        left=has_left(ours),
    )


def _look(visit: Visit, case: Case, candidate: Candidate) -> Look:
    pair = read_pair(visit, case.entity, case.veracross_id, candidate.orah_id)
    name = display_name(pair.ours) if isinstance(pair.ours, Person) else case.case_id
    return Look(case.case_id, name, side_by_side(pair.ours, pair.theirs, candidate.evidence))
