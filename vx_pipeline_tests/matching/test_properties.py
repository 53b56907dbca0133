"""What holds for the matcher whatever the records are."""

from collections.abc import Sequence
from datetime import date, timedelta
from hashlib import sha256
from typing import Any

import pandas as pd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.matching.adapter import STEP, loaded
from benchmarks.matching.pool import Pool, frame
from vx_pipeline.matching.engine import link_people

Person = dict[str, Any]
School = tuple[list[Person], list[Person]]

# Few values, many of them alike, so that most schools have rivals, twins, doubles and shared addresses.
FIELDS: dict[str, list[Any]] = {
    "first_name": [
        None, "Mari", "Mara", "Alex", "Alexandra", "Zi Han", "Zihan", "Bill", "William", "Theodora", "M", "李",
    ],
    "other_name": [None, "Mari", "Bill", "Zihan", "Theodora"],
    "last_name": [None, "Thornbury", "Thornbery", "Li", "Hill", "Hill Jr", "Thornbury-Hill", "Mari"],
    "middle_name": [None, "Ann", "A", "Bo"],
    "birth_date": [
        None, date(2010, 5, 7), date(2010, 7, 5), date(2010, 5, 8), date(2011, 5, 7), date(2000, 1, 1),
    ],
    "sex": [None, "F", "M"],
    "grade": [None, "9", "10", "12"],
    "email": [None, "a@s.example.edu", "b@s.example.edu", "c@s.example.edu", "d@post.example.org"],
    "family_email": [False, True],
    "student_number": [None, "71", "72", "73"],
    "street": [None, "14 Orchard Lane", "3 Mill Way"],
}  # fmt: skip

ALWAYS_KNOWN = ("first_name", "last_name", "birth_date")

people = st.fixed_dictionaries(
    {name: st.sampled_from(values[1:] if name in ALWAYS_KNOWN else values) for name, values in FIELDS.items()}
)


@st.composite
def shown(draw: st.DrawFn, children: Sequence[Person], begin: int) -> list[Person]:
    """What a system shows of some of the children, with a field or two that differ; some are there twice."""
    who = draw(st.lists(st.sampled_from(range(len(children))), min_size=1, max_size=6))
    records = []
    for at, child in enumerate(who):
        record = {"person_id": begin + at, **children[child]}
        for field in draw(st.lists(st.sampled_from(sorted(FIELDS)), max_size=1)):
            record[field] = draw(st.sampled_from(FIELDS[field]))
        records.append(record)
    return records


@st.composite
def schools(draw: st.DrawFn) -> School:
    children = draw(st.lists(people, min_size=1, max_size=5))
    return draw(shown(children, 1)), draw(shown(children, 501))


# A call costs more than a school does, so each example is several schools.
many_schools = st.lists(schools(), min_size=1, max_size=12)
often = settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck))

OUTCOMES = "SELECT our_id, their_id, outcome, rule, round(score, 6), why FROM matching.outcomes"
LINKS = "SELECT our_id, their_id FROM matching.outcomes WHERE outcome = 'link'"


def read(
    schools: Sequence[School],
    query: str,
    known: Sequence[tuple[int, int]] = (),
    refused: Sequence[tuple[int, int]] = (),
) -> list[tuple[Any, ...]]:
    """Rows of a query after matching, sorted; the order of the records is the order of the rows that go in."""
    nobody = pd.DataFrame({"our_id": [], "their_id": []})
    pools = [Pool("any", frame(ours), frame(theirs), nobody) for ours, theirs in schools]
    with loaded(pools, threads=1) as connection:
        link_people(connection, known=[(*pair, "decision") for pair in known], refused=refused)
        return sorted(connection.execute(query).fetchall(), key=repr)


@often
@given(given_schools=many_schools, data=st.data())
def test_the_order_of_rows_changes_nothing(given_schools: list[School], data: st.DataObject) -> None:
    shuffled = [
        (data.draw(st.permutations(ours)), data.draw(st.permutations(theirs)))
        for ours, theirs in given_schools
    ]
    assert read(given_schools, OUTCOMES) == read(shuffled, OUTCOMES)


def renumbered(records: list[Person]) -> list[Person]:
    """The same people under each other's ids: the first has the last one's."""
    ids = [record["person_id"] for record in records]
    return [{**record, "person_id": other} for record, other in zip(records, reversed(ids), strict=True)]


@often
@given(given_schools=many_schools)
def test_no_tie_is_broken_by_who_was_entered_first(given_schools: list[School]) -> None:
    names = {
        (side, number * STEP + record["person_id"]): number * STEP + other["person_id"]
        for number, school in enumerate(given_schools)
        for side, records in enumerate(school)
        for record, other in zip(records, renumbered(records), strict=True)
    }
    before = read(given_schools, OUTCOMES)
    after = read([(renumbered(ours), renumbered(theirs)) for ours, theirs in given_schools], OUTCOMES)
    assert after == sorted(((names[0, row[0]], names[1, row[1]], *row[2:]) for row in before), key=repr)


@often
@given(given_schools=many_schools)
def test_no_school_changes_what_becomes_of_another(given_schools: list[School]) -> None:
    alone = [
        (our_id + number * STEP, their_id + number * STEP, *rest)
        for number, school in enumerate(given_schools[:2])
        for our_id, their_id, *rest in read([school], OUTCOMES)
    ]
    together = [row for row in read(given_schools, OUTCOMES) if row[0] < 2 * STEP]
    assert together == sorted(alone, key=repr)


@often
@given(given_schools=many_schools)
def test_nobody_is_linked_twice_and_nobody_across_schools(given_schools: list[School]) -> None:
    links = read(given_schools, LINKS)
    assert len({ours for ours, _ in links}) == len({theirs for _, theirs in links}) == len(links)
    assert all(our_id // STEP == their_id // STEP for our_id, their_id in links)


@often
@given(given_schools=many_schools, data=st.data())
def test_decisions_always_win(given_schools: list[School], data: st.DataObject) -> None:
    """Whoever a person linked is linked, to nobody else, and a refused pair is not so much as a candidate."""
    known: set[tuple[int, int]] = set()
    refused: set[tuple[int, int]] = set()
    for number, (ours, theirs) in enumerate(given_schools):
        some = data.draw(st.lists(st.tuples(st.sampled_from(ours), st.sampled_from(theirs)), max_size=4))
        pairs = [(number * STEP + one["person_id"], number * STEP + two["person_id"]) for one, two in some]
        known |= set(pairs[:1])
        refused |= set(pairs[1:]) - set(pairs[:1])
    rows = read(given_schools, OUTCOMES, known=sorted(known), refused=sorted(refused))
    links = {(row[0], row[1]) for row in rows if row[2] == "link"}
    assert known <= links
    assert len({ours for ours, _ in links}) == len({theirs for _, theirs in links}) == len(links)
    assert not refused & {(row[0], row[1]) for row in rows}


def strangers(count: int, begin: int) -> list[Person]:
    """People who share nothing with anybody, nor with each other; ids from 10,000 are only theirs."""
    found = []
    for number in range(begin, begin + count):
        letters = (
            sha256(str(number).encode()).hexdigest().translate(str.maketrans("0123456789", "ghknpqrstv"))
        )
        found.append(
            {
                "person_id": number,
                "first_name": letters[:9],
                "last_name": letters[9:20],
                "birth_date": date(1950, 1, 1) + timedelta(days=number % 10_000),
                "grade": letters[20:30],
                "email": f"{letters[30:40]}@{letters[40:50]}.example.net",
                "student_number": letters[:12],
                "street": letters[50:64],
            }
        )
    return found


@often
@given(
    given_schools=many_schools, where=st.sampled_from([(1, 0), (0, 1), (1, 1), (60, 0), (0, 60), (60, 60)])
)
def test_an_unrelated_person_never_links_others(given_schools: list[School], where: tuple[int, int]) -> None:
    joined = [
        (ours + strangers(where[0], 10_000), theirs + strangers(where[1], 15_000))
        for ours, theirs in given_schools
    ]
    others = {pair for pair in read(joined, LINKS) if pair[0] % STEP < 10_000}
    assert others <= set(read(given_schools, LINKS))


@often
@given(given_schools=many_schools)
def test_the_evidence_adds_up_to_the_score(given_schools: list[School]) -> None:
    rows = read(
        given_schools,
        """
        SELECT outcomes.our_id, outcomes.their_id, any_value(outcomes.score), coalesce(sum(weighed.bits), 0)
        FROM matching.outcomes
        LEFT JOIN weighed USING (our_id, their_id)
        GROUP BY ALL
        """,
    )
    for our_id, their_id, score, bits in rows:
        assert abs(score - bits) < 1e-6, (our_id, their_id)
