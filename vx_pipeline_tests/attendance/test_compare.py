"""The rule for writing a mark: nobody's mark but ours is ever replaced. Every case there is, one by one."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise, product

import pytest

from vx_pipeline.attendance.compare import Decision, Verdict, decide, decide_restore
from vx_pipeline.attendance_policy import Mode
from vx_pipeline.journal.mark_questions import Answer
from vx_pipeline.journal.marks import Mark, note_left

PRESENT, ABSENT, LATE = "1", "2", "3"
STATUSES = (None, PRESENT, ABSENT, LATE)
NOTES = (None, "spoke to her", "[via Orah]")
MODES: tuple[Mode, ...] = ("never_overwrite", "overwrite_present_only", "orah_wins")
STATES = tuple(product(STATUSES, NOTES))


@dataclass(frozen=True)
class Case:
    """One comparison."""

    base: Mark
    now: Mark
    ours: str
    present: str | None
    corrected: bool
    mode: Mode
    answer: Answer | None

    @property
    def is_unchanged(self) -> bool:
        return (self.base.status, self.base.notes) == (self.now.status, self.now.notes)

    @property
    def is_untouched(self) -> bool:
        """Nobody marked the row, or has since we saw it first."""
        blank = self.now.status in (None, self.present) and not self.now.notes
        return self.is_unchanged and blank and not self.base.ours

    @property
    def is_ours(self) -> bool:
        """The row holds what we wrote."""
        return self.is_unchanged and self.base.ours

    def decide(self) -> Verdict:
        return decide(**vars(self))


def cases(mode: Mode) -> Iterator[Case]:
    """Every comparison of small words, in one mode."""
    for base, now, is_ours, ours, present, corrected, answer in product(
        STATES,
        STATES,
        (False, True),
        (PRESENT, ABSENT, LATE),
        (None, PRESENT),
        (False, True),
        (None, *Answer),
    ):
        yield Case(
            Mark(9, *base, ours=is_ours), Mark(9, *now, ours=False), ours, present, corrected, mode, answer
        )


def writes(mode: Mode) -> Iterator[Case]:
    return (case for case in cases(mode) if case.decide().decision is Decision.WRITE)


def test_by_default_only_rows_that_nobody_marked_and_our_own_are_written() -> None:
    found = list(writes("never_overwrite"))
    for case in found:
        assert case.is_untouched or case.is_ours or case.answer is Answer.USE_OURS, case
    assert any(case.is_untouched for case in found)
    assert any(case.is_ours and case.answer is None for case in found)


def test_a_school_that_lets_orah_win_over_present_lets_it_win_over_nothing_else() -> None:
    over_a_person = 0
    for case in writes("overwrite_present_only"):
        if case.is_ours or case.answer is Answer.USE_OURS:
            continue
        assert case.now.status in (None, case.present), case
        over_a_person += not case.is_untouched
    assert over_a_person


@pytest.mark.parametrize("mode", MODES)
def test_nothing_is_written_twice_or_against_a_persons_word(mode: Mode) -> None:
    for case in writes(mode):
        assert case.now.status != case.ours, case
        assert case.answer is not Answer.KEEP_THEIRS, case


@pytest.mark.parametrize("mode", MODES)
def test_history_is_not_pushed_again_when_only_the_settings_changed(mode: Mode) -> None:
    for case in writes(mode):
        assert case.corrected or not case.is_ours or case.answer is Answer.USE_OURS, case


@pytest.mark.parametrize("mode", MODES)
def test_a_person_is_asked_only_about_a_persons_mark_and_until_there_is_an_answer(mode: Mode) -> None:
    for case in cases(mode):
        if case.decide().decision is Decision.CONFLICT:
            assert mode != "orah_wins"
            assert case.answer is None
            assert not case.is_ours
            assert not case.is_untouched
        if case.decide().decision is Decision.KEEP:
            assert case.answer is Answer.KEEP_THEIRS


def test_a_mode_that_is_more_careful_never_writes_more() -> None:
    for careful, lenient in pairwise(MODES):
        for case in writes(careful):
            assert replace(case, mode=lenient).decide().decision is Decision.WRITE, case


def test_each_case_in_words() -> None:
    def words(base: Mark, now: Mark, *, corrected: bool = True) -> str:
        return decide(base=base, now=now, ours=ABSENT, present=PRESENT, corrected=corrected).reason

    fresh, empty = Mark(9, PRESENT, None, ours=False), Mark(9, None, None, ours=False)
    late, noted = Mark(9, LATE, None, ours=False), Mark(9, PRESENT, "spoke to her", ours=False)
    ours = Mark(9, LATE, "[via Orah]", ours=True)
    assert words(fresh, fresh) == words(empty, empty) == "nobody has marked the row"
    assert words(late, late) == words(noted, noted) == "a teacher has marked the row"
    assert words(fresh, late) == words(ours, late) == "a person changed the row since we first saw it"
    assert words(empty, fresh) == "a person changed the row since we first saw it"
    assert words(ours, ours) == "Orah corrected what we wrote"
    assert words(ours, ours, corrected=False) == "the row holds what we wrote before"
    assert words(fresh, Mark(9, ABSENT, "Doctor", ours=False)) == "the row already says so"


@pytest.mark.parametrize(
    ("before", "ours", "now", "left"),
    [
        (None, "[via Orah]", "[via Orah]", None),
        (None, "[via Orah]", "[via Orah] ok", "ok"),
        ("key", "key [via Orah]", "key [via Orah]", "key"),
        ("key", "key [via Orah]", "key [via Orah], seen", "key, seen"),
        ("key", "key [via Orah]", "seen", "seen"),
        ("late bus", "late bus [via Orah]", "late bus, mum called [via Orah]", "late bus, mum called"),
        ("late bus", "late bus [via Orah]", "bus [via Orah] late", "bus late"),
        ("seen [via Orah]", "seen [via Orah]", "ill, seen [via Orah]", "ill, seen [via Orah]"),
        ("key", "key [via Orah]", None, None),
    ],
)
def test_what_a_person_wrote_into_our_note_stays_when_the_row_goes_back(
    before: str | None, ours: str, now: str | None, left: str | None
) -> None:
    origin, base = Mark(9, PRESENT, before, ours=False), Mark(9, ABSENT, ours, ours=True)
    assert note_left(base=base, now=Mark(9, ABSENT, now, ours=False), origin=origin) == left


def test_a_present_that_a_person_chose_is_not_a_row_that_nobody_marked() -> None:
    seen, chosen = Mark(9, PRESENT, None, ours=False), Mark(9, PRESENT, None, ours=False, chosen=True)
    for base, decision in ((seen, Decision.WRITE), (chosen, Decision.CONFLICT)):
        verdict = decide(base=base, now=seen, ours=ABSENT, present=PRESENT, corrected=True)
        assert verdict.decision is decision


def test_a_row_goes_back_only_while_it_holds_just_what_we_wrote() -> None:
    went_back = 0
    for base, now, origin in product(STATES, STATES, STATES):
        decision = decide_restore(
            base=Mark(9, *base, ours=True), now=Mark(9, *now, ours=False), origin=Mark(9, *origin, ours=False)
        ).decision
        if now == origin:
            assert decision is Decision.NOTHING
        else:
            is_noted = now[0] == base[0] != origin[0]
            otherwise = Decision.CONFLICT if is_noted else Decision.KEEP
            assert decision is (Decision.WRITE if now == base else otherwise)
            went_back += now == base
    assert went_back
