"""Confirming a group: all of it, or nothing."""

import re

from vx_pipeline.journal import Journal
from vx_pipeline.journal.decisions import Kind, history
from vx_pipeline_tests.review.conftest import Visitors
from vx_pipeline_tests.review.school import BULK, SCHOOL, bulk_case, record_school
from vx_pipeline_tests.review.visitor import Visitor, forms


def test_groups_are_listed_with_their_numbers(reader: Visitor) -> None:
    text = reader.get("groups").text
    assert BULK.capitalize() in text
    assert '<span class="count">5</span>' in text


def test_a_sample_is_shown_side_by_side_and_all_are_ticked(journal: Journal, visitors: Visitors) -> None:
    record_school(journal, cases=100)
    answer = visitors().get("groups/look", pattern=BULK)
    pairs = [value for form in forms(answer) for name, value in form.fields if name == "pair"]
    assert len(pairs) == 31
    assert pairs[0].split()[0] in {bulk_case(number) for number in range(0, 100, 3)}
    assert answer.text.count("field by field") == 10


def test_what_all_cause_is_told_together(reader: Visitor) -> None:
    asked = reader.send(reader.get("groups/look", pattern=BULK), "/groups/confirm")
    for told in ("5 new links", "5 records will change", "E-mail", "changes in 5 records"):
        assert told in asked.text


def test_the_ticked_ones_are_decided_at_once(journal: Journal, visitor: Visitor) -> None:
    look = visitor.get("groups/look", pattern=BULK)
    pairs = [value for form in forms(look) for name, value in form.fields if name == "pair"]
    asked = visitor.client.post(
        f"/{SCHOOL}/groups/confirm",
        data={
            **{name: value for form in forms(look) for name, value in form.fields if name != "pair"},
            "pair": pairs[1:],
        },
    )
    after = visitor.send(asked, "/groups/decide", note="Looked at three of them", name="Maria Keller")
    assert "4 pairs" in after.text
    decided = history(journal, SCHOOL)
    assert len(decided) == 4
    assert {each.kind for each in decided} == {Kind.SAME}
    assert {each.note for each in decided} == {"Looked at three of them"}
    assert {each.actor for each in decided} == {"Maria Keller"}
    assert all(each.seen for each in decided)
    assert {f"student-v{each.veracross_id} {each.orah_id}" for each in decided} == set(pairs[1:])
    left = visitor.get("groups/look", pattern=BULK)
    assert [value for form in forms(left) for name, value in form.fields if name == "pair"] == pairs[:1]


def test_when_one_was_decided_meanwhile_none_is_written(journal: Journal, visitors: Visitors) -> None:
    record_school(journal)
    slow, quick = visitors(), visitors()
    asked = slow.send(slow.get("groups/look", pattern=BULK), "/groups/confirm")
    quick.decide(bulk_case(3), "Never the same", name="Tom Okoro")
    refused = slow.send(asked, "/groups/decide")
    assert refused.status_code == 409
    for told in ("Tom Okoro", "None of the 5 pairs was written"):
        assert told in refused.text
    assert len(history(journal, SCHOOL)) == 1


def test_what_was_decided_while_the_group_was_looked_at_counts_as_meanwhile(
    journal: Journal, visitors: Visitors
) -> None:
    record_school(journal)
    slow, quick = visitors(), visitors()
    look = slow.get("groups/look", pattern=BULK)
    quick.decide(bulk_case(0), "Later")
    assert slow.send(slow.send(look, "/groups/confirm"), "/groups/decide").status_code == 409
    assert len(history(journal, SCHOOL)) == 1


def test_after_a_new_run_the_group_is_looked_at_again(journal: Journal, visitor: Visitor) -> None:
    look = visitor.get("groups/look", pattern=BULK)
    asked = visitor.send(look, "/groups/confirm")
    record_school(journal, run_id="run-2")
    assert visitor.send(look, "/groups/confirm").status_code == 409
    assert visitor.send(asked, "/groups/decide").status_code == 409
    assert history(journal, SCHOOL) == []


def test_pairs_that_no_run_proposed_are_refused(journal: Journal, visitor: Visitor) -> None:
    asked = visitor.send(visitor.get("groups/look", pattern=BULK), "/groups/confirm")
    for pair in ("student-v2000 501", "student-v9 6000", "student-v2000", "student-v2000 x"):
        assert visitor.send(asked, "/groups/decide", pair=pair).status_code == 400
    assert visitor.send(asked, "/groups/decide", pair=None).status_code == 400
    assert visitor.send(asked, "/groups/decide", newest=None).status_code == 400
    assert history(journal, SCHOOL) == []


def test_a_pair_that_is_named_twice_is_one_decision(journal: Journal, visitor: Visitor) -> None:
    asked = visitor.send(visitor.get("groups/look", pattern=BULK), "/groups/confirm")
    form = next(form for form in forms(asked) if form.action.endswith("/groups/decide"))
    fields = dict(form.fields)
    visitor.client.post(form.action, data={**fields, "pair": [fields["pair"]] * 2})
    assert len(history(journal, SCHOOL)) == 1


def test_who_has_left_is_marked_and_not_ticked(journal: Journal, visitors: Visitors) -> None:
    record_school(journal, left=(2000, 2003))
    answer = visitors().get("groups/look", pattern=BULK)
    pairs = [value for form in forms(answer) for name, value in form.fields if name == "pair"]
    assert len(pairs) == 3
    assert not {"student-v2000 6000", "student-v2003 6003"} & set(pairs)
    assert answer.text.count("has left the school</span>") == 2


def test_an_empty_group_leads_back(reader: Visitor) -> None:
    assert reader.get("groups/look", pattern="of nobody").url.path.endswith("/groups")
    look = reader.get("groups/look", pattern=BULK)
    assert reader.send(look, "/groups/confirm", pair=None).url.path.endswith("/groups/look")


def test_hundreds_are_confirmed_in_one_go(journal: Journal, visitors: Visitors) -> None:
    record_school(journal, cases=900, linked=0)
    visitor = visitors()
    asked = visitor.send(visitor.get("groups/look", pattern=BULK), "/groups/confirm")
    assert re.search(r"29\d new links", asked.text)
    visitor.send(asked, "/groups/decide")
    assert 290 <= len(history(journal, SCHOOL, limit=1000)) <= 300
