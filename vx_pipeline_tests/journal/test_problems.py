"""Problems: opened by the run that first meets them, closed by the first that does not, told once each time."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from vx_pipeline.journal import Journal, open_journal
from vx_pipeline.journal.problems import RED, YELLOW, News, Trouble, open_problems, record_troubles
from vx_pipeline_tests.journal.held import NOW, SCHOOL

DAY = timedelta(days=1)
ONE = Trouble(YELLOW, "student", 1, "Veracross has no complete name")
GATE = Trouble(RED, "sync", 0, "veracross.students is empty")


def night(journal: Journal, number: int, *found: Trouble, source: str = "plan", school: str = SCHOOL) -> News:
    return record_troubles(journal, school, source, found, at=NOW + number * DAY)


def test_a_problem_is_told_when_it_comes_and_when_it_goes(journal: Journal) -> None:
    (opened,) = night(journal, 0, ONE).opened
    assert opened.told == "student 1: Veracross has no complete name"
    assert night(journal, 1, ONE) == News((), ())
    (lasting,) = open_problems(journal, SCHOOL)
    assert (lasting.opened_at, lasting.seen_at, lasting.times) == (NOW, NOW + DAY, 2)
    (closed,) = night(journal, 2).closed
    assert closed.number == opened.number
    assert open_problems(journal, SCHOOL) == []
    assert night(journal, 3) == News((), ())
    (again,) = night(journal, 4, ONE).opened
    assert again.number != opened.number


def test_a_reason_in_other_words_is_the_same_problem(journal: Journal) -> None:
    night(journal, 0, ONE)
    other = Trouble(YELLOW, "student", 1, "two records carry the student's id")
    assert night(journal, 1, other) == News((), ())
    assert open_problems(journal, SCHOOL)[0].reason == other.reason


def test_what_gets_worse_is_told_anew(journal: Journal) -> None:
    night(journal, 0, ONE)
    red = Trouble(RED, "student", 1, "it stopped")
    news = night(journal, 1, red, ONE)
    assert ([one.colour for one in news.opened], [one.colour for one in news.closed]) == ([RED], [YELLOW])


def test_each_source_and_school_closes_only_its_own(journal: Journal) -> None:
    night(journal, 0, ONE, GATE)
    night(journal, 0, ONE, source="apply")
    night(journal, 0, ONE, school="south")
    assert len(night(journal, 1).closed) == 2
    assert [one.source for one in open_problems(journal, SCHOOL)] == ["apply"]
    assert len(open_problems(journal, "south")) == 1


def test_red_comes_first_and_what_is_about_no_record_has_no_number(journal: Journal) -> None:
    night(journal, 0, ONE)
    night(journal, 1, ONE, GATE)
    first, second = open_problems(journal, SCHOOL)
    assert (first.told, second.key) == ("sync: veracross.students is empty", 1)


troubles = st.builds(
    Trouble,
    st.sampled_from([YELLOW, RED]),
    st.sampled_from(["student", "house"]),
    st.integers(0, 2),
    st.sampled_from(["one reason", "another reason"]),
)


def colours(found: Sequence[Trouble]) -> dict[tuple[str, int], str]:
    """What is wrong with what: red if anything about it is."""
    worst: dict[tuple[str, int], str] = {}
    for one in found:
        place = (one.entity, one.key)
        worst[place] = RED if RED in (one.colour, worst.get(place)) else YELLOW
    return worst


@given(
    nights=st.lists(st.tuples(st.sampled_from(["plan", "apply"]), st.lists(troubles, max_size=5)), max_size=8)
)
@settings(max_examples=40, deadline=None)
def test_each_change_of_state_is_told_exactly_once(nights: list[tuple[str, list[Trouble]]]) -> None:
    with TemporaryDirectory() as home:
        journal = open_journal(Path(home))
        state: dict[str, dict[tuple[str, int], str]] = {"plan": {}, "apply": {}}
        for number, (source, found) in enumerate(nights):
            news = night(journal, number, *found, source=source)
            before, after = state[source], colours(found)
            state[source] = after
            opened = [((one.entity, one.key), one.colour) for one in news.opened]
            closed = [((one.entity, one.key), one.colour) for one in news.closed]
            assert sorted(opened) == sorted(after.items() - before.items())
            assert sorted(closed) == sorted(before.items() - after.items())
            lasting = {
                (one.source, one.entity, one.key): one.colour for one in open_problems(journal, SCHOOL)
            }
            assert lasting == {
                (name, *place): colour for name in state for place, colour in state[name].items()
            }
        journal.close()
