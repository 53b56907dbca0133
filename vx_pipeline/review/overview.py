"""Where a school stands: what is linked, what waits, what is held, and how old all that is."""

from collections import Counter

from starlette.responses import Response

from vx_pipeline.journal.decisions import Kind, standing
from vx_pipeline.journal.problems import RED, open_problems
from vx_pipeline.review import words
from vx_pipeline.review.queue import case_at, filtered
from vx_pipeline.review.site import Visit


def schools_page(visit: Visit) -> Response:
    """All schools; the only one at once."""
    schools = list(visit.site.schools)
    if len(schools) == 1:
        return visit.go(f"/{schools[0]}/")
    return visit.page("schools.html", schools=schools)


def overview_page(visit: Visit) -> Response:
    """The school's overview."""
    matching = visit.directory.matching
    waiting = filtered(visit, {}, offset=0, limit=1)
    since = matching.at if matching else None
    decided = [one for one in standing(visit.journal, visit.school) if since and one.at >= since]
    problems = open_problems(visit.journal, visit.school)
    counts = dict(matching.counts) if matching else {}
    visit.note("view", "overview")
    return visit.page(
        "overview.html",
        matching=matching,
        read_at=(matching.read_at or matching.at) if matching else None,
        counts=counts,
        rules=sorted(
            (
                (words.count_label(name), count)
                for name, count in counts.items()
                if name.startswith("linked by ")
            ),
            key=lambda each: -each[1],
        ),
        waiting=waiting,
        reasons=sorted(waiting.counts["reason"].items(), key=lambda each: -each[1]),
        kinds=waiting.counts["kind"],
        groups=waiting.counts["pattern"],
        decided=Counter(Kind(one.kind) for one in decided),
        plan=visit.newest_plan,
        problems=len(problems),
        red=sum(problem.colour == RED for problem in problems),
        oldest=min(
            # Of those that the page speaks of: the red ones, where there are any.
            (problem.opened_at for problem in problems if problem.colour == problems[0].colour),
            default=None,
        ),
        first=case_at(visit, {}, 0),
    )
