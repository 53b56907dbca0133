"""Everything that looks like one person and may be two: it ends with a person, as a review or a conflict.

Nothing here may link, and nothing may vanish: each record of a trap is shown with the candidate that it looks like.
The last ones are about ids and decisions, and go through the whole matching of a school's students.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import duckdb
import pandas as pd
import pytest

from benchmarks.matching.adapter import match
from benchmarks.matching.pool import Pool, frame
from vx_pipeline.matching.match import match_students
from vx_pipeline.matching.rulings import Rulings
from vx_pipeline.warehouse.connection import transaction
from vx_pipeline_tests.world import READ_AT, build_roster, rows, school

Person = dict[str, Any]

BORN = date(2010, 5, 17)
AMY: Person = {
    "first_name": "Amelia",
    "last_name": "Thornbury",
    "birth_date": BORN,
    "sex": "F",
    "grade": "10",
    "email": "athornbury@s.example.edu",
    "postcode": "02138",
    "street": "14 Orchard Lane",
}
SURNAMES = (
    "Okafor", "Lindqvist", "Marchetti", "Dubois", "Nakamura", "Petrov", "Kowalczyk", "Fernandes", "Haddad", "Novak",
    "Jansen", "Moreau", "Castellano", "Weber", "Osman", "Rahman", "Iyer", "Tanaka", "Byrne", "Larsen",
)  # fmt: skip
FIRST_NAMES = ("Ruth", "Oscar", "Ines", "Viktor", "Leila", "Hugo", "Petra", "Samir", "Nora", "Felix")


def crowd(begin: int) -> list[Person]:
    """Sixty students with nothing in common with anybody but the school's mail domain, the same in both systems."""
    return [
        {
            "person_id": begin + number,
            "first_name": FIRST_NAMES[number % 10],
            "last_name": f"{SURNAMES[number % 20]}{'abc'[number // 20]}",
            "birth_date": date(2008, 1, 2) + timedelta(days=37 * number),
            "sex": "FM"[number % 2],
            "grade": str(6 + number % 7),
            "email": f"student{number}@s.example.edu",
        }
        for number in range(60)
    ]


def without(person: Person, *fields: str, **changes: Any) -> Person:
    return {name: value for name, value in {**person, **changes}.items() if name not in fields}


def decide(ours: Sequence[Person], theirs: Sequence[Person], **policy: bool) -> pd.DataFrame:
    """What becomes of a few people in a school; ours have ids from 1, theirs from 501."""
    both = [
        frame([*({"person_id": first + at, **one} for at, one in enumerate(people)), *others])
        for first, people, others in ((1, ours, crowd(100)), (501, theirs, crowd(900)))
    ]
    nobody = pd.DataFrame({"our_id": [], "their_id": []})
    (outcomes,) = match([Pool("trap", both[0], both[1], nobody)], threads=1, **policy).outcomes
    others = outcomes[outcomes["our_id"] >= 100]
    assert len(others) == 60
    assert set(others["outcome"]) == {"link"}
    return outcomes[~(outcomes["our_id"] >= 100)]


def pairs(outcomes: pd.DataFrame, *kinds: str) -> set[tuple[int, int]]:
    chosen = outcomes[outcomes["outcome"].isin(kinds)].dropna(subset=["our_id", "their_id"])
    return {(int(one), int(two)) for one, two in zip(chosen["our_id"], chosen["their_id"], strict=True)}


def ends_with_a_person(
    ours: Sequence[Person],
    theirs: Sequence[Person],
    shown: set[tuple[int, int]] | None = None,
    **policy: bool,
) -> pd.DataFrame:
    """Nobody is linked, and each pair in ``shown`` is put before a person with the reason."""
    outcomes = decide(ours, theirs, **policy)
    assert pairs(outcomes, "link") == set()
    assert (shown or {(1, 501)}) <= pairs(outcomes, "review", "conflict")
    asked = outcomes[outcomes["outcome"] != "link"]
    assert asked["why"].notna().all()
    return outcomes


def test_without_a_trap_the_same_people_are_linked() -> None:
    """The traps below differ from this in one thing each."""
    sister = without(
        AMY, first_name="Beatrice", birth_date=date(2012, 3, 3), email="bt@s.example.edu", grade="8"
    )
    assert pairs(decide([AMY, sister], [AMY, sister]), "link") == {(1, 501), (2, 502)}
    assert pairs(decide([without(AMY, "email", "street", "postcode")], [AMY]), "link") == {(1, 501)}


MARI = without(AMY, "email", first_name="Mari")
MARA = without(AMY, "email", first_name="Mara")
ALL_FOUR = {(1, 501), (1, 502), (2, 501), (2, 502)}


def test_twins_with_similar_names() -> None:
    ends_with_a_person([MARI, MARA], [MARI, MARA], {(1, 501), (2, 502)})


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("Alex", "Alexandra"),
        ("Heidi", "Heide"),
        ("Jessie", "Jessica"),
        ("Zi Han", "Zi Hang"),
        ("Bill", "Will"),
    ],
)
def test_twins_one_of_whom_goes_by_what_could_be_the_others_name(one: str, two: str) -> None:
    twins = [without(AMY, "email", first_name=name) for name in (one, two)]
    ends_with_a_person(twins, twins, {(1, 501), (2, 502)})


def test_twins_with_different_names_are_never_crossed() -> None:
    """Both first names mistyped: what is left points to either twin."""
    ours = [without(AMY, "email", first_name=name) for name in ("Nina", "Lena")]
    theirs = [without(AMY, "email", first_name=name) for name in ("Nena", "Lina")]
    ends_with_a_person(ours, theirs, ALL_FOUR)


def test_a_twin_is_missing_in_orah() -> None:
    ends_with_a_person([MARI, MARA], [MARA], {(1, 501), (2, 501)})


def test_a_twin_is_missing_in_veracross() -> None:
    ends_with_a_person([MARA], [MARI, MARA], {(1, 501), (1, 502)})


def test_each_system_has_the_other_twin() -> None:
    """Nothing shows that there are two of them: same family, address, birth date, year level and sex."""
    ends_with_a_person([MARI], [MARA])
    ends_with_a_person([without(MARI, first_name="Theodora")], [without(MARI, first_name="Philippa")])


def test_each_system_has_the_other_twin_with_an_address_of_the_school() -> None:
    outcomes = ends_with_a_person(
        [without(MARI, email="mari@s.example.edu")], [without(MARA, email="mara@s.example.edu")]
    )
    assert set(outcomes["outcome"]) == {"conflict"}


def test_a_siblings_birth_date_was_copied() -> None:
    """Beatrice has Amelia's birth date in Orah, and Amelia is not there."""
    sister = without(AMY, "email", first_name="Beatrice", birth_date=date(2012, 3, 3), grade="8")
    copied = without(sister, "postcode", "street", birth_date=BORN)
    ends_with_a_person([without(AMY, "email"), sister], [copied], {(2, 501)})


def test_a_siblings_birth_date_was_copied_onto_a_similar_name() -> None:
    brother = without(AMY, "email", first_name="Emil", birth_date=date(2012, 3, 3), grade="8", sex="M")
    copied = without(brother, "sex", "grade", birth_date=BORN, first_name="Emilia")
    ends_with_a_person([without(AMY, "email", first_name="Emily"), brother], [copied], {(1, 501)})


def test_same_name_and_same_birth_date_twice_in_both_systems() -> None:
    plain = without(AMY, "email", "street", "postcode")
    ends_with_a_person([plain, plain], [plain, plain], ALL_FOUR)


@pytest.mark.parametrize("field", ["grade", "sex", "street", "middle_name"])
def test_same_name_and_same_birth_date_twice_and_one_field_that_would_tell(field: str) -> None:
    """A single weak field does not choose between two children of one name and birth date."""
    plain = without(AMY, "email", "street", "postcode", "sex", "grade")
    told = {
        "grade": ("10", "9"),
        "sex": ("F", "M"),
        "street": ("1 Hill Road", "2 Mill Way"),
        "middle_name": ("A", "B"),
    }
    one, two = ({**plain, field: value} for value in told[field])
    ends_with_a_person([one, two], [one], {(1, 501)})


def test_a_double_inside_veracross() -> None:
    again = without(AMY, "email", "birth_date", "street", "postcode")
    ends_with_a_person([AMY, again], [without(AMY, "email")], {(1, 501), (2, 501)})


def test_a_double_inside_orah() -> None:
    again = without(AMY, "email", "birth_date", "street", "postcode")
    ends_with_a_person([without(AMY, "email")], [AMY, again], {(1, 501), (1, 502)})


def test_a_double_with_the_preferred_name() -> None:
    legal = without(AMY, "email", first_name="Amelia", other_name="Millie")
    ends_with_a_person(
        [legal], [without(AMY, "email"), without(AMY, "email", first_name="Millie")], {(1, 501), (1, 502)}
    )


def test_an_email_that_is_a_parents() -> None:
    """The address is known as a mother's; the first name of the record is the other child's."""
    brother = without(AMY, first_name="Benedict", birth_date=date(2012, 3, 3), sex="M", grade="8")
    mothers = {"email": "mother@post.example.org", "family_email": True}
    record = {"first_name": "Milly", "last_name": "Thornbury", **mothers}
    ends_with_a_person([{**AMY, **mothers}, brother], [record])


def test_an_email_that_siblings_share() -> None:
    """Nobody knows whose it is, but two children have it."""
    shared = {"email": "thornburys@post.example.org"}
    brother = without(AMY, first_name="Benedict", birth_date=date(2012, 3, 3), sex="M", grade="8", **shared)
    record = {"first_name": "Ben", "last_name": "Thornbury", **shared}
    ends_with_a_person([{**AMY, **shared}, brother], [record], {(2, 501)})


def test_a_siblings_email_was_typed_in() -> None:
    sister = without(
        AMY, first_name="Beatrice", birth_date=date(2012, 3, 3), email="bt@s.example.edu", grade="8"
    )
    record = without(sister, "birth_date", "street", "postcode", email=AMY["email"])
    ends_with_a_person([AMY, sister], [record], {(1, 501), (2, 501)})


def test_a_siblings_email_was_typed_in_and_the_child_is_not_in_veracross() -> None:
    record = {"first_name": "Beatrice", "last_name": "Thornbury", "email": AMY["email"]}
    outcomes = ends_with_a_person([AMY], [record])
    assert set(outcomes["outcome"]) == {"conflict"}


def test_the_email_of_another_child_with_nearly_the_same_address() -> None:
    """A namesake got the address without the number."""
    namesake = without(AMY, birth_date=date(2014, 8, 30), grade="6", email="athornbury2@s.example.edu")
    record = without(namesake, "street", "postcode", email=AMY["email"])
    ends_with_a_person([AMY, namesake], [record], {(1, 501), (2, 501)})


@pytest.mark.parametrize("day", [date(2000, 1, 1), date(1900, 1, 1)])
def test_a_birth_date_that_stands_for_none(day: date) -> None:
    plain = without(AMY, "email", "street", "postcode", "grade", birth_date=day)
    ends_with_a_person([plain], [plain])


def test_a_birth_date_that_half_the_school_has() -> None:
    day = date(2009, 9, 9)
    plain = without(AMY, "email", "street", "postcode", "grade", birth_date=day)
    others = [
        without(plain, first_name=name, last_name=f"{name}son")
        for name in ("Ada", "Bo", "Cy", "Di", "Ed", "Flo")
    ]
    many = [without(one, last_name=f"{one['last_name']}{at}") for at in range(3) for one in others]
    ends_with_a_person([plain, *many], [plain, *many], {(1, 501)})


@pytest.mark.parametrize("missing", [(), ("birth_date",)])
def test_year_levels_three_apart(missing: tuple[str, ...]) -> None:
    ours = without(AMY, "email", *missing)
    outcomes = ends_with_a_person([ours], [{**ours, "grade": "7"}])
    assert set(outcomes["outcome"]) == {"conflict"}


@pytest.mark.parametrize("suffixes", [(" Jr", " Sr"), ("", " Jr."), (" III", " II")])
def test_senior_and_junior(suffixes: tuple[str, str]) -> None:
    """The father, a boarder of long ago, got his son's birth date."""
    ours, theirs = (without(AMY, "email", last_name=f"Thornbury{suffix}") for suffix in suffixes)
    ends_with_a_person([ours], [theirs])


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (("Suhartono", None), ("Suhartono", None)),
        ((None, "Suhartono"), (None, "Suhartono")),
        (("Suhartono", None), (None, "Suhartono")),
        (("Suhartono", "Suhartono"), ("Suhartono", None)),
        (("Suhartono", "-"), ("Suhartono", ".")),
    ],
)  # fmt: skip
def test_one_name_only(ours: tuple[str | None, str | None], theirs: tuple[str | None, str | None]) -> None:
    people = [
        without(AMY, "email", "street", "postcode", first_name=first, last_name=last)
        for first, last in (ours, theirs)
    ]
    ends_with_a_person(people[:1], people[1:])


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (("Xiaoming", "Li"), ("小明", "李")),
        (("Xiao Ming", "Li"), ("李小明", None)),
        (("Min-jun", "Kim"), ("민준", "김")),
        (("Yuki", "Tanaka"), ("由紀", "田中")),
        (("Anna", "Ivanova"), ("Анна", "Иванова")),
        (("Layla", "Haddad"), ("ليلى", "حداد")),
        (("Somchai", "Jaidee"), ("สมชาย", "ใจดี")),
    ],
)  # fmt: skip
def test_a_name_in_another_script(ours: tuple[str, str], theirs: tuple[str, str | None]) -> None:
    """Reading characters aloud is a guess: many are read alike."""
    people = [
        without(AMY, "email", "street", "postcode", first_name=first, last_name=last)
        for first, last in (ours, theirs)
    ]
    ends_with_a_person(people[:1], people[1:])


@pytest.mark.parametrize("first_name", ["Unknown", "Student", None, "-", "Baby"])
def test_a_first_name_that_is_none(first_name: str | None) -> None:
    ours = without(AMY, "email")
    ends_with_a_person([ours], [{**ours, "first_name": first_name}])


def test_a_name_alone() -> None:
    plain = {"first_name": "Amelia", "last_name": "Thornbury"}
    ends_with_a_person([plain], [plain])


def test_the_same_name_and_year_level_alone_unless_the_school_says_so() -> None:
    plain = {"first_name": "Amelia", "last_name": "Thornbury", "grade": "10"}
    ends_with_a_person([plain], [plain])
    assert pairs(decide([plain], [plain], same_name_and_year=True), "link") == {(1, 501)}


@pytest.mark.parametrize("missing", ["ours", "theirs"])
def test_two_of_one_name_and_year_level_even_if_the_school_says_so(missing: str) -> None:
    plain = {"first_name": "Amelia", "last_name": "Thornbury", "grade": "10"}
    two = [plain, plain]
    sides = (two, [plain]) if missing == "theirs" else ([plain], two)
    ends_with_a_person(*sides, same_name_and_year=True)


def test_a_recycled_email_of_the_school() -> None:
    """A leaver's address was given to a newcomer with the same initial and surname."""
    leaver = without(AMY, "street", "postcode", first_name="Aurora", birth_date=date(2005, 2, 2), grade="12")
    ends_with_a_person([AMY], [leaver])


@pytest.mark.parametrize("missing", ["ours", "theirs", "neither"])
def test_a_twins_email(missing: str) -> None:
    """Each twin, as the other system knows them, but for the address: it was typed in, or given on to the other."""
    one = without(AMY, first_name="Theodora", email="theodora.thornbury@s.example.edu")
    two = without(AMY, first_name="Philippa", email="theodora.thornbury@s.example.edu")
    twin = without(AMY, "email", first_name="Theodora")
    ours = [two, twin] if missing != "ours" else [two]
    theirs = [one, without(two, "email")] if missing == "neither" else [one]
    outcomes = decide(ours, theirs)
    assert (1, 501) not in pairs(outcomes, "link")
    assert (1, 501) in pairs(outcomes, "review", "conflict")


def test_brothers_of_one_name_one_with_the_others_birth_date() -> None:
    """In Orah the younger has the elder's birth date, and the elder no usable name."""
    elder = without(AMY, "email", first_name="Devin", sex="M")
    younger = {**elder, "birth_date": date(2013, 4, 18), "grade": "7"}
    theirs = [without(elder, "grade"), without(elder, "grade", first_name="Unknown")]
    ends_with_a_person([elder, younger], theirs, {(1, 501), (1, 502)})


IN_VERACROSS = {
    "id": 1,
    "first_name": "Amelia",
    "last_name": "Thornbury",
    "email_1": "athornbury@s.example.edu",
}
BROTHER = {"id": 2, "first_name": "Benedict", "last_name": "Thornbury", "email_1": "bthornbury@s.example.edu"}
HIS_RECORD = {"id": 502, "first_name": "Benedict", "last_name": "Thornbury"}
HER_RECORD = {"id": 501, "first_name": "Amelia", "last_name": "Thornbury"}


def asked(connection: duckdb.DuckDBPyConnection, **rulings: Any) -> set[tuple[int | None, int | None]]:
    """Matches a school in which nobody may be linked; whom a person is asked about."""
    build_roster(connection)
    with transaction(connection):
        match_students(connection, now=READ_AT, rulings=Rulings(**rulings))
    assert rows(connection, "FROM matching.student_links") == []
    queue = rows(connection, "FROM matching.review_queue")
    assert all(row["reason"] for row in queue)
    return {(row["veracross_id"], row["orah_id"]) for row in queue}


def test_swapped_ids(connection: duckdb.DuckDBPyConnection) -> None:
    records = [{**HER_RECORD, "sis_id": "2"}, {**HIS_RECORD, "sis_id": "1"}]
    school(connection, students=[IN_VERACROSS, BROTHER], orah_students=records)
    assert {(1, 501), (1, 502), (2, 501), (2, 502)} <= asked(connection)


def test_swapped_ids_and_the_own_email_on_the_record(connection: duckdb.DuckDBPyConnection) -> None:
    records = [
        {**HER_RECORD, "sis_id": "2", "email": "athornbury@s.example.edu"},
        {**HIS_RECORD, "sis_id": "1", "email": "bthornbury@s.example.edu"},
    ]
    school(connection, students=[IN_VERACROSS, BROTHER], orah_students=records)
    assert {(1, 501), (1, 502), (2, 501), (2, 502)} <= asked(connection)


def test_a_recycled_sis_id(connection: duckdb.DuckDBPyConnection) -> None:
    """A record of long ago carries the number that a newcomer has now."""
    leaver = {"id": 503, "first_name": "Gustav", "last_name": "Lindqvist", "sis_id": "1"}
    school(connection, students=[IN_VERACROSS, BROTHER], orah_students=[leaver])
    assert (1, 503) in asked(connection)


def test_a_recycled_sis_id_beside_the_own_record(connection: duckdb.DuckDBPyConnection) -> None:
    """The newcomer has a record too, so far without a number, with the own e-mail."""
    leaver = {"id": 503, "first_name": "Gustav", "last_name": "Lindqvist", "sis_id": "1"}
    own = {**HER_RECORD, "email": "athornbury@s.example.edu"}
    school(connection, students=[IN_VERACROSS], orah_students=[leaver, own])
    assert {(1, 501), (1, 503)} <= asked(connection)


def test_a_sis_id_on_two_records(connection: duckdb.DuckDBPyConnection) -> None:
    records = [{**HER_RECORD, "sis_id": "1"}, {**HER_RECORD, "id": 503, "sis_id": "1"}]
    school(connection, students=[IN_VERACROSS], orah_students=records)
    assert {(1, 501), (1, 503)} <= asked(connection)


def test_never_the_same_with_a_perfect_score(connection: duckdb.DuckDBPyConnection) -> None:
    """Neither is forgotten: the student waits for another record, the record for another student."""
    perfect = {**HER_RECORD, "sis_id": "1", "email": "athornbury@s.example.edu"}
    school(connection, students=[IN_VERACROSS], orah_students=[perfect])
    assert asked(connection, refused=frozenset({(1, 501)})) == {(1, None), (None, 501)}
