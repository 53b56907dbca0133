"""`vx marks`: what it lists, what an answer records, and what never leaves a terminal."""

import getpass
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from vx_pipeline import clock
from vx_pipeline.journal import Journal
from vx_pipeline.journal.audit import audit_trail
from vx_pipeline.journal.mark_questions import Answer, open_questions
from vx_pipeline.settings import SANDBOX
from vx_pipeline.warehouse.connection import open_warehouse
from vx_pipeline_tests.commands.here import own_home, vx_here
from vx_pipeline_tests.commands.shell import Ended
from vx_pipeline_tests.review.asked import question, record_questions

PRIVATE = ("Olive Trask", "not seen")
"""A teacher's name, and a note in a row."""


@dataclass
class Office:
    """A school whose pushes have questions, and a shell in this process."""

    journal: Journal
    monkeypatch: pytest.MonkeyPatch
    capsys: pytest.CaptureFixture[str]

    def vx(self, *arguments: str) -> Ended:
        """Runs `vx`, and looks that nobody's name and no note came out."""
        ended = vx_here(self.monkeypatch, self.capsys, *arguments)
        for private in PRIVATE:
            assert private not in ended.out + ended.err
        return ended

    def marks(self, *arguments: str) -> Ended:
        """Runs `vx marks`."""
        return self.vx("marks", *arguments)

    def ask(self) -> list[int]:
        """A push asks; returns the numbers."""
        return record_questions(self.journal, school=SANDBOX)

    def answers(self) -> dict[int, tuple[Answer, str | None]]:
        """By question, what stands and who said it."""
        found = open_questions(self.journal, SANDBOX)
        return {one.number: (one.answer, one.actor) for one in found if one.answer}


@pytest.fixture
def office(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Office]:
    with own_home(monkeypatch, tmp_path / "home") as journal:
        yield Office(journal, monkeypatch, capsys)


def test_where_nothing_waits_that_is_said(office: Office) -> None:
    office.marks().failed(0, "No mark waits for a person.")
    assert json.loads(office.marks("--json").out) == {
        "school": SANDBOX,
        "waiting": 0,
        "questions": [],
        "kept": [],
    }


def test_what_waits_is_listed_by_ids_and_the_exit_code_tells(office: Office) -> None:
    numbers = office.ask()
    ended = office.marks()
    ended.failed(3, "8 wait for a person", "vx marks keep NUMBER...", f"/{SANDBOX}/attendance/marks")
    found: dict[str, Any] = json.loads(office.marks("--json").out)
    assert (found["waiting"], len(found["questions"])) == (8, 8)
    first = next(one for one in found["questions"] if one["number"] == numbers[0])
    assert (first["student_id"], first["class_id"], first["attendance_date"]) == (101, 8905, "2026-11-24")
    assert (first["theirs_label"], first["ours_label"]) == ("Absent - Unexcused", "Absent - Excused")
    assert (first["kind"], first["cause"], first["has_note"]) == ("conflict", "Town", True)
    assert (first["answer"], first["actor"]) == (None, None)


def test_marks_are_kept_and_used_as_a_named_person_says(office: Office) -> None:
    numbers = office.ask()
    kept = office.marks("keep", str(numbers[0]), str(numbers[1]), "--by", "R. Quill")
    kept.failed(0, "Kept as they are: 2.", "vx push --from 2026-11-24")
    used = office.marks("use", *map(str, numbers[2:]), "--json")
    assert (used.code, json.loads(used.out)) == (0, {"answer": "use_ours", "questions": 6})
    assert office.answers() == {
        **dict.fromkeys(numbers[:2], (Answer.KEEP_THEIRS, "R. Quill")),
        **dict.fromkeys(numbers[2:], (Answer.USE_OURS, getpass.getuser())),
    }
    # Nothing waits for a person, though no push has taken the answers in.
    office.marks().failed(0, "Marks: 0 wait for a person", "vx push --from 2026-11-23")


def test_an_answer_can_be_changed_until_a_push_takes_it_in(office: Office) -> None:
    number, *_ = office.ask()
    office.marks("use", str(number), "--by", "R. Quill").failed(0, "To be written as Orah says: 1.")
    office.marks("keep", str(number), "--by", "T. Lund").failed(0, "Kept as they are: 1.")
    assert office.answers() == {number: (Answer.KEEP_THEIRS, "T. Lund")}


def test_a_question_that_is_not_open_is_answered_by_nobody(office: Office) -> None:
    numbers = office.ask()
    record_questions(office.journal, [question(1, 101, "Late", "Present")], school=SANDBOX)
    office.marks("use", *map(str, numbers)).failed(
        1, f"Question {numbers[0]} is not open any more", "Nothing was recorded"
    )
    office.marks("keep", "4711").failed(1, "4711", "Nothing was recorded")
    assert office.answers() == {}


def test_who_kept_a_row_by_mistake_may_still_use_ours(office: Office) -> None:
    today = clock.now().date()
    (number,) = record_questions(
        office.journal,
        [question(1, 101, "Late", "Absent - Excused", day=today, notes="not seen")],
        school=SANDBOX,
    )
    office.marks("keep", str(number), "--by", "R. Quill")
    record_questions(office.journal, [], covered=[1], school=SANDBOX)
    office.marks().failed(0, "No mark waits", "Kept as they are", "keep theirs", "vx marks use NUMBER")
    (kept,) = json.loads(office.marks("--json").out)["kept"]
    assert (kept["number"], kept["actor"]) == (number, "R. Quill")
    office.marks("keep", str(number)).failed(1, f"Question {number} is not open any more")
    office.marks("use", str(number), "--by", "T. Lund").failed(0, "To be written as Orah says: 1.")
    assert office.answers() == {number: (Answer.USE_OURS, "T. Lund")}
    assert json.loads(office.marks("--json").out)["kept"] == []


def test_a_row_whose_day_lies_before_the_edit_window_stays_kept(office: Office) -> None:
    today = clock.now().date()
    asked = [question(1, 101, "Late", "Absent - Excused", day=today - timedelta(days=20))]
    (number,) = record_questions(office.journal, asked, school=SANDBOX)
    office.marks("keep", str(number), "--by", "R. Quill")
    record_questions(office.journal, [], covered=[1], school=SANDBOX)
    assert json.loads(office.marks("--json").out)["kept"] == []
    office.marks("use", str(number)).failed(1, f"Question {number} is not open", "Nothing was recorded")
    assert office.answers() == {}
    # A school with a wider window sees it, and its word counts.
    office.monkeypatch.setenv("VX_POLICIES__ATTENDANCE__DAYS_BACK", "30")
    assert [one["number"] for one in json.loads(office.marks("--json").out)["kept"]] == [number]
    office.marks("use", str(number)).failed(0, "To be written as Orah says: 1.")


def test_wrong_use_is_told(office: Office) -> None:
    for arguments in (("keep",), ("use", "none"), ("use", "0"), ("drop", "1"), ("--school", "elsewhere")):
        office.marks(*arguments).failed(2)


def test_looks_and_answers_are_noted_by_numbers(office: Office) -> None:
    number, *_ = office.ask()
    office.marks()
    office.marks("keep", str(number), "--by", "R. Quill")
    trail = [(view.actor, view.action, view.subject) for view in audit_trail(office.journal, SANDBOX)]
    assert trail == [
        ("R. Quill", "keep_theirs", f"marks {number}"),
        (getpass.getuser(), "view", "marks"),
    ]


def test_the_status_tells_how_many_marks_wait(office: Office, tmp_path: Path) -> None:
    with open_warehouse(tmp_path / "home" / "schools" / SANDBOX / "warehouse.duckdb"):
        pass
    told = office.vx("status").told
    assert "marks wait" not in told
    assert "Orah was never looked at" in told
    office.ask()
    office.vx("status").failed(0, "8 marks wait for a person: `vx marks`.")
    assert json.loads(office.vx("status", "--json").out)["marks_waiting"] == 8
