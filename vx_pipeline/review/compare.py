"""Two records side by side: what each says in a field, and how far they agree, in a tone and in words."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rapidfuzz.distance import OSA

from vx_pipeline.journal.cases import Evidence, Person, PersonSummary
from vx_pipeline.matching.fold import fold
from vx_pipeline.review import words

_NEAR = 0.75
_EQUAL_OR_NOT = ("email", "sis_id", "sex", "grade", "student_type", "student_number")
_WITHOUT_JUDGEMENT = ("status",)
_FIRST_NAMES = ("first_name", "alt_name")
_TONES = ("differ", "close", "agree", "missing", "")
_ORDER = (
    "first_name",
    "alt_name",
    "middle_name",
    "last_name",
    "birth_date",
    "sex",
    "grade",
    "email",
    "house",
    "student_type",
    "sis_id",
    "status",
)

Fields = dict[str, str | None]


@dataclass(frozen=True)
class Row:
    """One field of both records.

    Args:
        field: its name.
        ours: what Veracross says.
        theirs: what Orah says.
        tone: ``agree``, ``close``, ``differ``, ``missing``; empty where nothing is compared.
        words: the agreement in words.
    """

    field: str
    ours: str | None
    theirs: str | None
    tone: str
    words: str

    @property
    def label(self) -> str:
        """The field's label."""
        return words.field(self.field)


def side_by_side(ours: Person | None, theirs: Person | None, evidence: Sequence[Evidence] = ()) -> list[Row]:
    """Every field that either record fills, what differs first; the matcher's own judgement where there is one."""
    judged = {each.field: each for each in evidence}
    left, right = _as_orah_has_it(ours), dict(theirs.shown) if theirs else {}
    rows = _rows(left, right, judged, alone=ours is None or theirs is None)
    return sorted(rows, key=lambda row: _TONES.index(row.tone))


def _rows(left: Fields, right: Fields, judged: Mapping[str, Evidence], *, alone: bool) -> Iterator[Row]:
    for name in dict.fromkeys((*_ORDER, *left, *right)):
        our, their = left.get(name) or None, right.get(name) or None
        if our is None and their is None:
            continue
        if alone:
            tone, told = "", ""
        elif name in _FIRST_NAMES:
            tone, told = _agreement_of_names(name, left, right, judged.get("first_name"))
        else:
            tone, told = _agreement(name, our, their, judged.get(name))
        yield Row(name, our, their, tone, told)


def _as_orah_has_it(person: Person | None) -> Fields:
    """Orah's first name is the name that is used, its alternative name the legal one."""
    if person is None:
        return {}
    shown = dict(person.shown)
    preferred = shown.pop("preferred_name", None)
    if preferred and preferred != shown.get("first_name"):
        shown["alt_name"] = shown.get("first_name")
        shown["first_name"] = preferred
    return {**shown, "sis_id": shown.get("sis_id") or str(person.person_id)}


def _agreement(name: str, ours: str | None, theirs: str | None, judged: Evidence | None) -> tuple[str, str]:
    if name in _WITHOUT_JUDGEMENT:
        return "", ""
    if ours is None or theirs is None:
        return _missing(ours)
    if judged is not None and judged.level != "missing":
        return words.level(name, judged.level)
    return words.level(name, _level(name, ours, theirs))


def _agreement_of_names(name: str, left: Fields, right: Fields, judged: Evidence | None) -> tuple[str, str]:
    """How far two first names agree: these two, or one of them with the other record's other name.

    The matcher judges all first names of both records together, so its level holds for a row only where it saw
    no more than the two values that stand there.
    """
    ours, theirs = left.get(name) or None, right.get(name) or None
    beside = _FIRST_NAMES[1 - _FIRST_NAMES.index(name)]
    direct = _level(name, ours, theirs) if ours and theirs else "missing"
    if direct == "exact":
        return words.level(name, direct)
    crossed = {
        _level(name, one, other)
        for one, other in ((ours, right.get(beside)), (left.get(beside), theirs))
        if one and other
    }
    if "exact" in crossed:
        return "agree", "same as the other name"
    if ours is None or theirs is None:
        return _missing(ours)
    if judged is not None and judged.level != "missing" and _is_about(judged, ours, theirs):
        return words.level(name, judged.level)
    if direct == "different" and "near" in crossed:
        return "close", "nearly the same as the other name"
    return words.level(name, direct)


def _is_about(judged: Evidence, ours: str, theirs: str) -> bool:
    return (judged.ours, judged.theirs) == (ours, theirs)


def _missing(ours: str | None) -> tuple[str, str]:
    return "missing", f"missing in {'Veracross' if ours is None else 'Orah'}"


def _level(name: str, ours: str, theirs: str) -> str:
    left, right = fold(ours) or ours, fold(theirs) or theirs
    if left == right:
        return "exact"
    if name == "birth_date":
        if sorted(ours.split("-")) == sorted(theirs.split("-")):
            return "swapped"
        return "near" if OSA.distance(ours, theirs) <= 1 else "different"
    if name in _EQUAL_OR_NOT:
        return "different"
    return "near" if OSA.normalized_similarity(left, right) >= _NEAR else "different"


def display_name(person: Person | PersonSummary) -> str:
    """The name that the person goes by; a house's is its own."""
    shown = person.shown
    parts = (shown.get("preferred_name") or shown.get("first_name"), shown.get("last_name"))
    return " ".join(part for part in parts if part) or shown.get("name") or shown.get("house") or "No name"


def has_left(person: Person | PersonSummary | None) -> bool:
    """Whether somebody is at the school no more, so that their record will be deactivated."""
    return person is not None and person.shown.get("status") == "left"


def about(person: Person | PersonSummary | None) -> str:
    """What tells a person apart from others of the name: grade and house."""
    shown = person.shown if person else {}
    return ", ".join(value for name in ("grade", "house") if (value := shown.get(name)))
