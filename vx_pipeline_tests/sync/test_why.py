"""Why a person is in Orah as they are: told from a journal in which plans, writes and people left their traces."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vx_pipeline.journal import Journal
from vx_pipeline.journal.approvals import Answer, answer_held, standing_answers
from vx_pipeline.journal.cases import ORAH
from vx_pipeline.journal.decisions import Entity, Kind, undo
from vx_pipeline.journal.explanations import record_explanations
from vx_pipeline.journal.intents import Result, record_intent, record_outcome
from vx_pipeline.journal.ledger import LARGEST_ID
from vx_pipeline.journal.pins import add_pin
from vx_pipeline.journal.plans import PlanRow, get_plan, record_plan
from vx_pipeline.journal.problems import Trouble, record_troubles
from vx_pipeline.sync.why import TITLES, Why, why
from vx_pipeline_tests.journal.people import AFTER, BEFORE, NAMES, NOW, case, decided, person, record

SCHOOL = "north"
TOLD = {"veracross": ["Listed as a student."], "match": ["Linked to Orah 501 by email."]}


def told(found: Why, topic: str) -> tuple[str, ...]:
    """The sentences of a topic; none when it is not told."""
    return next((one.sentences for one in found.topics if one.name == topic), ())


def asked(journal: Journal, veracross_id: int | None = 81, **values: Any) -> Why:
    return why(journal, SCHOOL, veracross_id=veracross_id, now=values.pop("now", AFTER), **values)


def row(key: int = 81, field: str = "last_name", step: int = 1, **values: Any) -> PlanRow:
    given: dict[str, Any] = {
        "step": step,
        "entity": "student",
        "action": "update",
        "key": key,
        "target_id": 501,
        "field": field,
        "before": "Old",
        "after": NAMES[1],
        "reason": "linked by email; Veracross says otherwise",
        "change": f"change-{step}",
    }
    return PlanRow(**{**given, **values})


def planned(journal: Journal, *rows: PlanRow, at: datetime = NOW, **values: Any) -> str:
    given: dict[str, Any] = {"school": SCHOOL, "run_id": "run-1", "fingerprint": "f", "hold_reason": None}
    return record_plan(journal, at=at, rows=rows, **{**given, **values})


def wrote(
    journal: Journal,
    *,
    key: int = 81,
    result: Result | None = Result.DONE,
    made: int | None = None,
    detail: str = "",
    at: datetime = NOW,
    **values: Any,
) -> None:
    given: dict[str, Any] = {
        "school": SCHOOL,
        "system": "orah",
        "entity": "student",
        "action": "update",
        "target_id": 501,
        "body": {"last_name": NAMES[1]},
        "cause": "plan-12345678",
    }
    intent = record_intent(journal, key=key, at=at, **{**given, **values})
    if result is not None:
        record_outcome(journal, intent, result, at=at, target_id=made, detail=detail)


def explained(journal: Journal, people: Mapping[int, Mapping[str, Sequence[str]]] | None = None) -> None:
    record_explanations(journal, SCHOOL, people or {81: TOLD}, NOW)


def test_what_the_newest_plan_saw_comes_first_and_what_happened_since_beside_it(journal: Journal) -> None:
    explained(journal)
    record(journal, people=[person(81, linked_to=501, rule="email"), person(501, ORAH, linked_to=81)])
    planned(journal)
    found = asked(journal)
    assert (found.found, found.veracross_id, found.orah_id, found.told_at) == (True, 81, 501, NOW)
    assert [topic.name for topic in found.topics] == ["veracross", "match", "planned", "written"]
    assert told(found, "veracross") == ("Listed as a student.",)
    assert told(found, "match") == ("Linked to Orah 501 by email.",)
    assert "changes nothing about them" in told(found, "planned")[0]
    assert told(found, "written") == ("Nothing was ever written about them.",)


@pytest.mark.parametrize(
    ("verdict", "words"),
    [
        ("write", "It may be written."),
        ("held", "It waits for a person: 7 would be removed. See `vx plan`."),
        ("postponed", "It is put off: 7 would be removed."),
        ("refused", "It is not written, somebody refused it: 7 would be removed."),
        ("skip", "Left alone: 7 would be removed."),
    ],
)
def test_a_planned_step_is_told_with_what_the_gate_says(journal: Journal, verdict: str, words: str) -> None:
    explained(journal)
    why_so = "" if verdict == "write" else "7 would be removed"
    plan_id = planned(
        journal,
        row(verdict=verdict, verdict_reason=why_so),
        row(field="email", verdict=verdict, verdict_reason=why_so),
        row(key=82, step=2),
    )
    (sentence,) = told(asked(journal), "planned")
    assert sentence == (
        f"Plan {plan_id[:8]} of 2026-11-23 07:00 UTC, step 1: the student record 501 is changed "
        f"(email, last_name), because: linked by email; Veracross says otherwise. {words}"
    )


def test_a_closed_gate_holds_all_of_a_plan(journal: Journal) -> None:
    explained(journal)
    planned(journal, row(), hold_reason="Orah's list came short.")
    step, gate = told(asked(journal), "planned")
    assert step.endswith("It is not written.")
    assert "The gate is closed" in gate
    assert gate.endswith("nothing of it is written: Orah's list came short.")


def test_a_step_that_was_written_says_how_it_ended(journal: Journal) -> None:
    explained(journal)
    plan_id = planned(journal, row())
    wrote(journal, cause=plan_id, change="change-1", result=Result.CONFIRMED)
    (sentence,) = told(asked(journal), "planned")
    assert "reading back showed it there" in sentence
    assert "may be written" not in sentence


def test_only_the_newest_whole_plan_and_later_ones_about_the_person_are_told(journal: Journal) -> None:
    explained(journal)
    planned(journal, row(reason="old news"), at=BEFORE)
    planned(journal, row(reason="whole"), at=NOW)
    planned(journal, row(reason="theirs"), at=AFTER, purpose="person", subject="81")
    planned(journal, row(key=82), at=AFTER, purpose="person", subject="82")
    sentences = told(asked(journal), "planned")
    assert ["theirs" in sentences[0], "whole" in sentences[1], len(sentences)] == [True, True, 2]


def test_a_house_or_another_school_with_the_same_number_is_somebody_else(journal: Journal) -> None:
    explained(journal)
    planned(journal, row(entity="house", reason="a dorm"))
    wrote(journal, entity="house")
    wrote(journal, school="south")
    add_pin(
        journal,
        school=SCHOOL,
        entity="house",
        key=81,
        field="",
        reason="x",
        author="a.keller",
        at=NOW,
        last_day=None,
    )
    record_troubles(journal, SCHOOL, "plan", [Trouble("red", "house", 81, "taken")], at=NOW)
    decided(journal, Kind.SAME, 81, 501, entity=Entity.HOUSE)
    found = asked(journal)
    assert [topic.name for topic in found.topics] == ["veracross", "match", "planned", "written"]
    assert told(found, "written") == ("Nothing was ever written about them.",)


def test_what_was_written_is_told_newest_first_with_its_end_and_whose_word(journal: Journal) -> None:
    explained(journal)
    plan_id = planned(journal, row(verdict="held"), inputs={"settings": "s"})
    stored = get_plan(journal, SCHOOL, plan_id)
    assert stored is not None
    answer_held(
        journal, stored, answer=Answer.APPROVE, actor="Rosa Quill", note=NAMES[2], via="shell", at=AFTER
    )
    approval = standing_answers(journal, SCHOOL)["change-1"].number
    wrote(journal, at=BEFORE, action="create", target_id=None, made=501)
    wrote(journal, cause=plan_id, change="change-1", approval=approval)
    wrote(journal, at=AFTER, result=Result.FAILED, detail="Orah refused field house.")
    wrote(journal, at=AFTER, result=None)
    lost, failed, approved, made = told(asked(journal), "written")
    assert made == ("2026-11-23 06:00 UTC: create of Orah's student 501 (last_name), by plan plan-123. Done.")
    assert approved.endswith("Done. Approved by Rosa Quill on 2026-11-23 08:00 UTC.")
    assert failed.endswith("nobody can tell any more. Orah refused field house.")
    assert lost.endswith("We were interrupted; the next run looks how it ended.")
    assert "Approved by Rosa Quill on 2026-11-23 08:00 UTC." in told(asked(journal), "planned")[0]


def test_an_approval_that_nothing_came_of_yet_is_told_beside_the_step(journal: Journal) -> None:
    explained(journal)
    plan_id = planned(journal, row(verdict="held", verdict_reason="too many"))
    stored = get_plan(journal, SCHOOL, plan_id)
    assert stored is not None
    answer_held(journal, stored, answer=Answer.REFUSE, actor="Rosa Quill", note="", via="shell", at=AFTER)
    (sentence,) = told(asked(journal), "planned")
    assert sentence.endswith("It was held: too many. Refused by Rosa Quill on 2026-11-23 08:00 UTC.")


def test_marks_in_veracross_are_told_with_their_class_and_day(journal: Journal) -> None:
    explained(journal)
    body = {"class_id": 7, "attendance_date": "2026-11-20", "status": "2", "notes": "[via Orah]"}
    wrote(journal, system="veracross", entity="class_attendance", target_id=9001, body=body)
    (sentence,) = told(asked(journal), "written")
    assert "mark 9001 in Veracross (class 7, date 2026-11-20)" in sentence


def test_many_writes_are_counted_and_the_newest_told(journal: Journal) -> None:
    explained(journal)
    for number in range(23):
        wrote(journal, at=NOW + timedelta(minutes=number))
    sentences = told(asked(journal), "written")
    assert len(sentences) == 21
    assert sentences[0].startswith("2026-11-23 07:22 UTC")
    assert sentences[-1] == "And 3 earlier ones."


def test_ties_of_contacts_are_told_of_the_student_and_of_the_contact_alone(journal: Journal) -> None:
    explained(journal, dict.fromkeys((81, 82, 91), TOLD))
    tie: dict[str, Any] = {
        "entity": "contact",
        "field": "students",
        "target_id": 900,
        "reason": "legal custody is set",
    }
    plan_id = planned(
        journal,
        row(91, step=1, action="link", before=None, after={"student_id": 81}, **tie),
        row(91, step=2, action="unlink", before={"student_id": 82}, after=None, **tie),
    )
    wrote(
        journal,
        key=91,
        entity="contact",
        action="link",
        target_id=900,
        body={"student_id": 81, "orah_student_id": 501, "urgent": False},
        cause=plan_id,
        change="change-1",
    )
    for number, links, unlinks in ((81, 1, 0), (82, 0, 1), (91, 1, 1)):
        found = asked(journal, number)
        sentences = " ".join(told(found, "planned"))
        assert sentences.count("contact 91 is put beside student 81") == links
        assert sentences.count("contact 91 is taken away from student 82") == unlinks
        wanted = (
            "link of Orah's contact 900 of person 91, beside student 81"
            if links
            else "Nothing was ever written"
        )
        assert wanted in told(found, "written")[0]
    assert asked(journal, 91).contact_id == 900


def test_a_new_contact_is_told_of_each_student_that_it_stands_beside(journal: Journal) -> None:
    explained(journal, dict.fromkeys((8, 81, 82, 91), TOLD))
    record(journal, people=[person(81, linked_to=501), person(501, ORAH, linked_to=81)])
    made: dict[str, Any] = {"entity": "contact", "action": "create", "target_id": None, "before": None}
    planned(
        journal,
        row(91, field="first_name", **made),
        row(91, field="students", after=[{"student_id": 81}, {"student_id": 82}], **made),
    )
    wrote(
        journal,
        key=91,
        entity="contact",
        action="create",
        target_id=None,
        made=900,
        body={"first_name": NAMES[0], "student_ids": [501, 502]},
    )
    for number in (81, 82, 91):
        sentence = told(asked(journal, number), "planned")[0]
        assert "a new contact record is made for person 91, beside student 81 and student 82" in sentence
    assert "create of Orah's contact 900 of person 91" in told(asked(journal, 81), "written")[0]
    # The same digits are not the same student.
    assert "changes nothing" in told(asked(journal, 8), "planned")[0]
    assert told(asked(journal, 8), "written") == ("Nothing was ever written about them.",)


def test_decisions_pins_and_problems_are_told_by_their_author(journal: Journal) -> None:
    explained(journal)
    record(journal, people=[person(81)])
    first = decided(journal, Kind.NEVER, 81, 502, at=NOW)
    undo(journal, school=SCHOOL, number=first.number, note="", actor="Rosa Quill", via="shell", at=AFTER)
    decided(journal, Kind.SAME, 81, 501, note=NAMES[2])
    add_pin(
        journal,
        school=SCHOOL,
        entity="student",
        key=81,
        field="house",
        reason=NAMES[2],
        author="Rosa Quill",
        at=NOW,
        last_day=date(2026, 11, 23),
    )
    record_troubles(
        journal, SCHOOL, "apply", [Trouble("yellow", "student", 81, "the house is missing")], at=NOW
    )
    found = asked(journal)
    same, taken_back, never = told(found, "decisions")
    assert same.startswith("Student 81 is Orah's 501: decision 3 by a.keller on 2026-11-23 08:00 UTC.")
    assert same.endswith("It counts from the next run on.")
    assert taken_back.startswith("Decision 1 is taken back")
    assert never.endswith("It was taken back by decision 2.")
    (pin,) = told(found, "pins")
    assert pin.startswith(
        "Pin 1: the field house of the student is left alone until 2026-11-23, says Rosa Quill"
    )
    assert told(found, "problems") == ("Yellow: the house is missing (2026-11-23 07:00 UTC).",)
    assert told(asked(journal, now=AFTER + timedelta(days=1)), "pins") == ()


def test_a_question_waits_until_it_is_answered(journal: Journal) -> None:
    explained(journal)
    record(journal, case(81, (501,)), people=[person(81), person(501, ORAH)])
    assert "A question waits for a person: `vx match show student-v81`" in told(asked(journal), "match")[-1]
    decided(journal, Kind.SAME, 81, 501)
    assert told(asked(journal), "match")[-1] == (
        "The question about them was answered; the next run takes the answer in."
    )


def test_a_record_of_orah_leads_to_the_person_behind_it(journal: Journal) -> None:
    explained(journal)
    record(journal, people=[person(81, linked_to=501), person(501, ORAH, linked_to=81)])
    found = asked(journal, None, orah_id=501)
    assert (found.veracross_id, found.orah_id) == (81, 501)
    assert told(found, "veracross") == ("Listed as a student.",)


def test_a_record_that_nobody_stands_behind_is_told_for_itself(journal: Journal) -> None:
    explained(journal)
    orphan = person(590, ORAH)
    record(
        journal,
        case(81, (501, 590)),
        case(None, (), kind="orphan", orah_id=590, reason="Nobody stands behind it."),
        people=[person(81), orphan],
    )
    wrote(journal, key=70, target_id=590)
    found = asked(journal, None, orah_id=590)
    assert (found.found, found.veracross_id, found.orah_id) == (True, None, 590)
    assert told(found, "match") == (
        "Orah's student record 590 is linked to nobody in Veracross. "
        "Nothing is written to a record that nobody stands behind.",
        "A question waits for a person: Nobody stands behind it. `vx match show student-o590`.",
        "It may be student 81's: `vx match show student-v81`.",
        "We wrote it last for student 70: `vx why 70`.",
    )
    assert "update of Orah's student 590" in told(found, "written")[0]


def test_a_contact_record_leads_to_the_parent_that_we_wrote_it_for(journal: Journal) -> None:
    explained(journal, {91: {"veracross": ["Listed as a parent."]}})
    wrote(journal, key=91, entity="contact", action="create", target_id=None, made=900, at=BEFORE)
    found = asked(journal, None, orah_id=900)
    assert (found.veracross_id, found.orah_id, found.contact_id) == (91, None, 900)
    assert told(found, "veracross") == ("Listed as a parent.",)
    assert told(found, "match") == ("Their contact record in Orah is 900: we wrote it.",)
    wrote(journal, key=91, entity="contact", action="delete", target_id=900, body={}, at=AFTER)
    assert asked(journal, 91).contact_id is None


def test_whom_the_newest_plan_did_not_see_is_remembered(journal: Journal) -> None:
    explained(journal)
    wrote(journal, key=70)
    found = asked(journal, 70)
    assert found.found
    assert found.told_at is None
    assert told(found, "veracross") == (
        "The newest plan saw nobody with this id; what follows is what is remembered.",
    )


def test_before_a_plan_has_explained_anybody_the_picture_is_told(journal: Journal) -> None:
    record(journal, people=[person(81, linked_to=501, rule="sis_id"), person(501, ORAH, linked_to=81)])
    found = asked(journal)
    assert told(found, "veracross")[0].startswith("Not known yet")
    assert told(found, "match") == ("Linked to Orah 501 by sis id.",)
    assert told(found, "planned") == ("Nothing: no plan was made yet.",)


@pytest.mark.parametrize(
    "ids", [{"veracross_id": 99}, {"orah_id": 99}, {"veracross_id": 10**30}, {"orah_id": 10**30}]
)
def test_nobody_knows_them_and_it_says_where_to_look(journal: Journal, ids: dict[str, Any]) -> None:
    found = why(journal, SCHOOL, now=NOW, **ids)
    assert not found.found
    assert [topic.name for topic in found.topics] == ["unknown"]
    assert "`vx sync --plan-only`" in told(found, "unknown")[1]
    explained(journal)
    planned(journal, row(81))
    found = why(journal, SCHOOL, now=NOW, **ids)
    assert not found.found
    where = "Veracross showed" if "veracross_id" in ids else "leave --orah out"
    assert where in told(found, "unknown")[1]


def test_values_and_notes_are_told_only_when_asked_for(journal: Journal) -> None:
    explained(journal)
    record(journal, people=[person(81)])
    planned(journal, row())
    wrote(journal)
    decided(journal, Kind.SAME, 81, 501, note=NAMES[2])
    add_pin(
        journal,
        school=SCHOOL,
        entity="student",
        key=81,
        field="",
        reason=NAMES[2],
        author="Rosa Quill",
        at=NOW,
        last_day=None,
    )
    plainly, fully = str([one.sentences for one in asked(journal).topics]), asked(journal, details=True)
    assert not any(name in plainly for name in NAMES)
    assert f"last_name: Old becomes {NAMES[1]}." in told(fully, "planned")[0]
    assert f"last_name: {NAMES[1]}." in told(fully, "written")[0]
    assert told(fully, "decisions")[0].endswith(f"They noted: {NAMES[2]}")
    assert told(fully, "pins")[0].endswith(f"They noted: {NAMES[2]}")
    assert not any(name in repr(fully) for name in NAMES)


def test_an_id_is_needed(journal: Journal) -> None:
    with pytest.raises(ValueError, match="an id is needed"):
        why(journal, SCHOOL, now=NOW)


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.text(max_size=5),
    st.fixed_dictionaries({"student_id": st.integers(80, 83)}),
    st.lists(st.fixed_dictionaries({"student_id": st.integers(80, 83)}), max_size=2),
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(
        st.builds(
            row,
            key=st.integers(80, 83),
            field=st.sampled_from(["", "students", "house"]),
            entity=st.sampled_from(["student", "contact", "house"]),
            action=st.sampled_from(["create", "update", "link", "unlink", "skip", "delete", "another"]),
            verdict=st.sampled_from(["write", "held", "postponed", "refused", "skip", "another"]),
            before=VALUES,
            after=VALUES,
            target_id=st.one_of(st.none(), st.integers(80, 83)),
        ),
        max_size=6,
    ),
    asked_for=st.sampled_from([80, 81, LARGEST_ID, LARGEST_ID + 1]),
    details=st.booleans(),
)
def test_whatever_a_plan_holds_is_told_without_failing(
    journal: Journal, rows: list[PlanRow], asked_for: int, details: bool
) -> None:
    """Each step about the person is told once, topics come in their order, and no sentence is empty."""
    steps = [
        PlanRow(**{**vars(each), "step": number, "change": f"c{number}"})
        for number, each in enumerate(rows, 1)
    ]
    planned(journal, *steps, at=datetime.now(NOW.tzinfo))
    found = asked(journal, asked_for, details=details)
    names = [topic.name for topic in found.topics]
    assert names == [name for name in TITLES if name in names]
    assert all(sentence.strip() for topic in found.topics for sentence in topic.sentences)
    own = [
        each.step
        for each in steps
        if each.entity != "house"
        and (
            each.key == asked_for
            or (
                each.entity == "contact"
                and each.field == "students"
                and str({"student_id": asked_for}) in str((each.before, each.after))
            )
        )
    ]
    sentences = told(found, "planned")
    assert found.found == bool(own)
    assert sum(", step " in sentence for sentence in sentences) == len(own)
