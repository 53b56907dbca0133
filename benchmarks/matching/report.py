"""The results as a table in Markdown, with the bar beside each number that has one."""

from collections.abc import Mapping

from benchmarks.matching.measure import Result
from benchmarks.matching.score import Score
from benchmarks.matching.sets import SETS, Bar

_HEAD = (
    "| set | pools | records | right | wrong | linked | in review | linked or shown | seconds | CPU s | MiB |",
    "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
)


def table(results: Mapping[str, Result]) -> str:
    """One line for each set; what misses its bar is bold."""
    lines = [_line(SETS[name].about, result.score, SETS[name].bar) for name, result in results.items()]
    return "\n".join([*_HEAD, *lines])


def _line(about: str, score: Score, bar: Bar) -> str:
    missed = bar.missed(score)

    def cell(name: str, shown: str, limit: str | None) -> str:
        value = f"**{shown}**" if name in missed else shown
        return f"{value} ({limit})" if limit else value

    cells = (
        about,
        f"{score.pools:,}",
        f"{score.ours:,} / {score.theirs:,}",
        f"{score.right:,}",
        cell("wrong", f"{score.wrong:,}", "0"),
        cell("recall", f"{score.recall:.3f}", _limit("≥", bar.recall)),
        cell("review_share", f"{score.review_share:.1%}", _limit("≤", bar.review_share, ".0%")),
        cell("recall_with_review", f"{score.recall_with_review:.4f}", _limit("≥", bar.recall_with_review)),
        cell("seconds", f"{score.seconds:.1f}", _limit("<", bar.seconds, ".0f")),
        f"{score.cpu_seconds:.1f}",
        cell("peak_mb", f"{score.peak_mb:,.0f}", _limit("<", bar.peak_mb, ",.0f")),
    )
    return f"| {' | '.join(cells)} |"


def _limit(sign: str, value: float | None, shown: str = ".2f") -> str | None:
    return None if value is None else f"{sign} {value:{shown}}"
