"""Two records side by side: what each says in a field, and how far they agree, in a tone and in words."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rapidfuzz.distance import OSA

from vx_pipeline.journal.cases import Evidence, Person, PersonSummary
from vx_pipeline.matching.fold import fold
from vx_pipeline.review import words

_NEAR = 0.75
_EQUAL_OR_NOT = ("email", "sis_id", "sex", "grade", "student_type", "student_number")
_WITHOUT_JUDGEMENT = ("status",)
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
    """Every field that either record fills; the matcher's own judgement where there is one."""
    levels = {each.field: each.level for each in evidence}
    left, right = _as_orah_has_it(ours), dict(theirs.shown) if theirs else {}
    return list(_rows(left, right, levels, alone=ours is None or theirs is None))


def _rows(
    left: dict[str, str | None], right: dict[str, str | None], levels: dict[str, str], *, alone: bool
) -> Iterator[Row]:
    for name in dict.fromkeys((*_ORDER, *left, *right)):
        our, their = left.get(name) or None, right.get(name) or None
        if our is None and their is None:
            continue
        tone, told = ("", "") if alone else _agreement(name, our, their, levels.get(name))
        yield Row(name, our, their, tone, told)


def _as_orah_has_it(person: Person | None) -> dict[str, str | None]:
    """Orah's first name is the name that is used, its alternative name the legal one."""
    if person is None:
        return {}
    shown = dict(person.shown)
    preferred = shown.pop("preferred_name", None)
    if preferred and preferred != shown.get("first_name"):
        shown["alt_name"] = shown.get("first_name")
        shown["first_name"] = preferred
    return {**shown, "sis_id": shown.get("sis_id") or str(person.person_id)}


def _agreement(name: str, ours: str | None, theirs: str | None, level: str | None) -> tuple[str, str]:
    if name in _WITHOUT_JUDGEMENT:
        return "", ""
    if ours is None or theirs is None:
        return "missing", f"missing in {'Veracross' if ours is None else 'Orah'}"
    if level is not None and level != "missing":
        return words.level(name, level)
    return words.level(name, _level(name, ours, theirs))


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


def about(person: Person | PersonSummary | None) -> str:
    """What tells a person apart from others of the name: grade and house."""
    shown = person.shown if person else {}
    return ", ".join(value for name in ("grade", "house") if (value := shown.get(name)))
