"""A short form of ``python -m benchmarks.matching``: no wrong link, and as few questions as promised."""

from collections.abc import Iterable
from dataclasses import replace

import pandas as pd
import pytest

from benchmarks.matching.adapter import match
from benchmarks.matching.pool import Pool
from benchmarks.matching.schools.school import make_school
from benchmarks.matching.schools.shown import Fields
from benchmarks.matching.score import Score, judge, total, wrong_links
from benchmarks.matching.sets import SETS, Bar

SIZES = (120, 200, 280, 350, 420, 500)


def score_of(pools: Iterable[Pool]) -> Score:
    """The score of small schools matched in one call; a wrong link is shown with both records."""
    made = list(pools)
    matched = match(made)
    for pool, outcomes in zip(made, matched.outcomes, strict=True):
        wrong = wrong_links(pool, outcomes)
        assert wrong.empty, wrong.dropna(axis=1, how="all").T.to_string()
    return total(judge(pool, outcomes) for pool, outcomes in zip(made, matched.outcomes, strict=True))


def passes(score: Score, bar: Bar) -> None:
    # Time and memory are measured where nothing else runs.
    untimed = Bar(bar.recall, bar.recall_with_review, bar.review_share)
    assert untimed.missed(score) == [], score


def test_febrl4() -> None:
    passes(score_of([SETS["febrl4"].pool(0)]), SETS["febrl4"].bar)


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("schools", Fields()),
        ("schools-email", Fields(emails=True)),
        ("schools-number", Fields(emails=True, numbers=True)),
        ("schools-names", Fields(personal=False, emails=True)),
    ],
)
def test_six_small_schools(name: str, fields: Fields) -> None:
    passes(score_of(make_school(70_000 + size, size, fields) for size in SIZES), SETS[name].bar)


def test_the_truth_is_told_by_nothing_that_is_shown() -> None:
    """Neither ids nor the order of rows says who is who."""
    pool = make_school(7, 400)
    assert set(pool.ours["person_id"]).isdisjoint(pool.theirs["person_id"])
    places = pool.truth.merge(
        pool.ours.reset_index(names="ours"), left_on="our_id", right_on="person_id"
    ).merge(pool.theirs.reset_index(names="theirs"), left_on="their_id", right_on="person_id")
    assert abs(places["ours"].corr(places["theirs"])) < 0.2
    assert abs(places["our_id"].corr(places["their_id"])) < 0.2


def test_the_same_seed_is_the_same_school() -> None:
    one, two, other = (make_school(seed, 300, Fields(emails=True, numbers=True)) for seed in (7, 7, 8))
    for part in ("ours", "theirs", "truth"):
        pd.testing.assert_frame_equal(getattr(one, part), getattr(two, part))
    assert not one.ours.equals(other.ours)


def test_a_school_has_what_makes_matching_hard() -> None:
    """Each of these is a share of the records in both systems; the rates are assumptions, not this."""
    pools = [make_school(90_000 + number, 900, Fields(emails=True, numbers=True)) for number in range(4)]
    both = pd.concat(
        pool.truth.merge(pool.ours, left_on="our_id", right_on="person_id").merge(
            pool.theirs, left_on="their_id", right_on="person_id", suffixes=("", "_theirs")
        )
        for pool in pools
    )
    shares = {
        field: (
            (both[field] != both[f"{field}_theirs"]) & both[field].notna() & both[f"{field}_theirs"].notna()
        ).mean()
        for field in ("birth_date", "last_name", "email", "student_number")
    }
    assert 0.01 < shares["birth_date"] < 0.05
    assert 0.05 < shares["last_name"] < 0.2
    assert 0.02 < shares["email"] < 0.15
    assert 0.002 < shares["student_number"] < 0.02
    for pool in pools:
        assert 0.03 < 1 - pool.truth["our_id"].nunique() / len(pool.ours) < 0.08
        assert pool.truth["our_id"].duplicated().any() or pool.truth["their_id"].duplicated().any()
    # Somebody else's address, though nobody else has it on that side.
    stolen = sum(
        len(pool.theirs.merge(pool.ours, on="email").merge(
            pool.truth, left_on=["person_id_y", "person_id_x"], right_on=["our_id", "their_id"], how="left_anti"
        ).dropna(subset=["email"]))
        for pool in pools
    )  # fmt: skip
    assert stolen >= 10


def test_a_wrong_link_is_counted_and_a_missed_bar_is_told() -> None:
    nobody = pd.Series([None, None, None], dtype=object)
    ours = pd.DataFrame({"person_id": [1, 2, 3], "last_name": nobody})
    theirs = pd.DataFrame({"person_id": [11, 12, 13], "last_name": nobody})
    pool = Pool("three", ours, theirs, pd.DataFrame({"our_id": [1, 2, 3], "their_id": [11, 12, 13]}))
    outcomes = pd.DataFrame(
        [(1, 11, "link", 30), (2, 13, "link", 9), (3, 13, "review", 8), (2, 12, "conflict", 7)],
        columns=["our_id", "their_id", "outcome", "score"],
    )
    score = replace(judge(pool, outcomes), seconds=1.0)
    assert (score.people, score.right, score.wrong, score.found, score.asked) == (3, 1, 1, 3, 1)
    assert wrong_links(pool, outcomes)[["our_id", "their_id"]].values.tolist() == [[2, 13]]
    assert Bar(0.5, 1.0, 0.2, 0.5).missed(score) == ["wrong", "recall", "review_share", "seconds"]
    assert Bar().missed(total([score, score])) == ["wrong"]
