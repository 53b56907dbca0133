"""The data sets of the benchmark, and the bar that each has to pass."""

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.matching.census import Census
from benchmarks.matching.febrl import Febrl4
from benchmarks.matching.pool import Pool
from benchmarks.matching.schools.school import Schools
from benchmarks.matching.schools.shown import Fields
from benchmarks.matching.score import Score


@dataclass(frozen=True)
class Bar:
    """What a set has to reach; None asks for nothing. No wrong link is asked of every set.

    Args:
        recall: least share of people linked without a question.
        recall_with_review: least share of people linked, or shown to a person with the right candidate.
        review_share: greatest share of their records that a person has to look at.
        seconds: greatest time in the matcher.
        peak_mb: greatest resident memory while matching, in MiB.
    """

    recall: float | None = None
    recall_with_review: float | None = None
    review_share: float | None = None
    seconds: float | None = None
    peak_mb: float | None = None

    def missed(self, score: Score) -> list[str]:
        """What of it a score misses, by name."""
        failed = ["wrong"] if score.wrong else []
        failed += [
            name
            for name in ("recall", "recall_with_review")
            if (least := getattr(self, name)) is not None and getattr(score, name) < least
        ]
        failed += [
            name
            for name in ("review_share", "seconds", "peak_mb")
            if (most := getattr(self, name)) is not None and getattr(score, name) > most
        ]
        return failed


@dataclass(frozen=True)
class DataSet:
    """A set of pools, each of which is matched by itself.

    Args:
        name: how it is asked for.
        about: what it is, for the report.
        bar: what it has to pass.
        size: how many pools there are, and in a quick run.
        pool: makes the pool with a number from 0; its ``repr`` says everything that it depends on.
        processes: how many match at the same time.
        batch: how many pools are matched in one call.
        same_name_and_year: the policy that lets a unique name with the same year level link.
    """

    name: str
    about: str
    bar: Bar
    size: int
    pool: Callable[[int], Pool]
    quick_size: int = 1
    processes: int = 1
    batch: int = 1
    same_name_and_year: bool = False


_SCHOOL = Bar(recall=0.86, recall_with_review=0.99, review_share=0.14)
_WITH_EMAIL = Bar(recall=0.93, recall_with_review=0.99, review_share=0.07)
_MILLION = {"seconds": 60, "peak_mb": 3 * 1024}
_EMAILS = Fields(emails=True)

SETS = {
    one.name: one
    for one in (
        DataSet(
            "febrl4", "febrl4, whole, with address", Bar(0.67, 0.99, seconds=2), 1, Febrl4()
        ),
        DataSet("febrl4-partial", "febrl4, half in both", Bar(0.67, 0.99), 1, Febrl4(0.7)),
        DataSet("census", "pseudopeople 2020", Bar(0.80, 0.99), 6, Census()),
        DataSet(
            "census-noisy", "pseudopeople 2020, four-fold noise", Bar(None, 0.89), 6, Census(noise=4)
        ),
        DataSet("census-later", "pseudopeople 2020 and 2030", Bar(0.80, 0.99), 3, Census(years=(2020, 2030))),
        DataSet("schools", "schools without e-mail", _SCHOOL, 40, Schools(10_000), 6),
        DataSet("schools-email", "schools with e-mail", _WITH_EMAIL, 40, Schools(20_000, _EMAILS), 6),
        DataSet(
            "schools-number", "schools with e-mail and student number", _WITH_EMAIL, 40,
            Schools(30_000, Fields(emails=True, numbers=True)), 6,
        ),
        DataSet(
            "schools-names", "schools with names, year level and e-mail only", Bar(), 40,
            Schools(40_000, Fields(personal=False, emails=True)), 6,
        ),
        DataSet(
            "schools-names-year", "the same, unique name and year level link", Bar(), 40,
            Schools(40_000, Fields(personal=False, emails=True)), 6, same_name_and_year=True,
        ),
        DataSet(
            "school-5000", "one school of 5,000", Bar(seconds=2), 1, Schools(50_000, _EMAILS, 5200, 5200)
        ),
        DataSet(
            "million", "1,000,000 students in 1,000 schools", Bar(0.86, 0.99, 0.14, **_MILLION),
            1000, Schools(100_000), 40, processes=2, batch=20,
        ),
        DataSet(
            "million-email", "the same with e-mail", Bar(0.93, 0.99, 0.07, **_MILLION),
            1000, Schools(200_000, _EMAILS), 40, processes=2, batch=20,
        ),
    )
}  # fmt: skip
