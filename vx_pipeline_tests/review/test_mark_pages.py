"""Answering questions about marks, as a visitor without a script."""

from datetime import UTC, date, datetime, timedelta

import httpx
import pytest

from vx_pipeline.journal import Journal
from vx_pipeline.journal.audit import audit_trail
from vx_pipeline.journal.mark_answers import answer_questions
from vx_pipeline.journal.mark_questions import Answer, open_questions
from vx_pipeline.review.access import AccessSettings, hash_password
from vx_pipeline_tests.review.asked import (
    DAY,
    NOBODY_KNOWS,
    hostile_question,
    question,
    record_questions,
    school_questions,
)
from vx_pipeline_tests.review.conftest import Visitors
from vx_pipeline_tests.review.planned import HOSTILE
from vx_pipeline_tests.review.school import SCHOOL, record_school
from vx_pipeline_tests.review.test_pages import ELSEWHERE, INLINE
from vx_pipeline_tests.review.test_plan_pages import visible
from vx_pipeline_tests.review.visitor import Visitor, forms

MARKS = "attendance/marks"
KEEP, USE = Answer.KEEP_THEIRS, Answer.USE_OURS


def ask(visitor: Visitor, answer: Answer, *, tick: str = "all", **changes: str | None) -> httpx.Response:
    """From the page, with boxes ticked by a link, to the page that asks."""
    return visitor.send(visitor.get(MARKS, tick=tick), "/marks/confirm", answer=answer.value, **changes)


def send(asked: httpx.Response, visitor: Visitor, **changes: str | None) -> httpx.Response:
    """Sends the page that asks, with a name."""
    told: dict[str, str | None] = {"name": "Maria Keller", **changes}
    return visitor.send(asked, "/marks/answer", **told)


def answers(journal: Journal, school: str = SCHOOL) -> dict[int, Answer]:
    """By question, what stands."""
    return {one.number: one.answer for one in open_questions(journal, school) if one.answer}


def say(journal: Journal, numbers: list[int], answer: Answer, actor: str = "Theo Lund") -> None:
    answer_questions(
        journal,
        SCHOOL,
        numbers,
        answer=answer,
        actor=actor,
        via="shell",
        first=date.min,
        at=datetime.now(UTC),
    )


def test_where_nothing_waits_the_page_says_so(visitor: Visitor) -> None:
    page = visitor.get(MARKS)
    assert page.status_code == 200
    assert "Nothing waits No mark needs anybody's word" in visible(page)
    assert not any("/marks/" in form.action for form in forms(page))
    for path in ("", "attendance", "queue"):
        assert "waits for you" not in visible(visitor.get(path)).replace("cases wait", "")
        assert "marks wait" not in visible(visitor.get(path))


def test_each_question_tells_who_where_what_theirs_is_and_what_ours_is_and_why(
    journal: Journal, visitor: Visitor
) -> None:
    record_questions(journal)
    page = visitor.get(MARKS)
    text = visible(page)
    assert "8 marks wait for you" in text
    conflicts, held = text.index("A person marked the row"), text.index("Too many at once")
    assert conflicts < text.index("Jonathan Smith Veracross 101 Algebra II Tue 24 Nov, 08:00 to 08:45") < held
    assert f'href="/{SCHOOL}/person/veracross/101"' in page.text
    assert "Absent - Unexcused Note: not seen A teacher has marked the row." in text
    assert (
        "Last changed Tue 24 Nov 2026, 10:20 . Veracross does not say by whom; the class's teacher is" in text
    )
    assert "is Olive Trask" in text
    assert "A person changed the row since we first saw it. Veracross does not say by whom." in text
    assert "Absent - Excused Note: not seen [via Orah] Cause: Town" in text
    assert "Cause: a class roll" in text
    assert "stays Absent - Unexcused" in text
    assert "becomes Absent - Excused" in text
    assert "vx push --from 2026-11-23" in text


def test_held_rows_stand_by_day_and_cause_and_one_that_goes_back_says_so(
    journal: Journal, visitor: Visitor
) -> None:
    record_questions(journal)
    page = visitor.get(MARKS)
    text = visible(page)
    assert "Too many at once: Tue 24 Nov, Town 4 rows" in text
    assert "Too many at once: Mon 23 Nov, a movement 1 row" in text
    back = text[text.index("Too many at once: Mon 23 Nov, Orah no longer says so 1 row") :]
    assert f"Veracross {NOBODY_KNOWS} Class 8905 Mon 23 Nov, block 1" in back
    assert f"/person/veracross/{NOBODY_KNOWS}" not in page.text
    assert "no mark without the note" in back
    assert "becomes no mark" in back
    assert "More than 100 marks would have been written within an hour" in text


def test_every_page_tells_how_many_nobody_has_answered(journal: Journal, visitor: Visitor) -> None:
    numbers = record_questions(journal)
    assert "Attendance 8 marks wait" in visible(visitor.get("queue"))
    for path in ("", "attendance"):
        assert "8 marks wait for you A person marked the row" in visible(visitor.get(path))
    say(journal, numbers[:7], KEEP)
    assert "Attendance 1 mark waits" in visible(visitor.get("queue"))
    say(journal, numbers[7:], USE)
    assert "mark waits" not in visible(visitor.get("attendance"))


def test_the_school_that_was_never_matched_is_told_of_marks_too(journal: Journal, visitors: Visitors) -> None:
    record_questions(journal)
    text = visible(visitors().get(""))
    assert "Nothing to review yet" in text
    assert "8 marks wait for you" in text


def test_ticked_rows_are_kept_after_a_page_that_says_what_that_does(
    journal: Journal, visitor: Visitor
) -> None:
    numbers = record_questions(journal)
    asked = ask(visitor, KEEP, tick="conflicts")
    text = visible(asked)
    assert "Keep theirs in 2 rows?" in text
    assert "Nothing is written to Veracross" in text
    assert (
        "Jonathan Smith Veracross 101 Algebra II, Tue 24 Nov, 08:00 to 08:45 Stays Absent - Unexcused" in text
    )
    assert "Dornley" not in text
    assert answers(journal) == {}
    after = send(asked, visitor)
    assert after.url.path == f"/{SCHOOL}/{MARKS}"
    assert "2 rows stay as they are: nothing is written to Veracross" in visible(after)
    assert answers(journal) == dict.fromkeys(numbers[:2], KEEP)
    assert {one.actor for one in open_questions(journal, SCHOOL) if one.answer} == {"Maria Keller"}


def test_one_row_is_answered_by_its_own_link(journal: Journal, visitor: Visitor) -> None:
    numbers = record_questions(journal)
    asked = visitor.follow(visitor.get(MARKS), "Use ours")
    text = visible(asked)
    assert "Use ours in 1 row?" in text
    assert "Absent - Unexcused → becomes Absent - Excused (Town)" in text
    assert "Its note then: not seen [via Orah]" in text
    after = visible(send(asked, visitor))
    assert "1 row by Orah's word: written within a minute where the sensors are on" in after
    assert "vx push --from 2026-11-24 does it now" in after
    assert answers(journal) == {numbers[0]: USE}


def test_a_group_is_answered_by_one_link(journal: Journal, visitor: Visitor) -> None:
    numbers = record_questions(journal)
    asked = visitor.follow(visitor.get(MARKS), "Use ours in all 4")
    assert "Use ours in 4 rows?" in visible(asked)
    send(asked, visitor)
    assert answers(journal) == dict.fromkeys(numbers[2:6], USE)
    assert "Use ours in all" not in visible(visitor.get(MARKS))


def test_what_joined_a_group_meanwhile_is_not_answered_unseen(journal: Journal, visitor: Visitor) -> None:
    numbers = record_questions(journal)
    asked = visitor.follow(visitor.get(MARKS), "Use ours in all 4")
    record_questions(journal, [question(50, 20_020, "Present", "Absent - Excused", kind="budget")])
    send(asked, visitor)
    assert answers(journal) == dict.fromkeys(numbers[2:6], USE)


def test_an_answer_is_shown_with_who_and_when_and_can_be_changed_until_a_push_takes_it_in(
    journal: Journal, visitor: Visitor
) -> None:
    numbers = record_questions(journal)
    say(journal, numbers[:1], USE)
    text = visible(visitor.get(MARKS))
    shown = text[text.index("Answered, and not taken in yet 1 row") :]
    assert "Jonathan Smith" in shown
    assert "Use ours Theo Lund, just now ; the next push takes it in" in shown
    asked = visitor.follow(visitor.get(MARKS), "Rather keep theirs")
    assert "So far: becomes Absent - Excused, by Theo Lund." in visible(asked)
    send(asked, visitor)
    assert answers(journal) == {numbers[0]: KEEP}


def test_ticking_all_leaves_out_what_is_answered(journal: Journal, visitor: Visitor) -> None:
    numbers = record_questions(journal)
    say(journal, numbers[:1], KEEP)
    asked = ask(visitor, USE)
    assert "Use ours in 7 rows?" in visible(asked)
    send(asked, visitor)
    assert answers(journal) == {numbers[0]: KEEP, **dict.fromkeys(numbers[1:], USE)}


def test_nothing_is_ticked_at_first_and_without_a_tick_nobody_is_asked(
    journal: Journal, visitor: Visitor
) -> None:
    record_questions(journal)
    page = ask(visitor, KEEP, tick="")
    assert page.url.path == f"/{SCHOOL}/{MARKS}"
    assert "Nothing was ticked" in page.text


def test_a_name_is_asked_for_once(journal: Journal, visitor: Visitor) -> None:
    record_questions(journal)
    asked = ask(visitor, KEEP, tick="conflicts")
    assert "Your name" in asked.text
    again = send(asked, visitor, name=" ")
    assert again.status_code == 422
    assert "Please tell your name" in again.text
    assert answers(journal) == {}
    send(again, visitor)
    assert "Your name" not in ask(visitor, USE, tick="all").text


def test_who_logged_in_is_who_answers(journal: Journal, visitors: Visitors) -> None:
    record_school(journal)
    record_questions(journal)
    visitor = visitors(access=AccessSettings(users={"rosa": hash_password("a long and quiet word")}))
    login = visitor.client.get(f"/{SCHOOL}/{MARKS}")
    assert "Jonathan" not in login.text
    visitor.send(login, "/login", name="rosa", password="a long and quiet word")
    send(ask(visitor, KEEP, tick="conflicts"), visitor, name="Somebody Else")
    assert {one.actor for one in open_questions(journal, SCHOOL) if one.answer} == {"rosa"}


@pytest.mark.parametrize("asking", [True, False])
def test_a_question_that_a_push_closed_meanwhile_is_told_kindly(
    journal: Journal, visitor: Visitor, asking: bool
) -> None:
    numbers = record_questions(journal)
    page = visitor.get(MARKS, tick="all")
    confirm = visitor.send(page, "/marks/confirm", answer=KEEP.value)
    # The first row says something else by now, and the second has come to an end.
    record_questions(journal, [question(1, 101, "Late", "Absent - Excused")], covered=[2])
    told = visitor.send(page, "/marks/confirm", answer=KEEP.value) if asking else send(confirm, visitor)
    assert told.status_code == 409
    assert "Some of these are not open any more" in told.text
    assert "A push has looked again" in told.text
    assert answers(journal) == {}
    now = visitor.follow(told, "See it as it is now")
    assert "7 marks wait for you" in visible(now)
    assert all(number not in answers(journal) for number in numbers)


def test_a_group_that_was_closed_meanwhile_is_told_kindly(journal: Journal, visitor: Visitor) -> None:
    record_questions(journal)
    page = visitor.get(MARKS)
    record_questions(journal, [], covered=[10, 11, 12, 13])
    told = visitor.follow(page, "Use ours in all 4")
    assert told.status_code == 409
    assert "not open any more" in told.text


def test_two_people_at_once(journal: Journal, visitors: Visitors) -> None:
    record_school(journal)
    numbers = record_questions(journal)
    one, two = visitors(), visitors()
    asked = [ask(visitor, KEEP, tick="conflicts") for visitor in (one, two)]
    send(asked[0], one)
    late = send(asked[1], two, answer=USE.value)
    assert late.status_code == 409
    assert "Maria Keller answered one of them meanwhile" in late.text
    assert "theirs is kept: stays Absent - Unexcused" in visible(late)
    assert answers(journal) == dict.fromkeys(numbers[:2], KEEP)


@pytest.mark.parametrize(
    "changes",
    [
        {"answer": "perhaps"},
        {"answer": ""},
        {"seen": None},
        {"seen": "x"},
        {"question": "1 or 2"},
        {"question": "²"},
        {"question": "9" * 30},
        {"like": "x"},
    ],
)
def test_a_form_that_makes_no_sense_changes_nothing(
    journal: Journal, visitor: Visitor, changes: dict[str, str | None]
) -> None:
    record_questions(journal)
    asked = ask(visitor, USE)
    assert send(asked, visitor, **changes).status_code == 400
    assert answers(journal) == {}


def test_without_the_token_nothing_is_recorded(journal: Journal, visitor: Visitor) -> None:
    record_questions(journal)
    assert ask(visitor, KEEP, csrf="wrong").status_code == 403
    assert send(ask(visitor, KEEP), visitor, csrf=None).status_code == 403
    assert answers(journal) == {}


def test_another_schools_questions_are_not_there(journal: Journal, visitors: Visitors) -> None:
    record_school(journal)
    other = record_questions(journal, school="lakeside")
    record_questions(journal, school_questions()[:1])
    visitor = visitors(schools=[SCHOOL, "lakeside"])
    assert "1 mark waits for you" in visible(visitor.get(MARKS))
    assert "8 marks wait for you" in visible(visitor.client.get(f"/lakeside/{MARKS}"))
    asked = ask(visitor, USE)
    assert send(asked, visitor, question=str(other[0])).status_code == 409
    assert answers(journal, "lakeside") == {}


def test_hostile_texts_stay_text(journal: Journal, visitor: Visitor) -> None:
    numbers = record_questions(journal, [hostile_question()])
    say(journal, numbers, KEEP, actor=HOSTILE)
    asked = visitor.follow(visitor.get(MARKS), "Rather use ours")
    after = send(asked, visitor, name=HOSTILE)
    for page in (asked, after, visitor.get(MARKS)):
        assert page.status_code == 200
        assert "<script>alert" not in page.text
        assert not ELSEWHERE.search(page.text)
        assert not INLINE.search(page.text)
    assert "&lt;script&gt;" in after.text


def test_the_audit_tells_who_looked_and_who_answered_by_numbers_alone(
    journal: Journal, visitor: Visitor
) -> None:
    first, second, *_ = record_questions(journal)
    send(ask(visitor, KEEP, tick="conflicts"), visitor)
    trail = [(view.action, view.subject) for view in audit_trail(journal, SCHOOL)]
    assert ("view", "marks") in trail
    assert ("view", f"keep_theirs marks {first}, {second}, to be confirmed") in trail
    assert ("keep_theirs", f"marks {first}, {second}") in trail
    told = " ".join(subject for _, subject in trail)
    assert "Jonathan" not in told
    assert "Algebra" not in told


def test_a_thousand_held_rows_can_be_answered_at_once(journal: Journal, visitor: Visitor) -> None:
    rows = [question(n, 30_000 + n, "Present", "Absent - Excused", kind="budget") for n in range(1, 1001)]
    record_questions(journal, rows)
    asked = visitor.follow(visitor.get(MARKS), "Use ours in all 1,000")
    assert "1,000 rows by Orah's word" in visible(send(asked, visitor))
    assert len(answers(journal)) == 1000
    assert all(one.question.place.attendance_date == DAY for one in open_questions(journal, SCHOOL))


def test_kept_rows_are_listed_and_may_still_become_what_orah_says(journal: Journal, visitor: Visitor) -> None:
    today = datetime.now(UTC).date()
    asked = [
        question(row, 101, "Late", "Absent - Excused", day=today - timedelta(days=days))
        for row, days in ((1, 0), (2, 9))
    ]
    numbers = record_questions(journal, asked)
    say(journal, numbers, KEEP)
    record_questions(journal, [], covered=[1, 2])
    page = visitor.get(MARKS)
    text = visible(page)
    # The other's day lies before the edit window.
    assert "Nothing waits" in text
    assert "Kept as they are 1 row" in text
    for told in ("Stays Late and not, by Orah: Absent - Excused (Town)", "Theo Lund", "Rather use ours"):
        assert told in text
    link = next(one for one in page.text.split('href="') if "answer=use_ours" in one).split('"')[0]
    confirm = visitor.client.get(link.replace("&amp;", "&"))
    assert "Use ours in 1 row?" in visible(confirm)
    # Somebody else thinks again in the same moment.
    say(journal, numbers[:1], USE, "Rosa Quill")
    stopped = send(confirm, visitor)
    assert (stopped.status_code, "Rosa Quill answered this meanwhile" in visible(stopped)) == (409, True)
    assert answers(journal) == {numbers[0]: USE}
    assert "Kept as they are" not in visible(visitor.get(MARKS))


def test_only_ours_may_be_chosen_for_a_kept_row(journal: Journal, visitor: Visitor) -> None:
    numbers = record_questions(journal, [question(1, 101, "Late", "Present", day=datetime.now(UTC).date())])
    say(journal, numbers, KEEP)
    record_questions(journal, [], covered=[1])
    seen = {"question": str(numbers[0]), "seen": "99"}
    assert visitor.get(f"{MARKS}/confirm", answer="keep_theirs", **seen).status_code == 409
    confirm = visitor.get(f"{MARKS}/confirm", answer="use_ours", **seen)
    assert send(confirm, visitor).status_code == 200
    assert answers(journal) == {numbers[0]: USE}
