"""What waits: a case vanishes with its answer, comes back with an undo, and goes to the end when it is put off."""

import pytest

from vx_pipeline.journal import Journal
from vx_pipeline.journal.decisions import Answer, Decision, Entity, Kind, decide_many, undo
from vx_pipeline.journal.open_cases import open_case, open_cases
from vx_pipeline_tests.journal.people import AFTER, BEFORE, NOW, case, decided, record


def ids(journal: Journal, **filters: object) -> list[str]:
    found = open_cases(journal, "north", **filters)  # type: ignore[arg-type]
    return [one.case.case_id for one in found.cases]


def take_back(journal: Journal, decision: Decision) -> None:
    undo(journal, school="north", number=decision.number, note="", actor="a", via="page", at=AFTER)


@pytest.mark.parametrize(
    ("kind", "orah_id"),
    [(Kind.SAME, 501), (Kind.SAME, 999), (Kind.NEW, None), (Kind.MERGE, 501), (Kind.UNLINK, 501)],
)
def test_an_answered_case_is_not_open_until_the_answer_is_taken_back(
    journal: Journal, kind: Kind, orah_id: int | None
) -> None:
    record(journal, case(81, (501, 502)), case(82, (503,)))
    made = decided(journal, kind, 81, orah_id)
    assert ids(journal) == ["student-v82"]
    assert open_case(journal, "north", "student-v81") is None
    take_back(journal, made)
    assert ids(journal) == ["student-v81", "student-v82"]
    assert open_case(journal, "north", "student-v81") is not None


def test_what_the_run_knew_already_does_not_answer_its_question(journal: Journal) -> None:
    decided(journal, Kind.SAME, 81, 501, at=BEFORE)
    record(journal, case(81, (501,), kind="reopened", orah_id=501))
    assert ids(journal) == ["student-v81"]
    decided(journal, Kind.SAME, 81, 501, at=NOW)
    assert ids(journal) == []


def test_decisions_are_after_a_run_by_their_number_whatever_the_clocks_say(journal: Journal) -> None:
    first = decided(journal, Kind.SAME, 81, 501, at=AFTER)
    # Made while the run was at work, by a clock that is behind.
    decided(journal, Kind.SAME, 82, 502, at=BEFORE)
    record(
        journal,
        case(81, (501,), kind="reopened", orah_id=501),
        case(82, (502,)),
        newest_decision=first.number,
    )
    assert ids(journal) == ["student-v81"]


def test_a_case_is_open_until_its_last_candidate_is_refused(journal: Journal) -> None:
    record(journal, case(81, (501, 502)))
    decided(journal, Kind.NEVER, 81, 501)
    (waiting,) = open_cases(journal, "north").cases
    assert waiting.refused == {501}
    last = decided(journal, Kind.NEVER, 81, 502)
    assert ids(journal) == []
    take_back(journal, last)
    assert ids(journal) == ["student-v81"]


def test_a_refusal_that_the_run_knew_counts_with_a_fresh_one_only(journal: Journal) -> None:
    decided(journal, Kind.NEVER, 81, 501, at=BEFORE)
    record(journal, case(81, (501,)), case(82, ()))
    assert ids(journal) == ["student-v81", "student-v82"]
    decided(journal, Kind.NEVER, 82, 777)
    assert ids(journal) == ["student-v81", "student-v82"]


def test_a_contested_link_is_a_candidate_itself(journal: Journal) -> None:
    record(journal, case(81, (502,), kind="contested", orah_id=501))
    decided(journal, Kind.NEVER, 81, 502)
    assert ids(journal) == ["student-v81"]
    decided(journal, Kind.NEVER, 81, 501)
    assert ids(journal) == []


def test_a_record_without_anyone_is_answered_by_whoever_takes_it(journal: Journal) -> None:
    record(journal, case(None, (), kind="orphan", orah_id=501))
    decided(journal, Kind.NEVER, 81, 501)
    assert ids(journal) == ["student-o501"]
    decided(journal, Kind.SAME, 82, 501)
    assert ids(journal) == []


def test_the_same_ids_of_another_kind_of_record_are_others(journal: Journal) -> None:
    record(journal, case(81))
    decided(journal, Kind.NEW, 81, entity=Entity.HOUSE)
    (south,) = decide_many(
        journal, [Answer(Entity.STUDENT, Kind.NEW, 81)], school="south", actor="a", via="page", at=AFTER
    )
    assert south.school == "south"
    assert ids(journal) == ["student-v81"]


def test_who_is_put_off_comes_last_and_is_marked(journal: Journal) -> None:
    record(journal, case(81, score=30.0), case(82, score=20.0), case(None, (), orah_id=501))
    decided(journal, Kind.LATER, 81)
    decided(journal, Kind.LATER, None, 501)
    found = open_cases(journal, "north")
    assert [(one.case.case_id, one.later is not None) for one in found.cases] == [
        ("student-v82", False),
        ("student-v81", True),
        ("student-o501", True),
    ]
    assert (found.total, found.put_off) == (3, 2)
    assert ids(journal, put_off=True) == ["student-v81", "student-o501"]
    assert ids(journal, put_off=False) == ["student-v82"]


def test_waiting_outlasts_a_run_but_not_an_answer(journal: Journal) -> None:
    decided(journal, Kind.LATER, 81, at=BEFORE)
    record(journal, case(81))
    assert ids(journal, put_off=True) == ["student-v81"]
    decided(journal, Kind.SAME, 81, 501, at=BEFORE)
    record(journal, case(81, kind="contested", orah_id=501))
    assert ids(journal, put_off=False) == ["student-v81"]


def test_a_candidate_that_somebody_else_took_is_marked(journal: Journal) -> None:
    record(journal, case(81, (501, 502)), case(82, (501,)))
    decided(journal, Kind.SAME, 82, 501)
    waiting = open_case(journal, "north", "student-v81")
    assert waiting is not None
    assert waiting.taken == {501}
    assert not waiting.refused


def test_counts_say_what_each_filter_would_show(journal: Journal) -> None:
    record(
        journal,
        case(81, house="Oak", grade="Grade 9"),
        case(82, house="Oak", grade="Grade 10"),
        case(83, house="Birch", grade="Grade 9", pattern="same name"),
        case(84, house=None, grade="Grade 9"),
    )
    decided(journal, Kind.NEW, 84)
    found = open_cases(journal, "north", house="Oak")
    assert found.total == 2
    assert found.counts["house"] == {"Oak": 2, "Birch": 1}
    assert found.counts["grade"] == {"Grade 9": 1, "Grade 10": 1}
    assert found.counts["pattern"] == {}
    assert open_cases(journal, "north", grade="Grade 9", pattern="same name").total == 1
    assert open_cases(journal, "south").total == 0


def test_a_thousand_cases_are_read_page_by_page(journal: Journal) -> None:
    record(journal, *(case(number, score=float(number % 7)) for number in range(1, 1001)))
    for number in range(1, 101):
        decided(journal, Kind.NEW, number)
    pages = [open_cases(journal, "north", offset=offset) for offset in range(0, 900, 50)]
    assert {page.total for page in pages} == {900}
    shown = [one.case for page in pages for one in page.cases]
    assert len({one.case_id for one in shown}) == len(shown) == 900
    assert shown == sorted(shown, key=lambda one: (-one.score, one.case_id))
    assert open_cases(journal, "north", offset=900).cases == ()
