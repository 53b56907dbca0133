"""Nobody is ever removed by mistake: whatever happens in a school, in any order, night after night.

Proved against the stand-in's own journal of writes, with a memory of its own of what is true and what people said.
"""

import os
import sys
from collections import Counter
from collections.abc import Collection
from contextlib import ExitStack
from datetime import timedelta
from typing import Any

import pytest
import stamina
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from vx_pipeline.policies import RolloverPolicy
from vx_pipeline.sandbox.faults import FaultKind
from vx_pipeline_tests.life import events, family_events, hand_events, year_events
from vx_pipeline_tests.life.living import School
from vx_pipeline_tests.life.terms import DORM_NAMES, GRADES

LIVED: Counter[str] = Counter()
"""Over all examples: how many steps there were, how many nights, how many writes."""

PICK = st.integers(0, 4) | st.integers(0, 4) | st.integers(0, 60)
"""Somebody of those who are there; mostly one of a few, so that much happens to the same people."""

THEN = st.sampled_from((0, 0, 0, 1))
"""How many nights follow what happens."""

LAST_NAMES = ("Alvarez", "Bianchi", "Cohen", "Dubois", "Endo", "Farouk", "Gruber", "Hansen", "Ito", "Jovanov")
FIRST_NAMES = ("Uma", "Viggo", "Wren", "Xenia", "Yasmin", "Zeno", "Odalys", "Peder", "Quilla", "Rahel")
SETTINGS: tuple[dict[str, Any], ...] = (
    {"grades": ()},
    {"grades": GRADES[1:]},
    {"synced": "both"},
    {"synced": "boarding"},
    {"removal": "deactivate"},
    {"removal": "delete"},
    {"orah_owns": ()},
    {"orah_owns": ("email", "mobile_phone")},
    {"orah_owns": ("first_name", "house")},
)
TABLES = ("students", "dorms", "dorm_students", "relationships", "parents", "households", "contact_info")
ROUTES = ("student/update", "student/create", "contact/*", "*/update", "*/create")
KINDS = (
    FaultKind.ANSWER_LOST,
    FaultKind.CUT_BODY,
    FaultKind.NO_EFFECT,
    FaultKind.RATE_LIMITED,
    FaultKind.REQUEST_LOST,
    FaultKind.STATUS,
)


class SchoolLife(RuleBasedStateMachine):
    """A school, its two systems, and everybody who types something into one of them."""

    @initialize()
    def morning(self) -> None:
        self.open = ExitStack()
        self.open.enter_context(stamina.set_testing(True, attempts=2, cap=True))
        self.school = self.open.enter_context(School.living())
        self.sandbox = self.school.life.sandbox
        self.names = 0

    def teardown(self) -> None:
        if not hasattr(self, "open"):
            return
        with self.open:
            try:
                self.school.comes_to_rest()
            finally:
                LIVED["nights"] += self.school.nights
                LIVED["writes"] += len(self.sandbox.journal.writes)
                LIVED["examples"] += 1

    def _go_on(self, nights: int) -> None:
        LIVED["steps"] += 1
        for _ in range(nights):
            self.school.night()

    def _name(self) -> tuple[str, str]:
        self.names += 1
        turn, place = divmod(self.names, len(LAST_NAMES))
        return FIRST_NAMES[(place + turn) % len(FIRST_NAMES)], LAST_NAMES[place] + "ski" * turn

    # Students come, leave, vanish and come back.

    @rule(
        dorm=st.sampled_from((None, *DORM_NAMES)),
        grade=st.sampled_from(GRADES),
        days=st.sampled_from((0, 0, 2)),
        then=THEN,
    )
    def enrol(self, dorm: str | None, grade: str, days: int, then: int) -> None:
        entry = events.moment(self.sandbox).date() + timedelta(days=days)
        events.enrol(self.sandbox, *self._name(), grade=grade, dorm=dorm, entry=entry)
        self._go_on(then)

    @rule(of=PICK, then=THEN)
    def enrol_sibling(self, of: int, then: int) -> None:
        first, _ = self._name()
        self.school.enrol_sibling(self.school.one(self.school.current(), of), first)
        self._go_on(then)

    @rule(
        who=PICK,
        how=st.sampled_from(("date", "date", "role", "status", "ahead")),
        number=st.sampled_from((1, 1, 2, 3)),
        then=THEN,
    )
    def leave(self, who: int, how: str, number: int, then: int) -> None:
        here = self.school.current()
        for place in range(min(number, len(here))):
            student = here[(who + 7 * place) % len(here)]
            if how == "role":
                events.leave_by_role(self.sandbox, student)
            elif how == "status":
                events.leave_by_status(self.sandbox, student)
            else:
                last = events.moment(self.sandbox).date() + timedelta(days=2 if how == "ahead" else 0)
                events.leave_by_exit_date(self.sandbox, student, last)
        self._go_on(then)

    @rule(who=PICK, number=st.sampled_from((1, 1, 2, 3, 4, 9, 30)), then=THEN)
    def vanish(self, who: int, number: int, then: int) -> None:
        listed = self.school.current()
        for place in range(min(number, len(listed) - 1)):
            events.vanish(self.sandbox, listed[(who + place) % len(listed)])
        self._go_on(then)

    @precondition(lambda self: self.school.live.unlisted)
    @rule(who=PICK, everybody=st.booleans(), then=THEN)
    def reappear(self, who: int, everybody: bool, then: int) -> None:
        gone = sorted(self.school.live.unlisted)
        for student in gone if everybody else [gone[who % len(gone)]]:
            events.reappear(self.sandbox, student)
        self._go_on(then)

    @precondition(lambda self: self.school.left())
    @rule(who=PICK, clear=st.booleans(), then=THEN)
    def come_back(self, who: int, clear: bool, then: int) -> None:
        events.come_back(self.sandbox, self.school.one(self.school.left(), who), clear_exit_date=clear)
        self._go_on(then)

    # Where they live, and what they are called.

    @rule(
        who=PICK,
        dorm=st.sampled_from(DORM_NAMES),
        what=st.sampled_from(("move", "move", "stop", "lose")),
        then=THEN,
    )
    def live_elsewhere(self, who: int, dorm: str, what: str, then: int) -> None:
        student = self.school.one(self.school.current(), who)
        if what == "stop":
            events.stop_boarding(self.sandbox, student)
        elif what == "lose":
            events.lose_bed_row(self.sandbox, student)
        else:
            events.move_dorm(self.sandbox, student, dorm)
        self._go_on(then)

    @rule(
        who=PICK,
        what=st.sampled_from(("first", "last", "preferred", "email", "no email", "grade")),
        then=THEN,
    )
    def change(self, who: int, what: str, then: int) -> None:
        student = self.school.one(self.school.current(), who)
        first, last = self._name()
        if what == "grade":
            events.change_grade(self.sandbox, student, GRADES[self.names % len(GRADES)])
        elif what.endswith("email"):
            events.change_email(
                self.sandbox, student, None if "no" in what else f"{first}{self.names}@example.org"
            )
        else:
            events.change_name(self.sandbox, student, **{what: last if what == "last" else first})
        self._go_on(then)

    @rule(announced=st.booleans(), then=THEN)
    def year_turns(self, announced: bool, then: int) -> None:
        if self.school.years < 2:
            (year_events.announce_next_year if announced else year_events.roll_over)(self.sandbox)
            self.school.years += not announced
        self._go_on(then)

    # Families.

    @rule(
        pair=PICK,
        what=st.sampled_from(("custody", "custody", "die", "split", "phone", "email", "unrelate")),
        then=THEN,
    )
    def family(self, pair: int, what: str, then: int) -> None:
        student, parent = self.school.one(self.school.families(), pair)
        first, _ = self._name()
        if what == "custody":
            self.school.lose_custody(student, parent)
        elif what == "die":
            self.school.die(parent)
        elif what == "split":
            family_events.split_household(self.sandbox, parent)
        elif what == "phone":
            family_events.change_parent_phone(self.sandbox, parent, f"+1 603 555 {1000 + self.names}")
        elif what == "email":
            family_events.change_parent_email(self.sandbox, parent, f"{first}{self.names}@example.net")
        else:
            family_events.lose_relationship(self.sandbox, student, parent)
        self._go_on(then)

    @precondition(lambda self: self.school.lost_custody())
    @rule(pair=PICK, legal=st.booleans(), then=THEN)
    def custody_again(self, pair: int, legal: bool, then: int) -> None:
        self.school.restore_custody(*self.school.one(self.school.lost_custody(), pair), legal=legal)
        self._go_on(then)

    # By hand, in Orah.

    @rule(who=PICK, what=st.sampled_from(("name", "email", "house", "off", "off", "on")), then=THEN)
    def edit_by_hand(self, who: int, what: str, then: int) -> None:
        record = self.school.one(sorted(self.school.memory.records.values()), who)
        if what == "house":
            hand_events.move_house(self.sandbox, record, "Day Students")
        elif what in ("on", "off"):
            self.school.switch_by_hand(record, on=what == "on")
        else:
            values = {"first_name": "Typo"} if what == "name" else {"email": f"typo{who}@example.org"}
            hand_events.edit(self.sandbox, "student", record, **values)
        self._go_on(then)

    @rule(then=THEN)
    def make_student_by_hand(self, then: int) -> None:
        self.school.make_by_hand("Guest", f"Speaker {self.names}")
        self.names += 1
        self._go_on(then)

    @precondition(lambda self: self.school.live.orah["contact"])
    @rule(which=PICK, gone=st.booleans(), then=THEN)
    def edit_contact_by_hand(self, which: int, gone: bool, then: int) -> None:
        contact = self.school.one([one["id"] for one in self.school.live.orah["contact"]], which)
        if gone:
            hand_events.remove_contact(self.sandbox, contact)
        else:
            hand_events.edit(self.sandbox, "contact", contact, mobile_phone="+1 603 555 9999")
        self._go_on(then)

    @rule(who=PICK, back=st.booleans(), then=THEN)
    def go_off_the_grounds(self, who: int, back: bool, then: int) -> None:
        self.school.move(self.school.one(sorted(self.school.memory.records.values()), who), away=not back)
        self._go_on(then)

    # Feeds and writes that go wrong.

    @rule(
        table=st.sampled_from(TABLES), how=st.sampled_from(("fail", "empty", "short", "shorter")), then=THEN
    )
    def feed_fails(self, table: str, how: str, then: int) -> None:
        self.school.break_feed(table, how)
        self._go_on(then)

    @rule(
        what=st.sampled_from(("student", "house", "places", "records")),
        how=st.sampled_from(("fail", "empty", "short", "few")),
        then=THEN,
    )
    def orah_fails(self, what: str, how: str, then: int) -> None:
        self.school.break_orah(what, how)
        self._go_on(then)

    @rule(route=st.sampled_from(ROUTES), kind=st.sampled_from(KINDS), times=st.integers(1, 4), then=THEN)
    def writes_fail(self, route: str, kind: FaultKind, times: int, then: int) -> None:
        self.school.break_writes(route, kind, times)
        self._go_on(then)

    @rule(who=PICK, then=THEN)
    def one_record_is_bad(self, who: int, then: int) -> None:
        self.school.poison(self.school.one(self.school.current(), who))
        self._go_on(then)

    @precondition(lambda self: self.school.faulty)
    @rule(then=THEN)
    def mend(self, then: int) -> None:
        self.school.mend()
        self._go_on(then)

    # What people decide.

    @rule(nights=st.integers(1, 2))
    def nights_go_by(self, nights: int) -> None:
        self._go_on(nights)

    @rule()
    def holidays(self) -> None:
        self.school.holidays(30)
        self._go_on(1)

    @precondition(lambda self: self.school.held_steps())
    @rule(which=st.sampled_from(("all", "all", "even", "odd")), then=THEN)
    def approve(self, which: str, then: int) -> None:
        self.school.answer(_chosen(self.school.held_steps(), which), approve=True)
        self._go_on(then)

    @precondition(lambda self: self.school.held_steps())
    @rule(which=st.sampled_from(("all", "even", "odd", "odd")), then=THEN)
    def refuse(self, which: str, then: int) -> None:
        self.school.answer(_chosen(self.school.held_steps(), which), approve=False)
        self._go_on(then)

    @rule(
        who=PICK,
        field=st.sampled_from(("", "", "first_name", "house", "year_level", "deactivated")),
        days=st.sampled_from((None, 0, 2)),
        then=THEN,
    )
    def pin(self, who: int, field: str, days: int | None, then: int) -> None:
        self.school.pin("student", self.school.one(self.school.current(), who), field, days)
        self._go_on(then)

    @rule(pair=PICK, then=THEN)
    def pin_contact(self, pair: int, then: int) -> None:
        self.school.pin("contact", self.school.one(self.school.families(), pair)[1], "", None)
        self._go_on(then)

    @precondition(lambda self: self.school.memory.pins)
    @rule(which=PICK, then=THEN)
    def unpin(self, which: int, then: int) -> None:
        self.school.unpin(self.school.one(sorted(self.school.memory.pins), which))
        self._go_on(then)

    @rule(given=st.sampled_from(SETTINGS), then=THEN)
    def edit_settings(self, given: dict[str, Any], then: int) -> None:
        self.school.set_policies(**given)
        self._go_on(then)

    @rule(mode=st.sampled_from(("frozen", "adds_only", "normal")), then=THEN)
    def set_rollover(self, mode: Any, then: int) -> None:
        self.school.set_policies(rollover=RolloverPolicy(mode=mode))
        self._go_on(then)

    @precondition(lambda self: self.school.written)
    @rule(then=THEN)
    def undo_the_last(self, then: int) -> None:
        self.school.undo()
        self._go_on(then)


def _chosen(steps: Collection[int], which: str) -> list[int]:
    """All, or those whose place in the list is even or odd; all where that would be none."""
    kept = [
        step for place, step in enumerate(steps) if which == "all" or (place % 2 == 0) is (which == "even")
    ]
    return kept or list(steps)


def _live(examples: int, steps: int) -> None:
    """Lives by chance, the same ones in every run; others each time where LIVES_AT_RANDOM is set."""
    LIVED.clear()
    run_state_machine_as_test(
        SchoolLife,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            derandomize="LIVES_AT_RANDOM" not in os.environ,
            print_blob=True,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_nobody_is_removed_by_mistake(capsys: pytest.CaptureFixture[str]) -> None:
    _live(examples=3, steps=12)
    _tell(capsys)
    assert LIVED["nights"] > 2 * LIVED["examples"]
    assert LIVED["writes"]


@pytest.mark.slow
def test_nobody_is_removed_by_mistake_in_many_more_lives(capsys: pytest.CaptureFixture[str]) -> None:
    _live(examples=16, steps=15)
    _tell(capsys)
    assert LIVED["nights"] > 60


def _tell(capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        sys.stdout.write(
            "\nlived: " + ", ".join(f"{number} {what}" for what, number in sorted(LIVED.items())) + "\n"
        )
