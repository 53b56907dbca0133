"""Looking at plans, and answering what the gate held, as a visitor without a script."""

import html
import re
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from vx_pipeline.journal import Journal
from vx_pipeline.journal.approvals import Answer, answer_held, standing_answers
from vx_pipeline.journal.audit import audit_trail
from vx_pipeline.journal.plans import PlanRow, StoredPlan
from vx_pipeline.review.access import AccessSettings, hash_password
from vx_pipeline_tests.review.conftest import Visitors
from vx_pipeline_tests.review.planned import (
    HOSTILE,
    HOUSE_EMPTIED,
    MANY_LEFT,
    land,
    leaver,
    record_night,
    school_rows,
    step,
)
from vx_pipeline_tests.review.school import SCHOOL, record_school
from vx_pipeline_tests.review.visitor import Visitor, forms


def box(plan: StoredPlan, number: int) -> str:
    """What the checkbox of a step sends."""
    return f"{number} {next(row.change for row in plan.rows if row.step == number)}"


def ask(visitor: Visitor, answer: str, *, tick: str = "all", **changes: str | None) -> httpx.Response:
    """From the plan, with boxes ticked by a link, to the page that asks."""
    return visitor.send(visitor.get("plan", tick=tick), "/plan/confirm", answer=answer, **changes)


def send(asked: httpx.Response, visitor: Visitor, **changes: str | None) -> httpx.Response:
    """Sends the page that asks, with a name and a note."""
    told: dict[str, str | None] = {"name": "Maria Keller", "note": "Asked the house", **changes}
    return visitor.send(asked, "/plan/answer", **told)


def visible(answer: httpx.Response) -> str:
    """The text of a page with its white space folded."""
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", answer.text)).split())


def test_before_the_first_plan_the_page_says_so(visitor: Visitor) -> None:
    assert "No plan so far" in visitor.get("plan").text
    assert "None so far" in visitor.get("plans").text


def test_the_newest_plan_says_first_what_waits_and_whom_it_is_about(
    journal: Journal, visitor: Visitor
) -> None:
    record_night(journal)
    page = visitor.get("plan")
    text = visible(page)
    assert "13 changes wait for you" in text
    assert "13 in all: 12 students to deactivate, 1 student to change" in text
    assert "Postponed 1 student to change" in text
    assert text.index(MANY_LEFT) < text.index(HOUSE_EMPTIED) < text.index("Left alone, to be looked at")
    assert text.index("Left alone, to be looked at") < text.index("Let pass by the gate 63 changes")
    assert "Sven Müller" in text
    assert "Last name Müller" in text
    assert "Northern House (Orah 901)" in text
    assert "North House (Veracross 7)" in text
    assert "Room 12 → becomes nothing" in text
    assert "the exit date is reached" in text
    assert f'href="/{SCHOOL}/person/veracross/20000"' in page.text
    assert "the school year turns: new records only" in text
    assert "Student Jonathan Smith (Veracross 101) → becomes nothing" in text
    assert "Student Jonathan Smith (Veracross 101), Heidi Marlowe (Veracross 102)" in text
    assert "Ada Boe" in text, "a contact whom no run has matched goes by the name that the plan brings"


def test_a_plan_about_less_hides_nothing_that_waits_in_the_schools(
    journal: Journal, visitor: Visitor
) -> None:
    night = record_night(journal)
    one = record_night(
        journal,
        leaver(1, 70, verdict="held", why="a pass"),
        at=datetime.now(UTC),
        purpose="person",
        subject="20000",
    )
    assert "13 changes wait for you" in visible(visitor.get("plan"))
    assert f"/plan/{one.plan_id}" in visitor.get("plan").text
    answered = send(ask(visitor, "approve"), visitor)
    assert "13 approved" in visible(answered)
    assert {answer.plan_id for answer in standing_answers(journal, SCHOOL).values()} == {night.plan_id}
    assert "1 change waits for you" in visible(visitor.get("plan")), (
        "now the other plan is the one to look at"
    )


def test_every_page_tells_how_many_wait(journal: Journal, visitor: Visitor) -> None:
    assert "changes wait" not in visible(visitor.get("queue"))
    record_night(journal)
    assert "Plan 13 changes wait" in visible(visitor.get("queue"))


def test_the_rest_is_capped_and_a_link_shows_all(journal: Journal, visitor: Visitor) -> None:
    record_night(journal)
    page = visitor.get("plan")
    assert "20146" in visible(page)
    assert "20147" not in visible(page)
    shown = visible(visitor.follow(page, "Show all 63"))
    assert all(str(20_100 + number) in shown for number in range(60))


def test_nothing_is_ticked_until_somebody_ticks_it(journal: Journal, visitor: Visitor) -> None:
    plan = record_night(journal)

    def ticked(**query: str) -> set[int]:
        form = next(
            form for form in forms(visitor.get("plan", **query)) if form.action.endswith("/plan/confirm")
        )
        return {int(value.split(" ")[0]) for name, value in form.fields if name == "step"}

    assert ticked() == set()
    assert ticked(tick="all") == set(plan.held_steps)
    assert ticked(tick="2") == {12, 13}
    assert ticked(tick="9") == set()


def test_without_a_tick_nobody_is_asked(journal: Journal, visitor: Visitor) -> None:
    record_night(journal)
    page = ask(visitor, "approve", tick="")
    assert page.url.path == f"/{SCHOOL}/plan"
    assert "Nothing was ticked" in page.text


def test_the_page_that_asks_says_what_will_happen_to_whom(journal: Journal, visitor: Visitor) -> None:
    record_night(journal)
    text = visible(ask(visitor, "approve", tick="2"))
    assert "Approve 2 changes?" in text
    assert "Felia Birkmann Student, Veracross 20030, Orah 60030 is deactivated in Orah" in text
    assert "Sven Müller Student, Veracross 106, Orah 507 changes in Orah. House" in text
    assert "Tanis Redmann" not in text
    refused = visible(ask(visitor, "refuse", tick="2"))
    assert "Refuse 2 changes?" in refused
    assert "is not written. Orah stays as it is" in refused
    assert standing_answers(journal, SCHOOL) == {}


def test_everybody_is_named_before_many_are_approved(journal: Journal, visitor: Visitor) -> None:
    record_night(journal, rows=school_rows(held=38))
    text = visible(ask(visitor, "approve"))
    assert all(f"Veracross {20_000 + number}," in text for number in range(31))
    assert "And 20 more" in text


def test_all_are_approved_with_a_name_and_a_note(journal: Journal, visitor: Visitor) -> None:
    plan = record_night(journal)
    after = send(ask(visitor, "approve"), visitor)
    assert after.url.path == f"/{SCHOOL}/plan"
    assert "13 approved: written by the next run" in visible(after).replace(" :", ":")
    answers = standing_answers(journal, SCHOOL)
    assert len(answers) == 13
    one = next(iter(answers.values()))
    assert (one.answer, one.actor, one.note, one.via, one.plan_id) == (
        Answer.APPROVE,
        "Maria Keller",
        "Asked the house",
        "page",
        plan.plan_id,
    )
    text = visible(after)
    assert "Nothing waits" in text
    assert "13 changes are approved and written by the next run" in text
    assert "approved, to be written by Maria Keller" in text
    assert "changes wait" not in visible(visitor.get("queue"))


def test_one_is_refused_and_the_others_still_wait(journal: Journal, visitor: Visitor) -> None:
    plan = record_night(journal)
    asked = ask(visitor, "refuse", tick="", step=box(plan, 12))
    after = visible(send(asked, visitor, note="Does not move"))
    assert "1 refused" in after
    assert "12 changes wait for you" in after
    assert "refused by Maria Keller, just now Does not move" in after
    assert [answer.answer for answer in standing_answers(journal, SCHOOL).values()] == [Answer.REFUSE]
    ticked = visitor.get("plan", tick="all").text
    assert f'value="{box(plan, 12)}"  data-left' in ticked, "what was answered is not ticked with the others"


def test_a_refusal_can_be_turned_into_an_approval(journal: Journal, visitor: Visitor) -> None:
    plan = record_night(journal)
    for answer in ("refuse", "approve"):
        send(ask(visitor, answer, tick="", step=box(plan, 14)), visitor)
    row = next(row for row in plan.rows if row.step == 14)
    assert standing_answers(journal, SCHOOL)[row.change].answer is Answer.APPROVE


def test_an_approved_change_that_was_written_cannot_be_answered(journal: Journal, visitor: Visitor) -> None:
    plan = record_night(journal)
    asked = ask(visitor, "refuse", tick="", step=box(plan, 1))
    number = standing(journal, plan, 1)
    land(journal, plan, 1, approval=number)
    page = visitor.get("plan")
    assert f'value="{box(plan, 1)}"' not in page.text
    assert "1 change is written" in visible(page)
    answered = send(asked, visitor)
    assert answered.status_code in (400, 409)
    assert "Nothing was" in answered.text


def standing(journal: Journal, plan: StoredPlan, number: int) -> int:
    """Approves a step from the shell and returns the approval's number."""
    answer_held(
        journal,
        plan,
        answer=Answer.APPROVE,
        actor="Theo Lund",
        note="by phone",
        via="shell",
        at=datetime.now(UTC),
        steps=[number],
    )
    row = next(row for row in plan.rows if row.step == number)
    return standing_answers(journal, SCHOOL)[row.change].number


def test_what_somebody_answered_meanwhile_is_not_overruled(journal: Journal, visitor: Visitor) -> None:
    plan = record_night(journal)
    shown = visitor.get("plan", tick="all")
    asked = visitor.send(shown, "/plan/confirm", answer="approve")
    common = {"actor": "Theo Lund", "note": "is back", "via": "shell", "at": datetime.now(UTC)}
    answer_held(journal, plan, answer=Answer.REFUSE, steps=[5], **common)  # type: ignore[arg-type]
    for late in (send(asked, visitor), visitor.send(shown, "/plan/confirm", answer="approve")):
        assert late.status_code == 409
        assert "Theo Lund refused one of them meanwhile" in late.text
    assert [answer.answer for answer in standing_answers(journal, SCHOOL).values()] == [Answer.REFUSE]
    assert send(ask(visitor, "approve"), visitor).status_code == 200
    assert len(standing_answers(journal, SCHOOL)) == 13


def test_a_newer_plan_takes_the_place_of_what_was_shown(journal: Journal, visitor: Visitor) -> None:
    record_night(journal, at=datetime.now(UTC) - timedelta(hours=2))
    shown = visitor.get("plan", tick="all")
    asked = visitor.send(shown, "/plan/confirm", answer="approve")
    record_night(journal, rows=school_rows(held=3))
    for late in (visitor.send(shown, "/plan/confirm", answer="approve"), send(asked, visitor)):
        assert late.status_code == 409
        assert "Nothing was written" in late.text
        assert "A newer plan took this one" in late.text
    assert standing_answers(journal, SCHOOL) == {}
    assert "5 changes wait for you" in visible(visitor.follow(late, "See it as it is now"))


def test_a_step_that_is_another_change_than_shown_is_refused(journal: Journal, visitor: Visitor) -> None:
    plan = record_night(journal)
    swapped = f"1 {box(plan, 2).split(' ')[1]}"
    for wrong in (swapped, "1", "one", f"99{box(plan, 1)}"):
        assert ask(visitor, "approve", tick="", step=wrong).status_code == 400
    assert ask(visitor, "approve", tick="", step=box(plan, 16)).status_code == 400, "it is not held"
    assert ask(visitor, "perhaps").status_code == 400
    assert ask(visitor, "approve", seen=None).status_code == 400
    assert standing_answers(journal, SCHOOL) == {}


def test_nobody_opens_a_closed_gate(journal: Journal, visitor: Visitor) -> None:
    record_night(journal, at=datetime.now(UTC) - timedelta(hours=2))
    shown = visitor.get("plan", tick="all")
    closed = record_night(journal, closed="Orah showed 12 of 360 students")
    page = visitor.get("plan", tick="all")
    text = visible(page)
    assert "The gate is closed: Orah showed 12 of 360 students" in text
    assert "nobody can open the gate" in text
    assert "vx sync" in text
    assert "checkbox" not in page.text
    assert not any("/plan/" in form.action for form in forms(page))
    assert "changes wait" not in visible(visitor.get("queue"))
    forced = visitor.send(shown, "/plan/confirm", answer="approve", plan=closed.plan_id, step=box(closed, 1))
    assert forced.status_code == 409
    assert "Nobody can open it" in forced.text
    form = next(form for form in forms(shown) if form.action.endswith("/plan/confirm"))
    fields = dict(form.fields) | {
        "plan": closed.plan_id,
        "step": box(closed, 1),
        "answer": "approve",
        "name": "Maria Keller",
        "note": "please",
    }
    assert visitor.client.post(f"/{SCHOOL}/plan/answer", data=fields).status_code == 409
    assert standing_answers(journal, SCHOOL) == {}


@pytest.mark.parametrize(
    ("name", "note", "told"),
    [
        ("", "Asked the house", "Please tell your name"),
        ("   ", "Asked the house", "Please tell your name"),
        (None, "Asked the house", "Please tell your name"),
        ("Maria Keller", "", "Please say why"),
        ("Maria Keller", " ok ", "Please say why"),
        ("Maria Keller", None, "Please say why"),
    ],
)
def test_an_answer_needs_a_name_and_a_note(
    journal: Journal, visitor: Visitor, name: str | None, note: str | None, told: str
) -> None:
    record_night(journal)
    again = send(ask(visitor, "approve", tick="2"), visitor, name=name, note=note)
    assert again.status_code == 422
    assert told in again.text
    assert "Felia Birkmann" in again.text
    assert standing_answers(journal, SCHOOL) == {}
    assert send(again, visitor).status_code == 200
    assert len(standing_answers(journal, SCHOOL)) == 2


def test_who_logged_in_is_who_answers(journal: Journal, visitors: Visitors) -> None:
    record_school(journal)
    record_night(journal)
    word = "a long and quiet word"
    visitor = visitors(access=AccessSettings(users={"rosa": hash_password(word)}))
    for path in ("plan", "plans", "problems"):
        assert "/login" in str(visitor.get(path).url)
    visitor.send(visitor.client.get("/login"), "/login", name="rosa", password=word)
    asked = ask(visitor, "approve", tick="2")
    assert "Your name" not in asked.text
    send(asked, visitor, name="Somebody Else")
    assert {answer.actor for answer in standing_answers(journal, SCHOOL).values()} == {"rosa"}


@pytest.mark.parametrize("token", ["", "wrong", None])
def test_forms_need_the_sessions_token(journal: Journal, visitor: Visitor, token: str | None) -> None:
    record_night(journal)
    assert ask(visitor, "approve", csrf=token).status_code == 403
    assert send(ask(visitor, "approve"), visitor, csrf=token).status_code == 403
    assert standing_answers(journal, SCHOOL) == {}


def hostile_rows() -> list[PlanRow]:
    fields = {"first_name": (HOSTILE, f"{HOSTILE}2"), "house": ({"id": 5}, {"dorm_id": 6})}
    return [
        *step(1, "student", "update", 1, 2, fields, verdict="held", why=f"why {HOSTILE}", reason=HOSTILE),
        *step(2, "contact", "create", 3, None, {"first_name": (None, HOSTILE)}, reason=HOSTILE),
        *step(3, "student", "skip", 4, 5, verdict="skip", reason=HOSTILE),
    ]


def test_hostile_names_and_notes_stay_text(journal: Journal, visitor: Visitor) -> None:
    plan = record_night(journal, rows=hostile_rows(), purpose="person", subject=HOSTILE, actor=HOSTILE)
    asked = ask(visitor, "refuse")
    after = send(asked, visitor, name=HOSTILE, note=HOSTILE)
    pages = [visitor.get("plan"), asked, after, visitor.get("plans"), visitor.get(f"plan/{plan.plan_id}")]
    for page in pages:
        assert page.status_code == 200
        assert "<script>" not in page.text
    assert "&lt;script&gt;" in after.text


def test_another_schools_plan_is_not_there(journal: Journal, visitors: Visitors) -> None:
    record_school(journal)
    own = record_night(journal)
    other = record_night(journal, school="lakeside", rows=leaver(1, 1, verdict="held", why=MANY_LEFT))
    visitor = visitors(schools=[SCHOOL, "lakeside"])
    assert visitor.client.get(f"/lakeside/plan/{other.plan_id}").status_code == 200
    for path in (f"plan/{other.plan_id}", f"plan/{other.plan_id[:8]}", "plan/confirm", "plan/nothing"):
        assert visitor.get(path).status_code == 404
    assert visitor.get(f"plan/{own.plan_id}").status_code == 200
    assert visitor.get(f"plan/{own.plan_id[:8]}").status_code == 404, "a plan has one address"
    assert ask(visitor, "approve", plan=other.plan_id).status_code == 404
    assert "1 change waits" not in visible(visitor.get("queue"))
    assert standing_answers(journal, SCHOOL) == standing_answers(journal, "lakeside") == {}


def test_plans_are_listed_with_what_became_of_them(journal: Journal, visitor: Visitor) -> None:
    old = record_night(
        journal,
        rows=leaver(1, 1),
        at=datetime.now(UTC) - timedelta(days=1),
        purpose="person",
        subject="20001",
        actor="Rosa Quill",
    )
    land(journal, old, 1)
    record_night(journal, rows=[], closed="no read", at=datetime.now(UTC) - timedelta(hours=5))
    record_night(journal)
    page = visitor.get("plans")
    text = visible(page)
    assert "the whole school a run 13 held, 1 refused, 1 left alone, 1 postponed, 63 to write" in text
    assert "nothing gate closed nothing written" in text
    assert "one person 20001 Rosa Quill 1 to write 1 written" in text
    assert page.text.count('href="/hillcrest/plan/') == 3
    shown = visitor.get(f"plan/{old.plan_id}")
    assert "A newer plan took its place" in shown.text
    assert "written" in visible(shown)
    assert not any("/plan/" in form.action for form in forms(shown))


def test_an_older_plan_tells_what_was_answered_then(journal: Journal, visitor: Visitor) -> None:
    first = record_night(journal, at=datetime.now(UTC) - timedelta(hours=2))
    number = standing(journal, first, 1)
    second = record_night(journal, rows=leaver(1, 0))
    land(journal, second, 1, approval=number)
    text = visible(visitor.get(f"plan/{first.plan_id}"))
    assert "written by Theo Lund" in text
    assert "by phone" in text
    assert text.count("nobody answered") == 12


def test_an_answer_from_an_earlier_plan_does_not_count_where_the_gate_asks_again(
    journal: Journal, visitor: Visitor
) -> None:
    first = record_night(journal, at=datetime.now(UTC) - timedelta(hours=2))
    standing(journal, first, 1)
    record_night(journal, at=datetime.now(UTC) + timedelta(seconds=1))
    assert "13 changes wait for you" in visible(visitor.get("plan"))


def test_the_overview_tells_how_the_plan_stands(journal: Journal, visitor: Visitor) -> None:
    assert "Nothing was planned so far" in visitor.get("").text
    record_night(journal, rows=leaver(1, 1), at=datetime.now(UTC) - timedelta(hours=3))
    assert "waits for nobody" in visible(visitor.get(""))
    record_night(journal, at=datetime.now(UTC) - timedelta(hours=2))
    assert "13 changes wait for you" in visitor.get("").text
    record_night(journal, closed="no read")
    text = visible(visitor.get(""))
    assert "The newest plan is held The gate is closed: no read" in text
    assert "13 changes wait" not in text


def test_the_audit_tells_who_looked_and_who_answered_by_ids_alone(journal: Journal, visitor: Visitor) -> None:
    plan = record_night(journal)
    send(ask(visitor, "approve", tick="2"), visitor)
    visitor.get("plans")
    trail = [(view.action, view.subject) for view in audit_trail(journal, SCHOOL)]
    assert ("view", f"plan {plan.plan_id}") in trail
    assert ("view", f"approve plan {plan.plan_id} steps 12, 13, to be confirmed") in trail
    assert ("approve", f"plan {plan.plan_id} steps 12, 13") in trail
    assert ("view", "plans") in trail
    assert next(view.actor for view in audit_trail(journal, SCHOOL) if view.action == "approve") == (
        "Maria Keller"
    )
    told = " ".join(subject for _, subject in trail)
    assert "Birkmann" not in told
    assert "Asked" not in told


def test_a_thousand_held_changes_can_be_answered_at_once(journal: Journal, visitor: Visitor) -> None:
    rows = [
        row for number in range(1000) for row in leaver(number + 1, number, verdict="held", why=MANY_LEFT)
    ]
    record_night(journal, rows=rows)
    after = send(ask(visitor, "approve"), visitor)
    assert "1,000 approved" in after.text
    assert len(standing_answers(journal, SCHOOL)) == 1000
