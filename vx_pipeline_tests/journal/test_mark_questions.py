"""Questions about marks: opened once, closed when nothing is left to ask; an answer counts for what was seen."""

import multiprocessing
import random
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from multiprocessing.synchronize import Barrier
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text

from vx_pipeline.errors import VxError
from vx_pipeline.journal import Journal, open_journal
from vx_pipeline.journal.mark_answers import answer_questions, standing_answer
from vx_pipeline.journal.mark_questions import (
    Answer,
    Question,
    answered_days,
    ask,
    close_days_before,
    open_questions,
)
from vx_pipeline.journal.mark_tables import mark_answers, mark_questions
from vx_pipeline.journal.marks import Mark, Place, last_mark, record_mark

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
DAY = date(2026, 11, 23)
NORTH = "north"
PRESENT, ABSENT, LATE = "1", "2", "3"
CAUSE = "absent|movement|Town"


def question(
    row: int = 9,
    theirs: str | None = LATE,
    ours: str | None = ABSENT,
    *,
    kind: Any = "conflict",
    notes: str | None = None,
    day: date = DAY,
) -> Question:
    return Question(
        kind=kind,
        place=Place(student_id=row + 1, orah_id=row + 2, class_id=40, attendance_date=day, block_id="4"),
        theirs=Mark(row, theirs, notes, ours=False),
        ours=Mark(row, ours, "[via Orah]", ours=True),
        changed_at=NOW - timedelta(hours=1),
        told={"theirs": "Late", "ours": "Absent"},
        reason="a teacher has marked the row",
    )


def asked(
    journal: Journal, *questions: Question, covered: tuple[int, ...] = (9,), **values: Any
) -> list[int]:
    return ask(journal, values.get("school", NORTH), questions, covered=covered, at=values.get("at", NOW))


def answer(
    journal: Journal, word: Answer, *numbers: int, school: str = NORTH, actor: str = "R. Quill"
) -> int:
    return answer_questions(journal, school, numbers, answer=word, actor=actor, via="page", first=DAY, at=NOW)


def standing(journal: Journal, seen: Question, *, school: str = NORTH) -> Answer | None:
    word = standing_answer(journal, school, seen.theirs, seen.ours, cause=seen.cause or CAUSE)
    return word.answer if word else None


def closed(journal: Journal) -> dict[int, str | None]:
    query = select(mark_questions.c.number, mark_questions.c.closed_as)
    with journal.begin() as connection:
        return {row.number: row.closed_as for row in connection.execute(query)}


# --- asking


def test_a_question_is_opened_once_and_kept(journal: Journal) -> None:
    (number,) = asked(journal, question())
    later = NOW + timedelta(minutes=5)
    assert asked(journal, question(), at=later) == []
    (found,) = open_questions(journal, NORTH)
    assert found.question == question()
    assert (found.number, found.opened_at, found.seen_at) == (number, NOW, later)
    assert (found.answer, found.answer_number, found.actor, found.answered_at) == (None, None, None, None)


@pytest.mark.parametrize(
    "other",
    [
        question(theirs=PRESENT),
        question(theirs=None),
        question(notes="spoke to her"),
        question(ours=LATE),
        question(kind="budget"),
    ],
)
def test_another_question_about_the_row_takes_the_place_of_the_first(
    journal: Journal, other: Question
) -> None:
    (first,) = asked(journal, question())
    (second,) = asked(journal, other)
    assert [one.number for one in open_questions(journal, NORTH)] == [second]
    assert closed(journal) == {first: "replaced", second: None}


def test_what_does_not_change_what_was_seen_is_the_same_question(journal: Journal) -> None:
    asked(journal, question())
    later = replace(question(), changed_at=NOW, reason="another", told={})
    assert asked(journal, replace(later, ours=replace(later.ours, notes="x [via Orah]"))) == []


def test_a_question_is_settled_when_its_row_is_looked_at_and_nothing_is_asked(journal: Journal) -> None:
    first, other = asked(journal, question(), question(10), covered=(9, 10))
    asked(journal)
    assert closed(journal) == {first: "settled", other: None}
    (again,) = asked(journal, question())
    assert again not in (first, other)


def test_rows_that_were_not_looked_at_keep_their_questions(journal: Journal) -> None:
    (number,) = asked(journal, question())
    asked(journal, covered=(8, 10))
    assert closed(journal) == {number: None}


def test_newest_days_come_first_then_classes_and_students(journal: Journal) -> None:
    before = DAY - timedelta(days=1)
    asked(journal, question(12), question(11), question(13, day=before), covered=())
    assert [one.question.theirs.attendance_id for one in open_questions(journal, NORTH)] == [11, 12, 13]


def test_questions_about_days_outside_every_window_are_closed(journal: Journal) -> None:
    old, edge = asked(journal, question(day=DAY - timedelta(days=1)), question(10), covered=())
    close_days_before(journal, "south", DAY, at=NOW)
    assert closed(journal) == {old: None, edge: None}
    close_days_before(journal, NORTH, DAY, at=NOW)
    assert closed(journal) == {old: "expired", edge: None}
    with pytest.raises(VxError, match="not open any more"):
        answer(journal, Answer.USE_OURS, old)


# --- answering


def test_an_answer_names_who_gave_it_and_closes_with_the_next_push(journal: Journal) -> None:
    (number,) = asked(journal, question())
    assert standing(journal, question()) is None
    assert answer(journal, Answer.KEEP_THEIRS, number, number, actor=" R. Quill ") == 1
    (found,) = open_questions(journal, NORTH)
    assert (found.answer, found.actor, found.answered_at) == (Answer.KEEP_THEIRS, "R. Quill", NOW)
    assert answered_days(journal, NORTH) == {DAY: ((11, found.answer_number),)}
    asked(journal)
    assert closed(journal) == {number: "answered"}
    assert answered_days(journal, NORTH) == {}


def test_keep_theirs_stands_against_the_same_word_whatever_the_row_says(journal: Journal) -> None:
    (number,) = asked(journal, question())
    answer(journal, Answer.KEEP_THEIRS, number)
    asked(journal)
    for theirs in (LATE, PRESENT, None):
        for notes in (None, "spoke to her"):
            assert standing(journal, question(theirs=theirs, notes=notes)) is Answer.KEEP_THEIRS
    assert standing(journal, question(ours=LATE)) is None
    assert standing(journal, question(ours=None)) is None
    assert standing(journal, question(10)) is None


def test_use_ours_is_for_what_was_seen_and_for_once(journal: Journal) -> None:
    (number,) = asked(journal, question(notes="spoke to her"))
    answer(journal, Answer.USE_OURS, number)
    assert standing(journal, question(notes="spoke to her")) is Answer.USE_OURS
    for other in (
        question(),
        question(theirs=PRESENT, notes="spoke to her"),
        question(ours=LATE, notes="spoke to her"),
        question(10, notes="spoke to her"),
    ):
        assert standing(journal, other) is None
    asked(journal)  # the push that wrote it
    assert standing(journal, question(notes="spoke to her")) is None


def test_use_ours_is_gone_with_the_question_that_a_newer_edit_replaced(journal: Journal) -> None:
    (first,) = asked(journal, question())
    answer(journal, Answer.USE_OURS, first)
    asked(journal, question(theirs=PRESENT))
    asked(journal, question())
    assert standing(journal, question()) is None


def test_the_newest_answer_counts(journal: Journal) -> None:
    (number,) = asked(journal, question())
    answer(journal, Answer.KEEP_THEIRS, number)
    answer(journal, Answer.USE_OURS, number)
    assert standing(journal, question()) is Answer.USE_OURS
    answer(journal, Answer.KEEP_THEIRS, number)
    assert standing(journal, question()) is Answer.KEEP_THEIRS
    assert [one.answer for one in open_questions(journal, NORTH)] == [Answer.KEEP_THEIRS]


def test_the_answer_to_a_later_question_counts(journal: Journal) -> None:
    (first,) = asked(journal, question())
    answer(journal, Answer.USE_OURS, first)
    asked(journal)
    (second,) = asked(journal, question(theirs=PRESENT))
    answer(journal, Answer.KEEP_THEIRS, second)
    asked(journal)
    assert standing(journal, question()) is Answer.KEEP_THEIRS
    assert standing(journal, question(theirs=PRESENT)) is Answer.KEEP_THEIRS


def test_a_word_that_empties_the_row_is_a_word_too(journal: Journal) -> None:
    goes_back = question(theirs=ABSENT, ours=None, kind="budget")
    (number,) = asked(journal, goes_back)
    answer(journal, Answer.KEEP_THEIRS, number)
    assert standing(journal, goes_back) is Answer.KEEP_THEIRS
    assert standing(journal, question(theirs=ABSENT, ours=LATE)) is None


@pytest.mark.parametrize("actor", ["", "  "])
def test_nobody_is_not_a_person(journal: Journal, actor: str) -> None:
    (number,) = asked(journal, question())
    with pytest.raises(VxError, match="named person"):
        answer(journal, Answer.USE_OURS, number, actor=actor)
    assert standing(journal, question()) is None


def test_of_several_answers_all_are_recorded_or_none(journal: Journal) -> None:
    first, second = asked(journal, question(), question(10), covered=())
    asked(journal, covered=(10,))
    with pytest.raises(VxError, match=rf"Question {second} is not open"):
        answer(journal, Answer.USE_OURS, first, second)
    assert standing(journal, question()) is None
    assert answer(journal, Answer.USE_OURS) == 0
    assert answer(journal, Answer.USE_OURS, first) == 1


def test_what_a_person_may_read_stays_out_of_errors_and_logs() -> None:
    assert "Late" not in repr(question())


# --- schools


def test_schools_are_apart(journal: Journal) -> None:
    (north,) = asked(journal, question())
    (south,) = asked(journal, question(), school="south")
    with pytest.raises(VxError, match="not open"):
        answer(journal, Answer.USE_OURS, north, school="south")
    answer(journal, Answer.KEEP_THEIRS, south, school="south")
    assert standing(journal, question()) is None
    assert answered_days(journal, NORTH) == {}
    asked(journal, school="south")
    assert [one.number for one in open_questions(journal, NORTH)] == [north]
    assert open_questions(journal, "south") == []


# --- whatever happens


steps = st.lists(
    st.one_of(
        st.builds(
            lambda row, theirs, ours: ("ask", question(row, theirs, ours)),
            st.integers(8, 9),
            st.sampled_from([None, PRESENT, LATE]),
            st.sampled_from([ABSENT, None]),
        ),
        st.tuples(st.just("settle"), st.integers(8, 9)),
        st.tuples(st.sampled_from(Answer), st.integers(8, 9)),
    ),
    max_size=12,
)


@settings(max_examples=40, deadline=None)
@given(steps)
def test_a_row_has_one_open_question_at_most_and_its_answer_is_the_newest(
    taken: list[tuple[Any, Any]],
) -> None:
    with TemporaryDirectory() as folder:
        journal = open_journal(Path(folder))
        expected: dict[int, tuple[Question, Answer | None]] = {}
        kept: dict[tuple[int, str | None], Answer] = {}
        for step, told in taken:
            if step == "ask":
                row = told.theirs.attendance_id
                asked(journal, told, covered=(row,))
                if row not in expected or expected[row][0] != told:
                    expected[row] = (told, None)
            elif step == "settle":
                asked(journal, covered=(told,))
                expected.pop(told, None)
            elif told in expected:
                numbers = [
                    one.number
                    for one in open_questions(journal, NORTH)
                    if one.question.theirs.attendance_id == told
                ]
                answer(journal, step, *numbers)
                expected[told] = (expected[told][0], step)
                kept[told, expected[told][0].ours.status] = step
        found = {
            one.question.theirs.attendance_id: (one.question, one.answer)
            for one in open_questions(journal, NORTH)
        }
        assert found == expected
        for (row, ours), word in kept.items():
            for theirs in (None, PRESENT, LATE):
                seen = question(row, theirs, ours)
                is_open = expected.get(row) == (seen, Answer.USE_OURS)
                may_stand = word is Answer.KEEP_THEIRS or is_open
                assert standing(journal, seen) is (word if may_stand else None)
        journal.close()


# --- two processes


_PROCESSES = multiprocessing.get_context("spawn")
ROUNDS = 20


def contend(home: Path, seed: int, barrier: Barrier, results: Any) -> None:
    """Asks and answers the same questions as the other process, at the same moment."""
    chance = random.Random(seed)
    barrier.wait(60)
    journal = open_journal(home)
    refused = 0
    for _ in range(ROUNDS):
        barrier.wait(60)
        asked(journal, question(theirs=chance.choice([LATE, PRESENT])), covered=(9,))
        numbers = [one.number for one in open_questions(journal, NORTH)]
        try:
            answer(journal, chance.choice(list(Answer)), *numbers)
        except VxError:
            refused += 1  # the other process has replaced it meanwhile
    results.put(refused)
    journal.close()


def test_two_processes_leave_one_open_question_and_answer_open_ones_alone(tmp_path: Path) -> None:
    barrier, results = _PROCESSES.Barrier(2), _PROCESSES.Queue()
    running = [_PROCESSES.Process(target=contend, args=(tmp_path, seed, barrier, results)) for seed in (1, 2)]
    for process in running:
        process.start()
    refused = sum(results.get(timeout=120) for _ in running)
    for process in running:
        process.join(30)
    assert [process.exitcode for process in running] == [0, 0]
    journal = open_journal(tmp_path)
    assert len(open_questions(journal, NORTH)) == 1
    with journal.begin() as connection:
        opened = connection.execute(select(mark_questions.c.number)).scalars().all()
        words = connection.execute(select(mark_answers.c.question)).scalars().all()
    assert len(words) == 2 * ROUNDS - refused
    assert set(words) <= set(opened)
    journal.close()


# --- causes, and journals of earlier versions


def test_an_answer_counts_for_its_cause_alone(journal: Journal) -> None:
    town, nurse = (replace(question(), cause=f"absent|movement|{name}") for name in ("Town", "Health Centre"))
    (first,) = asked(journal, town)
    answer(journal, Answer.KEEP_THEIRS, first)
    assert (standing(journal, town), standing(journal, nurse)) == (Answer.KEEP_THEIRS, None)
    (second,) = asked(journal, nurse)
    assert closed(journal) == {first: "answered", second: None}
    answer(journal, Answer.USE_OURS, second)
    assert (standing(journal, town), standing(journal, nurse)) == (Answer.KEEP_THEIRS, Answer.USE_OURS)


def test_what_an_earlier_version_asked_and_noted_goes_on(tmp_path: Path) -> None:
    journal = open_journal(tmp_path)
    (number,) = asked(journal, question())
    record_mark(journal, NORTH, Mark(9, PRESENT, None, ours=False), at=NOW)
    with journal.begin() as connection:
        connection.execute(text("ALTER TABLE mark_questions DROP COLUMN cause"))
        connection.execute(text("ALTER TABLE marks DROP COLUMN chosen"))
    journal.close()
    journal = open_journal(tmp_path)
    # The same question, whatever its cause is called now: nobody is asked a second time.
    now_asked = replace(question(), cause=CAUSE)
    assert asked(journal, now_asked) == []
    answer(journal, Answer.KEEP_THEIRS, number)
    assert standing(journal, now_asked) is Answer.KEEP_THEIRS
    base = last_mark(journal, NORTH, 9)
    assert (base, base and base.chosen) == (Mark(9, PRESENT, None, ours=False), False)
    journal.close()


def test_a_question_of_an_earlier_version_takes_the_cause_for_which_it_is_asked_again(tmp_path: Path) -> None:
    journal = open_journal(tmp_path)
    number, *_ = asked(journal, question())
    assert asked(journal, replace(question(), cause=CAUSE)) == []
    (found,) = open_questions(journal, NORTH)
    assert (found.number, found.question.cause) == (number, CAUSE)
    answer(journal, Answer.KEEP_THEIRS, number)
    asked(journal)
    other = "absent|roll|Not seen|Unexcused"
    assert standing(journal, replace(question(), cause=CAUSE)) is Answer.KEEP_THEIRS
    assert standing(journal, replace(question(), cause=other)) is None
    journal.close()
