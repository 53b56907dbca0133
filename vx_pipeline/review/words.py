"""How the page says things: labels and sentences for kinds, levels, rules and moments."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from vx_pipeline.journal.decisions import Kind

CASE_KINDS: Mapping[str, str] = {
    "unmatched": "Not sure who this is",
    "conflict": "Contradiction",
    "contested": "Link in doubt",
    "reopened": "Changed since decided",
    "orphan": "Nobody behind it",
}

ENTITIES: Mapping[str, str] = {
    "student": "Student",
    "staff": "Staff",
    "contact": "Contact",
    "house": "House",
}

SYSTEMS: Mapping[str, str] = {"veracross": "Veracross", "orah": "Orah"}

DECISIONS: Mapping[str, str] = {
    Kind.SAME: "Same person",
    Kind.NEW: "Someone new",
    Kind.NEVER: "Never the same",
    Kind.LATER: "Later",
    Kind.UNLINK: "Unlinked",
    Kind.MERGE: "Merge needed",
    Kind.UNDO: "Undone",
}

FIELDS: Mapping[str, str] = {
    "sis_id": "Id of Veracross",
    "email": "E-mail",
    "first_name": "First name",
    "alt_name": "Other name",
    "preferred_name": "Preferred name",
    "middle_name": "Middle name",
    "last_name": "Last name",
    "birth_date": "Birth date",
    "sex": "Sex",
    "grade": "Grade",
    "year_level": "Year level",
    "house": "House",
    "name": "Name",
    "students": "Student",
    "student_type": "Boarding or day",
    "student_number": "Student number",
    "room_number": "Room",
    "bed_number": "Bed",
    "status": "Status",
    "deactivated": "Deactivated",
    "postcode": "Postcode",
    "street": "Street",
}

_LEVELS: Mapping[str, tuple[str, str]] = {
    "exact": ("agree", "same"),
    "same": ("agree", "same"),
    "own": ("agree", "same, and nobody else's"),
    "other": ("agree", "same as the other first name"),
    "shared": ("close", "same, but others have it, too"),
    "swapped": ("close", "first and last name swapped"),
    "nickname": ("close", "nearly the same: a short form"),
    "contains": ("close", "nearly the same: one holds the other"),
    "near": ("close", "nearly the same"),
    "joined": ("close", "nearly the same: written apart or together"),
    "truncated": ("close", "nearly the same: cut short"),
    "initial": ("close", "nearly the same: only the initial"),
    "part": ("close", "nearly the same: part of a double name"),
    "adjacent": ("close", "one year apart"),
    "weak": ("differ", "differs, a little alike"),
    "apart": ("differ", "differs: two or more years apart"),
    "different": ("differ", "differs"),
    "missing": ("missing", "missing"),
}


def decision(kind: str, veracross_id: int | None) -> str:
    """What was decided. Of a record in Orah alone, "new" means that nobody in Veracross is behind it."""
    return "Nobody in Veracross" if kind == Kind.NEW and veracross_id is None else DECISIONS[kind]


def field(name: str) -> str:
    """A field's label."""
    return FIELDS.get(name, name.replace("_", " ").capitalize())


def level(field_name: str, name: str) -> tuple[str, str]:
    """Tone (``agree``, ``close``, ``differ`` or ``missing``) and words of a level of agreement."""
    if field_name == "birth_date" and name == "swapped":
        return "close", "nearly the same: day and month swapped"
    return _LEVELS.get(name, ("close", name.replace("_", " ")))


def plain(text: str) -> str:
    """A sentence of the matcher in the page's own words."""
    return text.replace("sis_id", "id of Veracross")


def rule(name: str | None) -> str:
    """What made a link, after the word "by"."""
    known = {
        "sis_id": "the id of Veracross in Orah",
        "email": "an e-mail of their own",
        "decision": "a person",
    }
    return known.get(name or "", plain(name or "an earlier run").replace("_", " "))


def count_label(name: str) -> str:
    """The label of one of a matching's counts."""
    by = "linked by "
    return f"by {rule(name.removeprefix(by))}" if name.startswith(by) else name.replace("_", " ")


def moment(at: datetime, zone: ZoneInfo) -> str:
    """A moment in the school's time: ``Mon 23 Nov 2026, 21:05``."""
    local = at.astimezone(zone)
    return f"{local:%a} {local.day} {local:%b %Y, %H:%M}"


def ago(at: datetime, now: datetime) -> str:
    """How long ago, in one unit."""
    seconds = max(0, int((now - at).total_seconds()))
    if seconds < 60:
        return "just now"
    for size, unit in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= size:
            return f"{counted(seconds // size, unit)} ago"
    raise AssertionError("a minute or more was divided above")


def is_old(at: datetime, now: datetime) -> bool:
    """Whether a nightly run must have been missed: more than 36 hours."""
    return now - at > timedelta(hours=36)


def is_old_day(day: date, now: datetime) -> bool:
    """Whether figures of a day are older than those of the night before, whatever the zones of school and page."""
    return now.date() - day > timedelta(days=2)


def counted(number: int, noun: str, plural: str = "") -> str:
    """``1 case``, ``1,000 cases``."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def day(value: date) -> str:
    """A day: ``Mon 23 Nov``."""
    return f"{value:%a} {value.day} {value:%b}"


def value(content: object) -> str:
    """A field's value as the page shows it; nothing is told as such."""
    if content is None or content == "":
        return "nothing"
    if isinstance(content, bool):
        return "yes" if content else "no"
    if isinstance(content, Mapping):
        return ", ".join(f"{name} {part}" for name, part in content.items())
    return str(content)
