"""How good a result is: links and questions counted against the truth."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import pandas as pd

from benchmarks.matching.pool import Pool

_PAIR = ["our_id", "their_id"]

SHOWN = 5
"""How many candidates of a student a person is shown; what ranks below is counted as not found."""


@dataclass(frozen=True)
class Score:
    """Counts over one pool or several.

    Args:
        pools: how many schools were matched, each by itself.
        ours, theirs: records of both systems.
        people: of our records, those whose person has a record of theirs.
        right, wrong: links made, by whether the two records are one person.
        found: of ``people``, those linked rightly or whose true record is among the candidates that a person sees.
        asked: records of theirs that a person has to look at.
        seconds: time in the matcher.
        cpu_seconds: the processors' time in it.
        peak_mb: greatest resident memory of the processes that matched, in MiB, added up.
    """

    pools: int
    ours: int
    theirs: int
    people: int
    right: int
    wrong: int
    found: int
    asked: int
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    peak_mb: float = 0.0

    @property
    def recall(self) -> float:
        """The share of the people who are linked without a question."""
        return self.right / max(1, self.people)

    @property
    def recall_with_review(self) -> float:
        """The share of the people who are linked, or are shown to a person with the right candidate."""
        return self.found / max(1, self.people)

    @property
    def review_share(self) -> float:
        """The share of their records that cost a person's time."""
        return self.asked / max(1, self.theirs)


def judge(pool: Pool, outcomes: pd.DataFrame) -> Score:
    """Counts what is right and wrong in a pool's outcomes; time and memory are for others to add."""
    pairs = outcomes.dropna(subset=_PAIR)
    true = _is_true(pairs, pool.truth)
    links = pairs["outcome"] == "link"
    right = pairs[links & true]["our_id"].nunique()
    questions = pairs[pairs["outcome"].isin(["review", "conflict"])]
    rank = questions.groupby("our_id")["score"].rank(method="first", ascending=False)
    shown = questions[rank <= SHOWN]
    found = pd.concat([pairs[links & true], shown[true[shown.index]]])
    asked = outcomes[outcomes["outcome"].isin(["review", "conflict"])]["their_id"].dropna()
    return Score(
        pools=1,
        ours=len(pool.ours),
        theirs=len(pool.theirs),
        people=pool.truth["our_id"].nunique(),
        right=right,
        wrong=int((links & ~true).sum()),
        found=found["our_id"].nunique(),
        asked=len(set(asked) - set(pairs[links]["their_id"])),
    )


def wrong_links(pool: Pool, outcomes: pd.DataFrame) -> pd.DataFrame:
    """Every link of two people: rule and score, and what both records show."""
    links = outcomes[outcomes["outcome"] == "link"].dropna(subset=_PAIR)
    wrong = links[~_is_true(links, pool.truth)]
    shown = wrong.merge(pool.ours.add_prefix("our_"), left_on="our_id", right_on="our_person_id")
    shown = shown.merge(pool.theirs.add_prefix("their_"), left_on="their_id", right_on="their_person_id")
    return shown.assign(pool=pool.name)


def total(scores: Iterable[Score]) -> Score:
    """The sum over several pools; of the memory the greatest."""
    summed = list(scores)
    counts = (
        "pools",
        "ours",
        "theirs",
        "people",
        "right",
        "wrong",
        "found",
        "asked",
        "seconds",
        "cpu_seconds",
    )
    added = {name: sum(getattr(score, name) for score in summed) for name in counts}
    return replace(summed[0], **added, peak_mb=max(score.peak_mb for score in summed))


def _is_true(pairs: pd.DataFrame, truth: pd.DataFrame) -> "pd.Series[bool]":
    known = pd.MultiIndex.from_frame(truth[_PAIR].astype("int64"))
    asked = pd.MultiIndex.from_frame(pairs[_PAIR].astype("int64"))
    return pd.Series(asked.isin(known), index=pairs.index, dtype=bool)
