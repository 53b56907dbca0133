"""What one system shows of the children: its habits, its gaps and its mistakes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np

from benchmarks.matching.schools.children import Children
from benchmarks.matching.schools.names import CHARACTERS, EAST_ASIA, RESPELLED
from benchmarks.matching.schools.rates import Rates
from benchmarks.matching.schools.typing_errors import (
    change,
    day_and_month_exchanged,
    digit_wrong,
    joined,
    mistyped,
    plain_letters,
    some,
    truncated,
)


@dataclass(frozen=True)
class Fields:
    """Which fields both systems keep besides names and grade."""

    personal: bool = True
    """Birth date, sex, middle name and address."""
    emails: bool = False
    numbers: bool = False


def shown_by_ours(
    school: Children, who: Sequence[int], fields: Fields, rates: Rates, rng: np.random.Generator
) -> dict[str, list[Any]]:
    """The columns of the school's information system for the children at the given positions."""
    first: list[str | None] = [school.first[child] for child in who]
    other = [school.called[child] if rng.random() < rates.preferred_known_ours else None for child in who]
    last: list[str | None] = [school.last[child] for child in who]
    for names in (first, last):
        change(names, rates.typo_ours, rng, lambda name: mistyped(name, rng))
    for at in some(len(who), rates.suffix / 2, rng):
        last[at] = f"{last[at]} {('Jr.', 'III')[int(rng.integers(2))]}"
    columns: dict[str, list[Any]] = {"first_name": first, "other_name": other, "last_name": last}
    columns["grade"] = [_grade(school.grade[child], "ours") for child in who]
    if fields.personal:
        columns["middle_name"] = [school.middle[child] if rng.random() < 0.93 else None for child in who]
        born: list[date | None] = [school.born[child] for child in who]
        _spoil_dates(born, rates.date_missing_ours, rates.date_digit_ours, rng)
        columns["birth_date"] = born
        columns["sex"] = ["Female" if school.girl[child] else "Male" for child in who]
        columns["postcode"] = [school.postcode[child] for child in who]
        columns["street"] = [school.street[child] for child in who]
    if fields.emails:
        columns["email"] = _emails_of_ours(school, who, rates, rng)
    if fields.numbers:
        columns["student_number"] = [school.number[child] for child in who]
    return columns


def shown_by_theirs(
    school: Children, who: Sequence[int], fields: Fields, rates: Rates, rng: np.random.Generator
) -> dict[str, list[Any]]:
    """The columns of the system that people type into."""
    first, other, last = _names_of_theirs(school, who, rates, rng)
    columns: dict[str, list[Any]] = {"first_name": first, "other_name": other, "last_name": last}
    columns["grade"] = _grades_of_theirs(school, who, rates, rng)
    if fields.personal:
        _add_middle_names(columns, school, who, rates, rng)
        columns["birth_date"] = _dates_of_theirs(school, who, rates, rng)
        columns["sex"] = _sexes_of_theirs(school, who, rates, rng)
        _add_addresses(columns, school, who, rates, rng)
    if fields.emails:
        columns["email"] = _emails_of_theirs(school, who, rates, rng)
    if fields.numbers:
        columns["student_number"] = _numbers_of_theirs(school, who, rates, rng)
    return columns


def _names_of_theirs(
    school: Children, who: Sequence[int], rates: Rates, rng: np.random.Generator
) -> tuple[list[str | None], list[str | None], list[str | None]]:
    first: list[str | None] = []
    other: list[str | None] = []
    last: list[str | None] = []
    for child in who:
        legal, called = school.first[child], school.called[child]
        habit = rng.random()
        if called is None or habit >= rates.shown_preferred_with_legal + rates.shown_preferred_alone:
            first.append(legal)
            other.append(None)
        else:
            first.append(called)
            other.append(legal if habit < rates.shown_preferred_with_legal else None)
        last.append(school.last[child])
    for names in (first, other, last):
        change(names, rates.plain_letters, rng, plain_letters)
        change(names, rates.typo_theirs, rng, lambda name: mistyped(name, rng))
    change(first, rates.truncated, rng, lambda name: truncated(name, rng))
    for at, child in enumerate(who):
        _write_by_origin(school, child, at, first, last, rates, rng)
    _replace_names(school, who, first, last, rates, rng)
    return first, other, last


def _write_by_origin(
    school: Children,
    child: int,
    at: int,
    first: list[str | None],
    last: list[str | None],
    rates: Rates,
    rng: np.random.Generator,
) -> None:
    given, surname = first[at] or "", last[at] or ""
    parts = surname.replace("-", " ").split(" ")
    if len(parts) > 1 and rng.random() < rates.half_surname:
        last[at] = parts[0] if rng.random() < 0.75 else parts[-1]
    elif len(parts) > 1 and rng.random() < 0.3:
        last[at] = (" " if "-" in surname else "-").join(parts)
    if school.origin[child] not in EAST_ASIA:
        if rng.random() < rates.swapped:
            first[at], last[at] = last[at], first[at]
        return
    if (" " in given or "-" in given) and rng.random() < rates.romanised_otherwise:
        first[at] = joined(given, rng)
    if surname in RESPELLED and rng.random() < rates.respelled_surname:
        last[at] = RESPELLED[surname]
    if school.origin[child] == "chinese" and rng.random() < rates.own_script:
        written = [CHARACTERS.get(part) for part in school.first[child].split(" ")]
        family_name = CHARACTERS.get(school.last[child])
        if family_name and all(written):
            first[at], last[at] = "".join(part or "" for part in written), family_name
    if rng.random() < rates.swapped_east_asia:
        first[at], last[at] = last[at], first[at]


def _replace_names(
    school: Children,
    who: Sequence[int],
    first: list[str | None],
    last: list[str | None],
    rates: Rates,
    rng: np.random.Generator,
) -> None:
    for at in some(len(who), rates.new_first, rng):
        first[at] = school.first[int(rng.integers(len(school)))]
    for at in some(len(who), rates.new_last, rng):
        last[at] = school.last[int(rng.integers(len(school)))]
    for at in some(len(who), rates.unknown_first, rng):
        first[at] = (None, "Unknown", "Student", "-")[int(rng.integers(4))]
    for at in some(len(who), rates.suffix / 2, rng):
        last[at] = f"{last[at]} {('Jr', 'II')[int(rng.integers(2))]}"


def _grade(grade: int, style: str) -> str:
    if style == "ours":
        ending = {1: "st", 2: "nd", 3: "rd"}.get(grade, "th")
        return f"{grade}{ending} Grade" if grade else "Kindergarten"
    if style == "words":
        return f"Grade {grade}" if grade else "Kindergarten"
    return str(grade) if grade else "K"


def _grades_of_theirs(
    school: Children, who: Sequence[int], rates: Rates, rng: np.random.Generator
) -> list[str | None]:
    style = ("ours", "words", "number")[int(rng.integers(3))]
    late = int(rng.random() < rates.school_not_rolled_over)
    grades = [max(0, school.grade[child] - late) for child in who]
    for at in some(len(who), rates.grade_one_off, rng):
        grades[at] = max(0, grades[at] - 1) if rng.random() < 0.8 else min(12, grades[at] + 1)
    for at in some(len(who), rates.grade_far_off, rng):
        grades[at] = int(rng.integers(13))
    shown: list[str | None] = [_grade(grade, style) for grade in grades]
    for at in some(len(who), rates.grade_missing, rng):
        shown[at] = None
    return shown


def _add_middle_names(
    columns: dict[str, list[Any]],
    school: Children,
    who: Sequence[int],
    rates: Rates,
    rng: np.random.Generator,
) -> None:
    middles: list[str | None] = []
    for at, child in enumerate(who):
        middle, habit = school.middle[child], rng.random()
        if middle is None or habit >= rates.middle_full_theirs + rates.middle_initial_theirs:
            middles.append(None)
        else:
            middles.append(middle if habit < rates.middle_full_theirs else middle[0])
        if middle and columns["first_name"][at] and rng.random() < rates.middle_within_first:
            columns["first_name"][at] = f"{columns['first_name'][at]} {middle}"
            middles[-1] = None
    change(middles, rates.typo_theirs, rng, lambda name: mistyped(name, rng))
    columns["middle_name"] = middles


def _spoil_dates(born: list[date | None], missing: float, digit: float, rng: np.random.Generator) -> None:
    for at in some(len(born), digit, rng):
        day = born[at]
        if day is not None:
            born[at] = digit_wrong(day, rng)
    for at in some(len(born), missing, rng):
        born[at] = None


def _dates_of_theirs(
    school: Children, who: Sequence[int], rates: Rates, rng: np.random.Generator
) -> list[date | None]:
    born: list[date | None] = [school.born[child] for child in who]
    for at in some(len(who), rates.date_day_month, rng):
        born[at] = day_and_month_exchanged(school.born[who[at]]) or born[at]
    for at in some(len(who), rates.date_year, rng):
        years = 1 if rng.random() < 0.5 else -1
        born[at] = school.born[who[at]] + timedelta(days=365 * years)
        if rng.random() < 0.8:
            born[at] = _in_year(school.born[who[at]], years)
    families = school.siblings()
    for at in some(len(who), rates.date_of_sibling, rng):
        born[at] = school.born[_another(families[school.family[who[at]]], rng)]
    for at in some(len(who), rates.date_placeholder, rng):
        born[at] = (date(2000, 1, 1), date(1900, 1, 1), date(school.born[who[at]].year, 1, 1))[
            int(rng.integers(3))
        ]
    _spoil_dates(born, rates.date_missing_theirs, rates.date_digit_theirs, rng)
    return born


def _in_year(day: date, years: int) -> date:
    return day.replace(year=day.year + years, day=min(day.day, 28))


def _another(positions: list[int], rng: np.random.Generator) -> int:
    return positions[int(rng.integers(len(positions)))]


def _sexes_of_theirs(
    school: Children, who: Sequence[int], rates: Rates, rng: np.random.Generator
) -> list[str | None]:
    sexes: list[str | None] = ["F" if school.girl[child] else "M" for child in who]
    for at in some(len(who), rates.sex_wrong, rng):
        sexes[at] = "M" if sexes[at] == "F" else "F"
    for at in some(len(who), rates.sex_missing, rng):
        sexes[at] = None
    return sexes


def _add_addresses(
    columns: dict[str, list[Any]],
    school: Children,
    who: Sequence[int],
    rates: Rates,
    rng: np.random.Generator,
) -> None:
    streets: list[str | None] = [school.street[child] for child in who]
    postcodes: list[str | None] = [school.postcode[child] for child in who]
    for at in some(len(who), rates.address_old_theirs, rng):
        before = int(rng.integers(len(school)))
        streets[at], postcodes[at] = school.street[before], school.postcode[before]
    for at in some(len(who), 0.25, rng):
        streets[at] = (
            (streets[at] or "").replace(" Street", " St").replace(" Road", " Rd").replace(" Avenue", " Ave")
        )
    change(streets, rates.typo_theirs, rng, lambda street: mistyped(street, rng))
    for at in some(len(who), rates.address_missing_theirs, rng):
        streets[at] = postcodes[at] = None
    columns["street"], columns["postcode"] = streets, postcodes


def _emails_of_ours(
    school: Children, who: Sequence[int], rates: Rates, rng: np.random.Generator
) -> list[str | None]:
    emails: list[str | None] = [school.own_email[child] for child in who]
    for at in some(len(who), rates.email_of_parent_ours, rng):
        emails[at] = school.parent_email[who[at]]
    for at in some(len(who), rates.email_missing_ours, rng):
        emails[at] = None
    return emails


def _emails_of_theirs(
    school: Children, who: Sequence[int], rates: Rates, rng: np.random.Generator
) -> list[str | None]:
    emails: list[str | None] = [school.own_email[child] for child in who]
    families = school.siblings()
    alike = _alike(school)
    for at in some(len(who), rates.email_mistyped_theirs, rng):
        user, _, domain = (emails[at] or "").partition("@")
        emails[at] = f"{mistyped(user, rng)}@{domain}"
    for at in some(len(who), rates.email_personal_theirs, rng):
        name = plain_letters(school.called[who[at]] or school.first[who[at]]).lower().replace(" ", "")
        emails[at] = f"{name}{school.born[who[at]]:%y}@post.example.com"
    for at in some(len(who), rates.email_of_parent_theirs, rng):
        emails[at] = school.parent_email[who[at]]
    for at in some(len(who), rates.email_of_sibling_theirs, rng):
        emails[at] = school.own_email[_another(families[school.family[who[at]]], rng)]
    for at in some(len(who), rates.email_of_lookalike_theirs, rng):
        emails[at] = school.own_email[_another(alike[_user(school.own_email[who[at]])], rng)]
    for at in some(len(who), rates.email_of_anyone_theirs, rng):
        emails[at] = school.own_email[int(rng.integers(len(school)))]
    change(emails, 0.05, rng, lambda email: f" {email.title()} ")
    for at in some(len(who), rates.email_missing_theirs, rng):
        emails[at] = None
    return emails


def _user(email: str) -> str:
    """The part before the at sign, without the number that tells namesakes apart."""
    return email.partition("@")[0].rstrip("0123456789")


def _alike(school: Children) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for child, email in enumerate(school.own_email):
        found.setdefault(_user(email), []).append(child)
    return found


def _numbers_of_theirs(
    school: Children, who: Sequence[int], rates: Rates, rng: np.random.Generator
) -> list[str | None]:
    numbers: list[str | None] = [school.number[child] for child in who]
    families = school.siblings()
    for at in some(len(who), rates.number_mistyped_theirs, rng):
        digits = list(school.number[who[at]])
        digits[int(rng.integers(len(digits)))] = str(rng.integers(10))
        numbers[at] = "".join(digits)
    for at in some(len(who), rates.number_of_sibling_theirs, rng):
        numbers[at] = school.number[_another(families[school.family[who[at]]], rng)]
    for at in some(len(who), rates.number_of_anyone_theirs, rng):
        numbers[at] = school.number[int(rng.integers(len(school)))]
    for at in some(len(who), rates.number_missing_theirs, rng):
        numbers[at] = None
    return numbers
