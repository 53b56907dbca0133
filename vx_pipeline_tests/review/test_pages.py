"""Every page as a visitor without a script meets it."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from vx_pipeline.journal import Journal
from vx_pipeline.journal.decisions import Entity, Kind, decide
from vx_pipeline.journal.plans import record_plan
from vx_pipeline_tests.review.conftest import Visitors
from vx_pipeline_tests.review.school import (
    BULK,
    CONFLICT,
    CONTESTED,
    HOUSE,
    NICKNAME,
    NOBODY,
    ORPHAN,
    REOPENED,
    SCHOOL,
    STAFF,
    TWINS,
    record_school,
)
from vx_pipeline_tests.review.visitor import Visitor

PAGES = (
    "",
    "queue",
    *(
        f"case/{case}"
        for case in (NICKNAME, TWINS, CONFLICT, NOBODY, CONTESTED, REOPENED, ORPHAN, STAFF, HOUSE)
    ),
    "groups",
    f"groups/look?pattern={BULK}",
    "search?q=smith",
    f"search?q=smith&case={NICKNAME}",
    "decisions",
    "person/veracross/101",
    "person/orah/501",
    "person/staff/701",
    "plan",
    "plans",
    "problems",
    "nowhere",
)
ELSEWHERE = re.compile(r"""(?:src|href|action)\s*=\s*["']?\s*(?:[a-z]+:)?//""", re.IGNORECASE)
INLINE = re.compile(r"<style|\sstyle=|\son[a-z]+=|javascript:|<script(?![^>]*\ssrc=)", re.IGNORECASE)


@pytest.mark.parametrize("path", PAGES)
def test_nothing_on_a_page_leads_elsewhere_or_stands_inline(reader: Visitor, path: str) -> None:
    text = reader.get(path).text
    assert "<main" in text
    assert not ELSEWHERE.search(text)
    assert not INLINE.search(text)


def test_one_school_is_opened_at_once(reader: Visitor) -> None:
    assert reader.client.get("/").url.path == f"/{SCHOOL}/"


def test_several_schools_are_listed(journal: Journal, visitors: Visitors) -> None:
    visitor = visitors(schools=["hillcrest", "lakeside"])
    text = visitor.client.get("/").text
    assert 'href="/hillcrest/"' in text
    assert 'href="/lakeside/"' in text
    assert "Nothing to review yet" in visitor.client.get("/lakeside/").text
    assert visitor.client.get("/seaside/").status_code == 404


def test_before_the_first_run_every_list_is_empty(visitors: Visitors) -> None:
    visitor = visitors()
    for path in ("", "queue", "groups", "decisions", "search?q=smith"):
        assert visitor.get(path).status_code == 200
    assert "Nothing to review yet" in visitor.get("queue").text
    assert "All cases are answered" not in visitor.get("queue").text


def test_a_candidate_without_a_rule_says_so(journal: Journal, visitors: Visitors) -> None:
    record_school(journal, rule="")
    text = visitors().case(NICKNAME).text
    assert "No rule fits." in text
    assert "an earlier run" not in text


def test_the_queue_says_how_strong_the_evidence_is(reader: Visitor) -> None:
    row = re.search(r"Jonathan Smith.*?</li>", reader.get("queue").text, re.DOTALL)
    assert row is not None
    assert '<span class="strength">strong</span>' in row[0]


def test_why_a_person_is_asked_stands_before_the_records(reader: Visitor) -> None:
    text = reader.case(NICKNAME).text
    assert text.index("Why a person is asked") < text.index("Both records field by field")
    assert "Why a person is asked" not in reader.case(NOBODY).text


def test_one_record_alone_has_one_column(reader: Visitor) -> None:
    for text in (reader.case(ORPHAN).text, reader.get("person/veracross/104").text):
        assert '<th scope="col">Orah</th>' not in text
        assert "<dt>First name</dt>" in text


def test_that_somebody_has_left_is_told_on_the_case_and_before_the_link(
    journal: Journal, visitors: Visitors
) -> None:
    record_school(journal, left=(101,))
    visitor = visitors()
    told = "has left the school: the record will be deactivated"
    case = visitor.case(NICKNAME)
    assert told in case.text
    assert told in visitor.follow(case, "Same person").text
    assert told not in visitor.case(TWINS).text


def test_the_message_of_one_school_is_not_shown_by_another(journal: Journal, visitors: Visitors) -> None:
    record_school(journal)
    record_school(journal, school="lakeside")
    visitor = visitors(schools=[SCHOOL, "lakeside"])
    asked = visitor.follow(visitor.case(NICKNAME), "Same person")
    visitor.client.follow_redirects = False
    visitor.send(asked, "/decide")
    visitor.client.follow_redirects = True
    elsewhere = visitor.client.get("/lakeside/").text
    assert "Jonathan" not in elsewhere
    assert "Undo" not in elsewhere
    assert "Decision 1" in visitor.get("").text
    assert "Decision 1." not in visitor.get("").text


def test_the_overview_counts_what_waits_and_what_is_linked(journal: Journal, visitor: Visitor) -> None:
    text = visitor.get("").text
    assert "24 cases wait for you" in text
    assert "Only name and year level agree." in text
    assert "by the id of Veracross in Orah" in text
    assert "This is old" not in text
    visitor.decide(NICKNAME, "Same person")
    text = visitor.get("").text
    assert "23 cases wait for you" in text
    assert "Nothing since the last run" not in text


def test_the_overview_warns_of_old_data(journal: Journal, visitors: Visitors) -> None:
    read_at = datetime.now(UTC) - timedelta(hours=37)
    record_school(journal, read_at=read_at)
    text = visitors().get("").text
    assert "Data read <strong>1 day ago" in text
    assert "This is old" in text


def test_the_overview_says_what_is_held(journal: Journal, visitor: Visitor) -> None:
    assert "The newest plan is held" not in visitor.get("").text
    record_plan(
        journal,
        school=SCHOOL,
        at=datetime.now(UTC),
        run_id="run-1",
        fingerprint="0",
        hold_reason="12 removals at once",
        rows=(),
    )
    text = visitor.get("").text
    assert "The newest plan is held" in text
    assert "12 removals at once" in text


def test_the_queue_begins_with_the_surest(reader: Visitor) -> None:
    scores = [int(score) for score in re.findall(r"Evidence: </span>(-?\d+)<", reader.get("queue").text)]
    assert len(scores) == 24
    assert scores == sorted(scores, reverse=True)


def test_the_queue_is_filtered_and_says_what_each_choice_would_show(reader: Visitor) -> None:
    text = reader.get("queue").text
    choices = dict(re.findall(r'<option value="(conflict|contested|unmatched)" >[^<(]*\((\d+)\)', text))
    assert choices == {"conflict": "1", "contested": "1", "unmatched": "20"}
    grades = re.findall(r'<option value="(Grade \d+)"', text)
    assert grades == sorted(grades, key=lambda grade: int(grade.split()[1]))
    found = reader.get("queue", kind="conflict").text
    assert "Kwame Mensah" in found
    assert "Jonathan Smith" not in found
    none = reader.get("queue", kind="conflict", house="North House").text
    assert "No case fits" in none
    assert reader.get("queue", entity="robot").status_code == 400


def test_a_thousand_cases_come_a_page_at_a_time(journal: Journal, visitors: Visitors) -> None:
    record_school(journal, cases=1000)
    visitor = visitors()
    seen: list[str] = []
    for start in range(0, 1000, 50):
        text = visitor.get("queue", **({"from": str(start)} if start else {})).text
        found = re.findall(rf'href="/{SCHOOL}/case/([a-z]+-[vo]\d+)\?at=(\d+)', text)
        assert [int(place) for _, place in found] == list(range(start, start + 50))
        seen += [case_id for case_id, _ in found]
    assert len(set(seen)) == 1000
    assert 'rel="next"' not in text
    assert "Nothing waits" in visitor.get("queue", **{"from": "5000"}).text


def test_a_case_shows_both_records_and_tells_how_they_agree(reader: Visitor) -> None:
    text = reader.case(NICKNAME).text
    for told in ("Jonathan", "Jon", "nearly the same: a short form", "missing in Orah", "differs", "+12.0"):
        assert told in text
    assert "The runner-up is 20.1 bits behind" in text
    assert "A short first name needs" in text
    assert "4 fields will change in Orah" in text
    assert "3 days of attendance" in text


def test_each_candidate_can_be_looked_at(reader: Visitor) -> None:
    text = reader.case(NICKNAME, other="502").text
    assert "Another first name, another sex." in text
    assert "Another candidate is 20.1 bits ahead" in text


def test_a_record_that_is_no_candidate_can_be_picked(reader: Visitor) -> None:
    found = reader.get("search", q="priya", case=NICKNAME).text
    assert f"/{SCHOOL}/case/{NICKNAME}?other=590" in found
    text = reader.case(NICKNAME, other="590").text
    assert "picked by you, not by the matcher" in text
    assert "Same person" in text
    assert reader.get(f"case/{NICKNAME}", other="99999").status_code == 404


def test_somebody_can_be_found_for_a_record_that_nobody_stands_behind(reader: Visitor) -> None:
    assert "Same person" not in reader.case(ORPHAN).text
    found = reader.get("search", q="zofia", case=ORPHAN).text
    assert f"/{SCHOOL}/case/{ORPHAN}?other=104" in found
    assert "Same person" in reader.case(ORPHAN, other="104").text


def test_twins_are_shown_as_such(reader: Visitor) -> None:
    text = reader.case(TWINS).text
    assert "Be careful: there is a twin" in text
    assert text.count("Heide Marlowe") >= 2
    assert "Be careful" not in reader.case(NICKNAME).text


def test_a_link_in_doubt_can_be_kept_or_ended(reader: Visitor) -> None:
    text = reader.case(CONTESTED).text
    assert "Keep the link" in text
    assert "Unlink" in text
    assert "Someone new" not in text
    assert "linked now" in text


def test_the_decisions_about_both_records_stand_on_the_case(journal: Journal, visitor: Visitor) -> None:
    decide(
        journal,
        school=SCHOOL,
        entity=Entity.STUDENT,
        kind=Kind.NEVER,
        veracross_id=101,
        orah_id=502,
        note="Her cousin",
        actor="Maria Keller",
        via="shell",
        at=datetime.now(UTC),
    )
    text = visitor.case(NICKNAME).text
    assert "Maria Keller" in text
    assert "Her cousin" in text
    assert "decided: not the same" in text


def test_a_person_page_tells_the_link_and_its_evidence(reader: Visitor) -> None:
    text = reader.get("person/veracross/20001").text
    assert "Linked with Orah" in text
    assert "Why they are linked" in text
    assert "+12.0" in text
    back = reader.get("person/orah/60001").text
    assert "Linked with Veracross" in back
    assert "Why they are linked" in back
    assert "A case waits" in reader.get("person/veracross/105").text
    assert reader.get("person/veracross/701").status_code == 404
    assert "Grace Odell" in reader.get("person/veracross/701", entity="staff").text
    assert reader.get("person/elsewhere/101").status_code == 404
