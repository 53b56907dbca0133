"""What people decided comes before any evidence, is asked again when the people changed, and can be undone."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import duckdb
import pytest

from vx_pipeline.journal import Journal
from vx_pipeline.journal.cases import ORAH, VERACROSS, Case, Person, seen_fields
from vx_pipeline.journal.decisions import Decision, Entity, Kind, decide, standing, undo
from vx_pipeline.matching.match import match_houses, match_students
from vx_pipeline.matching.picture import Picture, take_picture
from vx_pipeline.matching.rulings import read_rulings
from vx_pipeline.policies import Policies
from vx_pipeline.sync.wanted import wanted_fields
from vx_pipeline.warehouse.connection import transaction
from vx_pipeline_tests.world import READ_AT, build_roster, land_rows, rows, school

AMY = {
    "id": 1,
    "first_name": "Amelia",
    "preferred_name": "Amy",
    "last_name": "Stone",
    "email_1": "as@s.example.edu",
}
TOM = {"id": 2, "first_name": "Thomas", "last_name": "Reed", "email_1": "tr@s.example.edu"}
HER_RECORD = {"id": 501, "first_name": "Amy", "last_name": "Stone", "email": "as@s.example.edu"}
NAMELESS = {"id": 502, "first_name": "Zoe", "last_name": "Quill"}


class School:
    """A warehouse and a journal, matched as a run does it."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, journal: Journal) -> None:
        self.connection = connection
        self.journal = journal
        self.picture: Picture

    def match(self, now: datetime = READ_AT) -> dict[int, tuple[int, str]]:
        """Matches with the standing decisions, and takes the picture; the links by Veracross id."""
        build_roster(self.connection)
        with transaction(self.connection):
            rulings = read_rulings(self.journal, "one", Entity.STUDENT)
            match_students(self.connection, now=now, rulings=rulings)
            match_houses(self.connection, read_rulings(self.journal, "one", Entity.HOUSE))
            self.picture = take_picture(
                self.connection,
                school="one",
                run_id="run",
                standing=standing(self.journal, "one"),
                wanted=wanted_fields(self.connection, Policies()),
                days_away={},
                ask_about_new=False,
            )
        links = rows(self.connection, "FROM matching.student_links")
        return {link["veracross_id"]: (link["orah_id"], link["rule"]) for link in links}

    def decide(
        self, kind: Kind, ours: int | None, theirs: int | None, entity: Entity = Entity.STUDENT
    ) -> Decision:
        """As the review page does it: with what is seen of both."""
        return decide(
            self.journal,
            school="one",
            entity=entity,
            kind=kind,
            veracross_id=ours,
            orah_id=theirs,
            note="",
            actor="registrar",
            via="page",
            at=READ_AT + timedelta(minutes=1),
            seen=seen_fields(self.person(VERACROSS, ours, entity), self.person(ORAH, theirs, entity)),
        )

    def person(self, system: str, number: int | None, entity: Entity = Entity.STUDENT) -> Person | None:
        """Somebody in the picture."""
        key = (system, entity, number)
        found = [one for one in self.picture.people if (one.system, one.entity, one.person_id) == key]
        return found[0] if found else None

    def cases(self) -> dict[str, Case]:
        """The questions by their ids."""
        return {case.case_id: case for case in self.picture.cases}

    def queue(self) -> set[tuple[int | None, int | None]]:
        """Who waits, with whom."""
        return {
            (row["veracross_id"], row["orah_id"])
            for row in rows(self.connection, "FROM matching.review_queue")
        }


@pytest.fixture
def one(connection: duckdb.DuckDBPyConnection, journal: Journal) -> School:
    school(connection, students=[AMY, TOM], orah_students=[HER_RECORD, NAMELESS])
    made = School(connection, journal)
    assert made.match() == {1: (501, "email")}
    return made


def land_students(one: School, *students: Mapping[str, Any]) -> None:
    land_rows(one.connection, "students", *students)


def land_records(one: School, *records: Mapping[str, Any]) -> None:
    land_rows(one.connection, "orah.students", *records)


def test_a_decision_links_whom_no_evidence_would(one: School) -> None:
    one.decide(Kind.SAME, 2, 502)
    assert one.match() == {1: (501, "email"), 2: (502, "decision")}


def test_a_decision_takes_a_record_from_the_evidence(one: School) -> None:
    """Amy's own e-mail is on the record; a person knows better, and nobody is linked twice."""
    one.decide(Kind.SAME, 2, 501)
    assert one.match() == {2: (501, "decision")}


@pytest.mark.parametrize("kind", [Kind.NEVER, Kind.UNLINK, Kind.MERGE])
def test_a_refused_pair_is_not_linked_by_a_perfect_score(one: School, kind: Kind) -> None:
    land_records(one, {**HER_RECORD, "sis_id": "1"}, NAMELESS)
    assert one.match() == {1: (501, "sis_id")}
    one.decide(kind, 1, 501)
    assert one.match() == {}
    assert (1, 501) not in one.queue()


def test_somebody_new_waits_no_more(one: School) -> None:
    namesake = {"id": 3, "first_name": "Zoe", "last_name": "Quill"}
    land_students(one, AMY, TOM, namesake)
    one.match()
    assert (3, 502) in one.queue()
    one.decide(Kind.NEW, 3, None)
    assert one.match() == {1: (501, "email")}
    assert {ours for ours, _ in one.queue()} == {2, None}


def test_a_record_to_be_merged_is_not_asked_about_again(one: School) -> None:
    assert "student-o502" in one.cases()
    one.decide(Kind.MERGE, 1, 502)
    assert one.match() == {1: (501, "email")}
    assert "student-o502" not in one.cases()


def test_what_was_undone_is_not_believed_for_the_trace_it_left(one: School) -> None:
    """The link wrote the student's id into the record. After the undo that id proves nothing."""
    first = one.decide(Kind.SAME, 2, 502)
    one.match()
    land_records(one, HER_RECORD, {**NAMELESS, "sis_id": "2", "first_name": "Thomas", "last_name": "Reed"})
    assert one.match()[2] == (502, "decision")
    undo(
        one.journal, school="one", number=first.number, note="", actor="registrar", via="page",
        at=READ_AT + timedelta(minutes=2),
    )  # fmt: skip
    assert one.match() == {1: (501, "email")}
    assert one.cases()["student-v2"].reason == "A person took this link back."


def test_a_decision_stands_when_a_name_changes_and_is_asked_again(one: School) -> None:
    one.decide(Kind.SAME, 2, 502)
    one.match()
    assert "student-v2" not in one.cases()
    land_students(one, AMY, {**TOM, "first_name": "Theodora"})
    assert one.match()[2] == (502, "decision")
    case = one.cases()["student-v2"]
    assert (case.kind, case.orah_id) == ("reopened", 502)
    assert case.reason == "The first name changed since somebody decided."
    one.decide(Kind.SAME, 2, 502)
    one.match()
    assert "student-v2" not in one.cases()


def test_what_the_sync_writes_into_orah_reopens_nothing(one: School) -> None:
    one.decide(Kind.SAME, 2, 502)
    land_records(one, HER_RECORD, {**NAMELESS, "first_name": "Thomas", "last_name": "Reed", "sis_id": "2"})
    one.match()
    assert "student-v2" not in one.cases()


def test_what_somebody_else_writes_into_orah_does(one: School) -> None:
    one.decide(Kind.SAME, 2, 502)
    land_records(one, HER_RECORD, {**NAMELESS, "last_name": "Xu"})
    one.match()
    assert one.cases()["student-v2"].kind == "reopened"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"sis_id": "2"}, "the linked record in Orah carries another sis_id now"),
        (
            {"first_name": "Karl", "last_name": "Berg", "email": None},
            "the names of the linked records have nothing in common",
        ),
    ],
)  # fmt: skip
def test_a_link_that_is_contradicted_stays_and_opens_a_case(
    one: School, change: dict[str, Any], reason: str
) -> None:
    land_records(one, {**HER_RECORD, **change}, NAMELESS)
    assert one.match()[1][0] == 501
    case = one.cases()["student-v1"]
    assert (case.kind, case.orah_id, case.reason) == ("contested", 501, f"{reason[0].upper()}{reason[1:]}.")
    one.decide(Kind.SAME, 1, 501)
    assert one.match()[1] == (501, "decision")
    assert "student-v1" not in one.cases()


def test_swapped_ids_contest_both_links(one: School) -> None:
    his = {"id": 503, "first_name": "Thomas", "last_name": "Reed", "sis_id": "2"}
    land_records(one, {**HER_RECORD, "sis_id": "1"}, his)
    assert one.match() == {1: (501, "sis_id"), 2: (503, "sis_id")}
    land_records(one, {**HER_RECORD, "sis_id": "2"}, {**his, "sis_id": "1"})
    assert {ours: theirs for ours, (theirs, _) in one.match().items()} == {1: 501, 2: 503}
    assert {one.cases()[case].kind for case in ("student-v1", "student-v2")} == {"contested"}


def test_the_evidence_of_every_link_and_candidate_adds_up(one: School) -> None:
    land_students(one, AMY, TOM, {"id": 4, "first_name": "Zoey", "last_name": "Quill"})
    one.match()
    told = [
        (candidate.score, candidate.evidence) for case in one.picture.cases for candidate in case.candidates
    ] + [(person.score, person.evidence) for person in one.picture.people if person.evidence]
    assert len(told) >= 2
    for score, evidence in told:
        assert evidence[-1].total == pytest.approx(score)
        assert sum(row.bits for row in evidence) == pytest.approx(score)


def test_twins_and_siblings_are_shown_as_such(one: School) -> None:
    born = {"birthday": "2011-04-05", "household_id": 77, "last_name": "Quill"}
    zoe = {"id": 4, "first_name": "Zoe", **born}
    twin = {"id": 5, "first_name": "Beth", **born}
    brother = {
        "id": 6,
        "first_name": "Carl",
        "last_name": "Hill",
        "household_id": 77,
        "birthday": "2013-01-02",
    }
    land_students(one, AMY, TOM, zoe, twin, brother)
    one.match()
    relatives = {(one.person_id, one.relation) for one in one.cases()["student-v4"].relatives}
    assert relatives == {(5, "twin"), (6, "sibling")}


def test_a_house_is_decided_about_in_the_same_way(one: School) -> None:
    dorm = {"id": 70, "description": "Elm"}
    school(
        one.connection,
        dorms=[dorm],
        orah_houses=[{"id": 9, "name": "Elm", "sis_id": "999"}, {"id": 10, "name": "Oak"}],
    )
    one.match()
    case = one.cases()["house-v70"]
    assert [candidate.orah_id for candidate in case.candidates] == [9]
    one.decide(Kind.SAME, 70, 10, Entity.HOUSE)
    one.match()
    links = rows(one.connection, "SELECT dorm_id, orah_id, rule FROM matching.house_links")
    assert links == [{"dorm_id": 70, "orah_id": 10, "rule": "decision"}]
    assert "house-v70" not in one.cases()


def test_a_new_person_keeps_the_record_that_was_made(one: School) -> None:
    """The decision is about the records that there were; the one that followed is linked, and stays linked."""
    one.decide(Kind.NEW, 2, None)
    one.match()
    made = {"id": 600, "first_name": "Thomas", "last_name": "Reed", "sis_id": "2"}
    later = READ_AT + timedelta(hours=1)
    land_rows(one.connection, "orah.students", HER_RECORD, NAMELESS, made, read_at=later)
    assert one.match(now=later)[2] == (600, "sis_id")
    land_rows(one.connection, "orah.students", HER_RECORD, NAMELESS, {**made, "sis_id": None}, read_at=later)
    assert one.match(now=later)[2][0] == 600


def test_a_new_person_is_not_linked_to_a_record_that_was_there(one: School) -> None:
    namesake = {"id": 3, "first_name": "Zoe", "last_name": "Quill", "email_1": "zq@s.example.edu"}
    land_students(one, AMY, TOM, namesake)
    one.match()
    one.decide(Kind.NEW, 3, None)
    land_records(one, HER_RECORD, {**NAMELESS, "email": "zq@s.example.edu"})
    assert 3 not in one.match()


def test_a_record_of_nobody_in_veracross_is_never_linked(one: School) -> None:
    one.decide(Kind.NEW, None, 502)
    land_records(one, HER_RECORD, {**NAMELESS, "first_name": "Thomas", "last_name": "Reed", "sis_id": "2"})
    assert one.match() == {1: (501, "email")}
    one.decide(Kind.NEW, None, 501)
    assert one.match() == {}


def test_a_record_to_be_merged_stays_a_rival(one: School) -> None:
    """Two students of one name, and a second record of the first: nothing says that it is the other's."""
    land_students(
        one,
        AMY,
        TOM,
        {"id": 3, "first_name": "Zoe", "last_name": "Quill"},
        {"id": 4, "first_name": "Zoe", "last_name": "Quill"},
    )
    one.decide(Kind.MERGE, 3, 502)
    assert one.match() == {1: (501, "email")}


def test_after_a_refusal_nobody_is_made_unasked(one: School) -> None:
    namesake = {"id": 3, "first_name": "Zoe", "last_name": "Quill"}
    land_students(one, AMY, TOM, namesake)
    one.match()
    one.decide(Kind.NEVER, 3, 502)
    one.match()
    assert one.cases()["student-v3"].reason == "Every candidate was refused; is this somebody new."


def test_two_decisions_about_one_student_are_asked_again_as_one(one: School) -> None:
    one.decide(Kind.NEVER, 2, 501)
    one.decide(Kind.SAME, 2, 502)
    land_students(one, AMY, {**TOM, "first_name": "Theodora"})
    one.match()
    case = one.cases()["student-v2"]
    assert (case.kind, [candidate.orah_id for candidate in case.candidates]) == ("reopened", [502, 501])


@pytest.mark.parametrize(
    "record",
    [
        {"first_name": "Beth", "last_name": "Stone", "year_level": "12th Grade"},
        {"first_name": "Amelia", "last_name": "Kowalczyk", "year_level": "12th Grade"},
        {"first_name": "Amelia", "last_name": "Stone", "sis_id": "0.6"},
    ],
)
def test_a_sis_id_on_somebody_else_is_not_believed(one: School, record: dict[str, Any]) -> None:
    student = {"id": 7, "first_name": "Amelia", "last_name": "Stone", "grade_level": 9}
    land_students(one, TOM, student)
    land_records(one, NAMELESS, {"id": 700, "sis_id": "7", **record})
    assert 7 not in one.match()
    assert (7, 700) in one.queue()


def test_a_student_whose_record_was_taken_is_asked_about(one: School) -> None:
    one.decide(Kind.SAME, 2, 501)
    assert one.match() == {2: (501, "decision")}
    assert (1, 501) in one.queue()


def test_a_house_that_was_made_for_a_new_dorm_is_the_dorms(one: School) -> None:
    school(
        one.connection,
        dorms=[{"id": 70, "description": "Elm"}],
        orah_houses=[{"id": 9, "name": "Elm", "sis_id": "999"}],
    )
    one.match()
    one.decide(Kind.NEW, 70, None, Entity.HOUSE)
    one.match()
    later = READ_AT + timedelta(hours=1)
    land_rows(
        one.connection,
        "orah.houses",
        {"id": 9, "name": "Elm", "sis_id": "999"},
        {"id": 10, "name": "Elm", "sis_id": "70"},
        read_at=later,
    )
    one.match()
    links = rows(one.connection, "SELECT dorm_id, orah_id, rule FROM matching.house_links")
    assert links == [{"dorm_id": 70, "orah_id": 10, "rule": "sis_id"}]


def test_a_house_without_a_name_spoils_nothing(one: School) -> None:
    school(one.connection, orah_houses=[{"id": 9, "name": None}])
    one.match()


def test_an_address_stays_a_parents_when_a_read_comes_without_the_parent(one: School) -> None:
    mother = {"id": 90, "first_name": "Una", "last_name": "Berg", "email_1": "ub@s.example.org"}
    child = {"id": 8, "first_name": "Alexandra", "last_name": "Berg", "email_1": "ub@s.example.org"}
    record = {"id": 800, "first_name": "Alexander", "last_name": "Berg", "email": "ub@s.example.org"}
    other = {"id": 91, "first_name": "Ida", "last_name": "Moss"}
    school(one.connection, parents=[mother, other], students=[TOM, child], orah_students=[NAMELESS, record])
    assert 8 not in one.match()
    land_rows(one.connection, "parents", other, read_at=READ_AT + timedelta(hours=1))
    assert 8 not in one.match()
