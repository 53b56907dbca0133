"""The rule for writing a mark: nobody's mark but ours is ever replaced."""

from hypothesis import given
from hypothesis import strategies as st

from vx_pipeline.attendance.compare import Decision, decide
from vx_pipeline.journal.marks import Mark

PRESENT, ABSENT, LATE = "1", "2", "3"
statuses = st.sampled_from([None, PRESENT, ABSENT, LATE])
notes = st.sampled_from([None, "spoke to her", "[via Orah]"])
marks = st.builds(Mark, st.just(9), statuses, notes, st.booleans())


def decision(base: Mark, now: Mark) -> Decision:
    return decide(base=base, now=now, ours=ABSENT, present=PRESENT).decision


@given(marks, marks)
def test_only_an_untouched_row_is_written_and_only_once(base: Mark, now: Mark) -> None:
    unchanged = (base.status, base.notes) == (now.status, now.notes)
    untouched = now.status in (None, PRESENT) and now.notes is None
    if decision(base, now) is Decision.WRITE:
        assert unchanged
        assert untouched
        assert not base.ours
    if now.status == ABSENT:
        assert decision(base, now) is Decision.NOTHING


def test_each_case_in_words() -> None:
    fresh = Mark(9, PRESENT, None, ours=False)
    assert decision(fresh, fresh) is Decision.WRITE
    assert decision(Mark(9, None, None, ours=False), Mark(9, None, None, ours=False)) is Decision.WRITE
    late = Mark(9, LATE, None, ours=False)
    assert decision(late, late) is Decision.CONFLICT
    assert decision(fresh, late) is Decision.CONFLICT
    assert decision(Mark(9, None, None, ours=False), fresh) is Decision.CONFLICT
    noted = Mark(9, PRESENT, "spoke to her", ours=False)
    assert decision(noted, noted) is Decision.CONFLICT
    ours = Mark(9, LATE, "[via Orah]", ours=True)
    verdict = decide(base=ours, now=ours, ours=ABSENT, present=PRESENT)
    assert (verdict.decision, verdict.reason) == (Decision.NOTHING, "the row holds what we wrote before")
    assert decision(ours, late) is Decision.CONFLICT
