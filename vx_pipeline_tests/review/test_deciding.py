"""From a case to a decision in the journal, and back."""

from datetime import UTC, date, datetime

import pytest

from vx_pipeline.journal import Journal
from vx_pipeline.journal.cases import get_person, seen_fields
from vx_pipeline.journal.decisions import Decision, Entity, Kind, decide, history, standing
from vx_pipeline_tests.review.conftest import Visitors
from vx_pipeline_tests.review.school import (
    CONTESTED,
    HOUSE,
    NICKNAME,
    NOBODY,
    ORPHAN,
    REOPENED,
    SCHOOL,
    TWINS,
    record_school,
)
from vx_pipeline_tests.review.visitor import Visitor


def newest(journal: Journal) -> Decision:
    return history(journal, SCHOOL, limit=1)[0]


def test_what_a_link_causes_is_told_before_it_is_made(journal: Journal, visitor: Visitor) -> None:
    asked = visitor.follow(visitor.case(NICKNAME), "Same person")
    for told in (
        "Veracross 101 and Orah 501 will be linked",
        "4 fields will change in Orah",
        "Year level",
        "Grade 9",
        "Grade 10",
        "3 days of attendance",
        "Wed 18 Nov",
        "It takes effect with the next run",
    ):
        assert told in asked.text
    assert history(journal, SCHOOL) == []


def test_a_confirmed_link_stands_in_the_journal(journal: Journal, visitor: Visitor) -> None:
    after = visitor.decide(NICKNAME, "Same person", note="  Asked the house parent. ", name="Maria Keller")
    decision = newest(journal)
    assert (decision.kind, decision.veracross_id, decision.orah_id) == (Kind.SAME, 101, 501)
    assert (decision.actor, decision.via, decision.note) == (
        "Maria Keller",
        "page",
        "Asked the house parent.",
    )
    assert decision.days == (date(2026, 11, 18), date(2026, 11, 19), date(2026, 11, 23))
    pair = [
        get_person(journal, SCHOOL, Entity.STUDENT, system, number)
        for system, number in (("veracross", 101), ("orah", 501))
    ]
    assert {name: tuple(seen) for name, seen in decision.seen.items()} == seen_fields(*pair)
    assert f"Decision {decision.number}" in after.text
    assert "Undo" in after.text
    assert "/case/" in after.url.path
    assert NICKNAME not in after.url.path


@pytest.mark.parametrize(
    ("case", "label", "kind", "veracross_id", "orah_id"),
    [
        (NICKNAME, "Someone new", Kind.NEW, 101, None),
        (NICKNAME, "Never the same", Kind.NEVER, 101, 501),
        (NICKNAME, "Later", Kind.LATER, 101, 501),
        (NICKNAME, "Merge needed", Kind.MERGE, 101, 501),
        (NOBODY, "Someone new", Kind.NEW, 104, None),
        (NOBODY, "Later", Kind.LATER, 104, None),
        (CONTESTED, "Keep the link", Kind.SAME, 105, 506),
        (REOPENED, "Unlink", Kind.UNLINK, 106, 507),
        (HOUSE, "Same house", Kind.SAME, 7, 901),
        (ORPHAN, "Nobody in Veracross", Kind.NEW, None, 590),
        (ORPHAN, "Later", Kind.LATER, None, 590),
    ],
)
def test_every_answer_is_recorded(
    journal: Journal,
    visitor: Visitor,
    case: str,
    label: str,
    kind: Kind,
    veracross_id: int | None,
    orah_id: int | None,
) -> None:
    assert visitor.decide(case, label).status_code == 200
    decision = newest(journal)
    assert (decision.kind, decision.veracross_id, decision.orah_id) == (kind, veracross_id, orah_id)
    assert decision.entity == case.split("-")[0]


def test_someone_new_says_that_a_record_will_be_made(reader: Visitor) -> None:
    asked = reader.follow(reader.case(NOBODY), "Someone new")
    assert "A new record will be made in Orah by the next run" in asked.text


def test_a_record_without_anybody_is_left_alone_and_asked_no_more(visitor: Visitor) -> None:
    asked = visitor.follow(visitor.case(ORPHAN, other="104"), "Nobody in Veracross")
    assert "The record in Orah stays as it is, and nobody is asked about it again." in asked.text
    after = visitor.send(asked, "/decide")
    assert "Nobody in Veracross:" in after.text
    assert "This case does not wait any more" in visitor.case(ORPHAN).text
    assert "Priya Raman" not in visitor.get("queue", kind="orphan").text


def test_the_next_case_is_the_next_one_of_the_same_filter(journal: Journal, visitor: Visitor) -> None:
    first = visitor.case(NICKNAME, at="0", house="North House")
    after = visitor.send(visitor.follow(first, "Same person"), "/decide")
    assert after.url.params["house"] == "North House"
    assert after.url.params["at"] == "0"
    assert "North House" in after.text


def test_never_goes_on_with_the_next_candidate_of_the_same_case(visitor: Visitor) -> None:
    after = visitor.decide(TWINS, "Never the same")
    assert after.url.path.endswith(TWINS)
    assert "Never the same" in after.text
    assert "decided: not the same" in after.text
    assert 'Orah <a href="/hillcrest/person/orah/504">' in after.text


def test_who_refuses_the_last_candidate_hears_what_comes_next(visitor: Visitor) -> None:
    told = "Nobody else is left: the next run asks whether this is somebody new."
    assert told not in visitor.follow(visitor.case(TWINS), "Never the same").text
    asked = visitor.follow(visitor.decide(TWINS, "Never the same"), "Never the same")
    assert told in asked.text
    assert told not in visitor.follow(visitor.case(NOBODY, other="590"), "Never the same").text


def test_somebody_new_beside_a_strong_candidate_is_warned_of(reader: Visitor) -> None:
    asked = reader.follow(reader.case(TWINS), "Someone new")
    assert "the evidence for somebody is strong" in asked.text
    assert "Heidi Marlowe (Orah 503)" in asked.text
    assert "is strong" not in reader.follow(reader.case(NOBODY), "Someone new").text


def test_a_wrong_link_is_ended_on_the_page_of_the_person(journal: Journal, visitor: Visitor) -> None:
    for path in ("person/veracross/20001", "person/orah/60001"):
        assert "Unlink" in visitor.get(path).text
    asked = visitor.follow(visitor.get("person/orah/60001"), "Unlink")
    assert "no longer linked" in asked.text
    after = visitor.send(asked, "/decide", name="Maria Keller")
    assert after.url.path.endswith("/person/orah/60001")
    decision = newest(journal)
    assert (decision.kind, decision.veracross_id, decision.orah_id) == (Kind.UNLINK, 20001, 60001)


def test_somebody_without_a_case_is_matched_or_said_to_be_new(journal: Journal, visitor: Visitor) -> None:
    alone = visitor.get("person/veracross/112")
    assert "Someone new" in alone.text
    search = visitor.follow(alone, "Match with somebody...")
    found = visitor.client.get(search.url.copy_merge_params({"q": "priya"}))
    assert "Orah only." in found.text
    compared = visitor.follow(found, "Compare")
    assert compared.url.params["other"] == "590"
    assert "Both" not in alone.text
    assert 'scope="col">Agreement' in compared.text
    visitor.send(visitor.follow(compared, "Same person"), "/decide")
    decision = newest(journal)
    assert (decision.kind, decision.veracross_id, decision.orah_id) == (Kind.SAME, 112, 590)
    assert visitor.get("person/veracross/112", other="999999").status_code == 404


def test_a_person_without_a_case_is_new(journal: Journal, visitor: Visitor) -> None:
    visitor.send(visitor.follow(visitor.get("person/veracross/112"), "Someone new"), "/decide")
    decision = newest(journal)
    assert (decision.kind, decision.veracross_id, decision.orah_id) == (Kind.NEW, 112, None)


def test_a_person_with_a_case_is_decided_there(reader: Visitor) -> None:
    text = reader.get("person/veracross/101").text
    assert "Open the case" in text
    assert "Someone new" not in text


def test_a_form_about_another_person_than_its_address_is_refused(journal: Journal, visitor: Visitor) -> None:
    asked = visitor.follow(visitor.get("person/veracross/20001"), "Unlink")
    assert visitor.send(asked, "/decide", veracross="20002").status_code == 400
    assert history(journal, SCHOOL) == []


def test_a_confirmation_of_what_is_linked_otherwise_by_now_is_refused(
    journal: Journal, visitor: Visitor
) -> None:
    asked = visitor.follow(visitor.case(NICKNAME), "Same person")
    record_school(journal, run_id="run-2", left=(101,))
    assert visitor.send(asked, "/decide").status_code == 409
    assert history(journal, SCHOOL) == []


def test_the_page_that_takes_back_names_the_people(visitor: Visitor) -> None:
    visitor.decide(NICKNAME, "Same person")
    text = visitor.get("decisions/1/undo").text
    assert "Jonathan Smith" in text
    assert "Jon Smith" in text


def test_when_only_put_off_cases_are_left_the_queue_comes(journal: Journal, visitors: Visitors) -> None:
    record_school(journal, cases=1)
    after = visitors().decide(NICKNAME, "Later")
    assert after.url.path.endswith("/queue")
    assert "Put off" in after.text


def test_the_name_is_asked_once(journal: Journal, visitor: Visitor) -> None:
    first = visitor.follow(visitor.case(NICKNAME), "Same person")
    assert 'name="name"' in first.text
    visitor.send(first, "/decide", name="Maria Keller")
    second = visitor.follow(visitor.case(NOBODY), "Someone new")
    assert 'name="name"' not in second.text
    visitor.send(second, "/decide")
    assert newest(journal).actor == "Maria Keller"
    visitor.send(visitor.client.get("/name"), "/name", name="Tom Okoro")
    visitor.decide(HOUSE, "Same house")
    assert newest(journal).actor == "Tom Okoro"


def test_the_second_of_two_people_is_told_who_decided_and_when(journal: Journal, visitors: Visitors) -> None:
    record_school(journal)
    slow, quick = visitors(), visitors()
    asked = slow.follow(slow.case(NICKNAME), "Same person")
    quick.decide(NICKNAME, "Never the same", name="Maria Keller", note="Another child")
    refused = slow.send(asked, "/decide")
    assert refused.status_code == 409
    for told in ("Maria Keller", "Never the same", "Another child", "just now", "Nothing was written"):
        assert told in refused.text
    assert [each.kind for each in history(journal, SCHOOL)] == [Kind.NEVER]
    assert NICKNAME in slow.follow(refused, "See it as it is now").url.path


def test_a_decision_that_was_made_while_the_case_was_looked_at_is_told(
    journal: Journal, visitors: Visitors
) -> None:
    record_school(journal)
    slow, quick = visitors(), visitors()
    looking = slow.case(NICKNAME)
    quick.decide(NICKNAME, "Later")
    refused = slow.send(slow.follow(looking, "Same person"), "/decide")
    assert refused.status_code == 409


def test_a_decision_about_others_disturbs_nobody(journal: Journal, visitors: Visitors) -> None:
    record_school(journal)
    slow, quick = visitors(), visitors()
    asked = slow.follow(slow.case(NICKNAME), "Same person")
    quick.decide(NOBODY, "Later")
    assert slow.send(asked, "/decide").status_code == 200


def test_records_that_changed_meanwhile_are_looked_at_again(journal: Journal, visitor: Visitor) -> None:
    asked = visitor.follow(visitor.case(NICKNAME), "Same person")
    record_school(journal, run_id="run-2")
    assert visitor.send(asked, "/decide", note="").status_code == 200
    asked = visitor.follow(visitor.case(TWINS), "Same person")
    refused = visitor.send(asked, "/decide", seal="0" * 16)
    assert refused.status_code == 409
    assert "read these records anew" in refused.text
    assert len(history(journal, SCHOOL)) == 1


def test_a_sent_form_cannot_be_sent_again(journal: Journal, visitor: Visitor) -> None:
    asked = visitor.follow(visitor.case(NICKNAME), "Same person")
    assert visitor.send(asked, "/decide").status_code == 200
    assert visitor.send(asked, "/decide").status_code == 409
    assert len(history(journal, SCHOOL)) == 1


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"answer": "undo"}, 400),
        ({"answer": "perhaps"}, 400),
        ({"veracross": "102"}, 400),
        ({"veracross": "x"}, 400),
        ({"orah": "99999999999999999999"}, 400),
        ({"orah": None}, 409),
        ({"orah": "77777"}, 409),
    ],
)
def test_a_form_that_somebody_altered_is_refused(
    journal: Journal, visitor: Visitor, changes: dict[str, str | None], status: int
) -> None:
    asked = visitor.follow(visitor.case(NICKNAME), "Same person")
    assert visitor.send(asked, "/decide", **changes).status_code == status
    assert history(journal, SCHOOL) == []


def test_a_decision_is_undone_from_the_message(journal: Journal, visitor: Visitor) -> None:
    after = visitor.decide(NICKNAME, "Same person")
    number = newest(journal).number
    back = visitor.send(after, f"/decisions/{number}/undo")
    assert NICKNAME in back.url.path
    assert "Taken back" in back.text
    assert standing(journal, SCHOOL) == []


def test_a_decision_is_undone_from_the_history_with_a_note(journal: Journal, visitor: Visitor) -> None:
    visitor.decide(NICKNAME, "Same person", name="Maria Keller")
    number = newest(journal).number
    asked = visitor.get(f"decisions/{number}/undo")
    assert "Take decision" in asked.text
    visitor.send(asked, "/undo", note="Wrong Jon")
    taken = newest(journal)
    assert (taken.kind, taken.undoes, taken.note) == (Kind.UNDO, number, "Wrong Jon")
    again = visitor.send(asked, "/undo")
    assert again.status_code == 409
    listed = visitor.get("decisions").text
    assert "taken back" in listed
    assert "Wrong Jon" in listed
    assert visitor.get(f"decisions/{taken.number}/undo").status_code == 400
    assert visitor.get("decisions/4711/undo").status_code == 404


def test_the_history_is_filtered_and_paged(journal: Journal, visitor: Visitor) -> None:
    for number in range(120):
        decide(
            journal,
            school=SCHOOL,
            entity=Entity.STUDENT,
            kind=Kind.NEVER if number % 2 else Kind.LATER,
            veracross_id=2000 + number,
            orah_id=6000 + number,
            note="",
            actor="Maria Keller" if number % 3 else "Tom Okoro",
            via="shell",
            at=datetime.now(UTC),
        )
    numbers = []
    answer = visitor.get("decisions", kind="never", actor="Maria Keller")
    while True:
        assert "Tom Okoro</td>" not in answer.text
        numbers += [each for each in range(1, 121) if f'<td class="num">{each}</td>' in answer.text]
        if "Older" not in answer.text:
            break
        answer = visitor.follow(answer, "Older")
    assert len(numbers) == 40
    every = visitor.get("decisions")
    older = visitor.follow(visitor.follow(every, "Older"), "Older")
    assert '<td class="num">1</td>' in older.text
    assert visitor.get("decisions", kind="robot").status_code == 400
