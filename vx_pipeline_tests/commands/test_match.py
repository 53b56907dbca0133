"""`vx match`: what waits, deciding it, taking it back, and decisions as a file."""

import csv
import io
import json
import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from vx_pipeline.journal import Journal, open_journal
from vx_pipeline.journal.audit import audit_trail
from vx_pipeline.journal.cases import ORAH
from vx_pipeline.journal.decisions import Decision, Entity, Kind, history, standing
from vx_pipeline.settings import SANDBOX
from vx_pipeline_tests.commands.here import own_home, vx_here
from vx_pipeline_tests.commands.shell import Ended
from vx_pipeline_tests.journal.people import NAMES, case, decided, evidence, person, record

HEADER = "number,entity,kind,veracross_id,orah_id,note,actor,at\n"


@dataclass
class Office:
    """A school whose newest run left some cases, and a shell."""

    home: Path
    journal: Journal
    monkeypatch: pytest.MonkeyPatch
    capsys: pytest.CaptureFixture[str]

    def run(self, *arguments: str, **changes: str) -> Ended:
        """Runs `vx match` in this process: dozens of processes would take longer than all the rest."""
        return vx_here(self.monkeypatch, self.capsys, "match", *arguments, **changes)

    def match(self, *arguments: str, **changes: str) -> Ended:
        """Runs `vx match`, and looks that no value of anybody's record came out."""
        ended = self.run(*arguments, **changes)
        for name in NAMES:
            assert name.lower() not in (ended.out + ended.err).lower(), ended
        return ended

    def json(self, *arguments: str) -> dict[str, Any]:
        ended = self.match(*arguments, "--json")
        assert ended.code == 0, ended
        found = json.loads(ended.out)
        assert isinstance(found, dict)
        return found

    def decided(self) -> list[Decision]:
        return history(self.journal, SANDBOX)

    def waiting(self, *filters: str) -> list[str]:
        return [one["case_id"] for one in self.json("list", *filters)["cases"]]


@pytest.fixture
def office(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Office]:
    home = tmp_path / "home"
    with own_home(monkeypatch, home) as journal:
        record(
            journal,
            case(81, (501, 502), grade="Grade 9", house="Oak"),
            case(82, (502,), score=9.0, kind="conflict", relatives=()),
            case(None, (), kind="orphan", orah_id=509, house=None),
            people=[
                person(81),
                person(82),
                person(83, linked_to=503, rule="email", score=21.0, evidence=evidence()),
                person(
                    501, ORAH, wanted={"first_name": NAMES[0], "email": None, "student_type": "FlexiBoarding"}
                ),
                *(person(number, ORAH) for number in (502, 509)),
                person(503, ORAH, linked_to=83),
            ],
            school=SANDBOX,
        )
        yield Office(home, journal, monkeypatch, capsys)


def test_the_surest_case_comes_first_and_filters_narrow(office: Office) -> None:
    found = office.json("list")
    assert (found["school"], found["total"]) == (SANDBOX, 3)
    assert office.waiting() == ["student-v81", "student-v82", "student-o509"]
    assert office.waiting("--house", "Oak", "--grade", "Grade 9") == ["student-v81"]
    assert office.waiting("--kind", "conflict") == ["student-v82"]
    assert office.waiting("--later") == []
    office.match("list", "--limit", "1").failed(0, "3 waiting", "student-v81", "501", "14.5", "and 2 more")
    office.match("list", "--house", "Elm").failed(0, "sandbox school", "Nothing waits")


def test_names_are_shown_on_a_terminal_only(office: Office) -> None:
    ours, theirs = pty.openpty()
    script = Path(sys.executable).with_name("vx")
    with subprocess.Popen([script, "match", "list"], stdout=theirs) as running:
        os.close(theirs)
        shown = b""
        try:
            while part := os.read(ours, 65536):
                shown += part
        except OSError:
            pass  # the other end of a terminal is closed by an error
        assert running.wait(60) == 0
    os.close(ours)
    assert NAMES[1].encode() in shown
    assert [one.subject for one in audit_trail(office.journal, SANDBOX)] == ["list of cases"]


def test_a_case_is_shown_with_both_records_evidence_and_why(office: Office) -> None:
    told = office.run("show", "student-v81")
    told.failed(
        0, "Veracross 81", "Orah 501", NAMES[1], "nickname", "+5.0", "14.5", "twin: 82", "nearly as close"
    )
    other = office.run("show", "student-v81", "--candidate", "509")
    other.failed(0, "Orah 509", "Other candidates")
    found = office.json("show", "student-v81")
    assert [one["total"] for one in found["evidence"]] == [9.5, 14.5]
    assert (found["candidate"], found["waits"], found["decisions"]) == (501, True, [])
    office.match("show", "student-v99").failed(1, "no case 'student-v99'", "vx match list")
    office.match("show", "student-v81", "--candidate", "777").failed(1, "no student 777 in Orah")
    views = audit_trail(office.journal, SANDBOX)
    assert {(one.action, one.subject) for one in views} == {("view", "student-v81")}


def test_a_link_says_what_it_will_cause_and_is_kept_with_all_that_was_seen(office: Office) -> None:
    ended = office.match("link", "81", "501", "--note", "asked [the] parents", "--by", "a.keller")
    ended.failed(0, "Decision 1", "81 is Orah's 501", "email, house_id", "2026-11-20, 2026-11-21", "next run")
    ended.failed(0, "vx match undo 1", "within a minute")
    assert "student_type" not in ended.told
    assert "first_name" not in ended.told
    (made,) = office.decided()
    assert (made.kind, made.actor, made.via, made.note) == (
        Kind.SAME,
        "a.keller",
        "shell",
        "asked [the] parents",
    )
    assert made.days == (date(2026, 11, 20), date(2026, 11, 21))
    assert made.seen == {"last_name": ("d1", "d1"), "email": ("d2", None)}
    assert office.waiting() == ["student-v82", "student-o509"]
    (view,) = audit_trail(office.journal, SANDBOX)
    assert (view.actor, view.action, view.subject) == (
        "a.keller",
        "decide",
        "decision 1: student 81 is Orah's 501",
    )


def test_nothing_is_decided_that_the_audit_cannot_name(office: Office, tmp_path: Path) -> None:
    decided(office.journal, Kind.NEW, 82)
    file = tmp_path / "file.csv"
    file.write_text("entity,kind,veracross_id,orah_id\nstudent,new,82,\n")
    office.match("new", "82").failed(0)
    with office.journal.begin() as connection:
        connection.execute(
            text("CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'disk full'); END")
        )
    office.match("link", "81", "501").failed(1, "journal cannot be read or written")
    office.match("undo", "2").failed(1, "journal cannot be read or written")
    file.write_text("entity,kind,veracross_id,orah_id\nstudent,never,81,502\n")
    office.match("import", str(file)).failed(1, "journal cannot be read or written")
    assert [one.number for one in office.decided()] == [2]


def test_each_kind_of_decision(office: Office) -> None:
    for arguments in (
        ("never", "82", "501"),
        ("new", "82"),
        ("later", "student-o509"),
        ("unlink", "83", "503"),
        ("merge", "81", "502"),
    ):
        office.match(*arguments).failed(0, "Decision", "vx match undo")
    made = [(one.kind, one.veracross_id, one.orah_id) for one in reversed(office.decided())]
    assert made == [
        (Kind.NEVER, 82, 501),
        (Kind.NEW, 82, None),
        (Kind.LATER, None, 509),
        (Kind.UNLINK, 83, 503),
        (Kind.MERGE, 81, 502),
    ]
    assert office.waiting("--later") == ["student-o509"]
    assert {one.actor for one in office.decided()} != {""}


def test_what_was_decided_otherwise_is_told_and_can_be_taken_back(office: Office) -> None:
    office.match("link", "81", "501", "--by", "a.keller")
    office.match("link", "82", "501").failed(
        1, "Decision 1", "81 is Orah's 501", "a.keller", "Nothing was written"
    )
    assert len(office.decided()) == 1
    office.match("undo", "1", "--note", "wrong twin").failed(0, "1 does not count any more", "2026-11-20")
    office.match("undo", "1").failed(1, "taken back")
    office.match("undo", "7").failed(1, "no decision 7")
    assert standing(office.journal, SANDBOX) == []
    office.match("link", "82", "501").failed(0, "Decision 3")
    told = office.match("history")
    told.failed(0, "takes back 1", "taken back by 2", "wrong twin", "a.keller (shell)")
    assert [one["number"] for one in office.json("history", "--kind", "same")["decisions"]] == [3, 1]


def test_an_undo_tells_what_stands_again(office: Office) -> None:
    office.match("link", "83", "503")
    office.match("unlink", "83", "503")
    assert office.json("undo", "2")["stands_again"] == [1]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("link", "99", "501"), "no student 99 in Veracross"),
        (("link", "81", "999"), "no student 999 in Orah"),
        (("new", "99"), "no student 99 in Veracross"),
        (("unlink", "81", "501"), "not linked"),
        (("later", "student-v99"), "no case"),
    ],
)
def test_records_that_the_newest_run_did_not_see_are_refused(
    office: Office, arguments: tuple[str, ...], words: str
) -> None:
    office.match(*arguments).failed(1, words)
    assert office.decided() == []


def test_wrong_use_is_told(office: Office) -> None:
    office.match("link", "81").failed(2)
    office.match("link", "81", "x").failed(2)
    office.match("link", "81", "0").failed(2)
    office.match("link", "81", "501", "--entity", "dog").failed(2)
    office.match("list", "--school", "south").failed(2, "name one of: sandbox")
    for limit in ("0", "1000001", "99999999999999999999"):
        for command in ("history", "list"):
            office.match(command, "--limit", limit).failed(2, "--limit")
    office.match("history", "--limit", "1000000").failed(0)
    office.match("import", "nowhere.csv").failed(2)
    office.match("export", "-", "--json").failed(2)
    assert office.decided() == []


def test_before_the_first_run_there_is_nothing_to_decide_from(office: Office, tmp_path: Path) -> None:
    empty = str(tmp_path / "empty")
    for arguments in (("list",), ("show", "student-v81"), ("link", "81", "501"), ("later", "student-v81")):
        office.match(*arguments, VX_HOME=empty).failed(1, "No run has matched", "vx sync --plan-only")
    office.match("history", VX_HOME=empty).failed(0, "Nothing was decided yet")


def test_several_schools_keep_their_decisions_apart(office: Office, tmp_path: Path) -> None:
    config = tmp_path / "schools.toml"
    config.write_text("[schools.north]\n[schools.south]\n")
    record(office.journal, case(81), people=[person(81), person(501, ORAH)], school="north")
    schools = {"VX_CONFIG": str(config)}
    office.match("link", "81", "501", **schools).failed(2, "name one of: north, south")
    office.match("link", "81", "501", "--school", "north", **schools).failed(0, "Decision 1")
    office.match("undo", "1", "--school", "south", **schools).failed(1, "no decision 1")
    assert [one.school for one in standing(office.journal, "north")] == ["north"]
    assert office.decided() == []


def test_an_export_holds_what_stands_and_an_import_brings_it_back(office: Office, tmp_path: Path) -> None:
    note = '=1+1, said\nthe "parents"'
    office.match("link", "81", "501", "--note", note, "--by", "a.keller")
    office.match("never", "82", "502")
    office.match("new", "82")
    office.match("undo", "3")
    file = tmp_path / "decisions.csv"
    assert office.json("export", str(file))["decisions"] == 2
    rows = list(csv.DictReader(io.StringIO(file.read_text())))
    assert [(row["number"], row["kind"], row["veracross_id"], row["orah_id"]) for row in rows] == [
        ("1", "same", "81", "501"),
        ("2", "never", "82", "502"),
    ]
    assert rows[0]["note"] == f"'{note}", "a spreadsheet must not reckon with it"
    assert office.match("export", "-").out == file.read_text()
    # The same journal has them already; one that was lost gets them back, before any run.
    again = office.json("import", str(file))
    assert (again["already"], again["decided"]) == (2, [])
    empty = {"VX_HOME": str(tmp_path / "empty")}
    office.match("import", str(file), "--by", "c.lang", **empty).failed(0, "2 lines: 2 decided")
    fresh = open_journal(tmp_path / "empty")
    first, second = standing(fresh, SANDBOX)
    fresh.close()
    assert (first.kind, first.veracross_id, first.orah_id, first.actor, first.via) == (
        Kind.SAME,
        81,
        501,
        "c.lang",
        "import",
    )
    assert first.note.startswith(f"{note} (imported; decided by a.keller 20")
    assert (second.kind, second.orah_id) == (Kind.NEVER, 502)


def test_good_lines_are_decided_and_bad_ones_told_with_their_line(office: Office, tmp_path: Path) -> None:
    file = tmp_path / "lines.csv"
    lines = [
        '1,student,same,81,501,"two\nlines",a.keller,2026-11-20',  # lines 2 and 3
        "2,student,same,82,501,,,",
        "3,student,marry,82,502,,,",
        "4,dog,same,82,502,,,",
        f"5,student,same,{NAMES[1]},502,,,",
        "6,student,same,82,,,,",
        "",
        "7,student,undo,82,502,,,",
        "8,student,same,82",
        "9,student,new,99,,,,",
        "10,student,new,82,,,,",
        f"11,student,new,{'9' * 30},,,,",
        "12,student,same,83,999999999999999999,,,",
        "13,staff,same,7,8,,,",
    ]
    file.write_text(HEADER + "\n".join(lines) + "\n")
    tried = office.match("import", str(file), "--dry-run", "--json")
    assert office.decided() == []
    ended = office.match("import", str(file), "--json")
    assert ended.code == tried.code == 1
    found = json.loads(ended.out)
    assert found["lines"] == len(found["decided"]) + len(found["refused"]) == 13
    assert [(one["entity"], one["veracross_id"]) for one in found["decided"]] == [
        ("student", 81),
        ("student", 82),
        ("staff", 7),
    ]
    refused = {one["line"]: one["reason"] for one in found["refused"]}
    assert refused == {one["line"]: one["reason"] for one in json.loads(tried.out)["refused"]}
    for line, word in {
        4: "Decision 1",
        5: "kind is none of",
        6: "entity is none of",
        7: "veracross_id is no whole number",
        8: "an id of Veracross and one of Orah",
        10: "kind is none of",
        11: "4 cells",
        12: "no student 99",
        14: "veracross_id is no whole number",
        15: "no student 999999999999999999",
    }.items():
        assert word in refused.pop(line)
    assert refused == {}
    assert {one.entity for one in office.decided()} == {Entity.STUDENT, Entity.STAFF}
    office.match("import", str(file)).failed(
        1, "13 lines: 0 decided, 3 stand already, 0 repeated, 10 refused", "Line 12:"
    )


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "lacks the columns"),
        (b"entity,kind\n", "lacks the columns orah_id, veracross_id"),
        ("entity,kind,veracross_id,orah_id\nstudent,n\xe9w,1,\n".encode("latin-1"), "not UTF-8"),
        (b"PK\x03\x04\xff\xfe", "not UTF-8"),
        (b'entity,kind,veracross_id,orah_id\n"' + b"x" * 200_000 + b'",,,\n', "no CSV"),
        (
            HEADER.encode() + b'1,student,new,82,,"left open,,\n2,student,same,81,501,,,\n',
            "no CSV from line 2",
        ),
        (HEADER.encode() + b'1,student,new,82,,"two" words,,\n', "no CSV from line 2"),
        (b'"entity,kind,veracross_id,orah_id\nstudent,new,82,\n', "no CSV from line 1"),
        (b"entity,kind,Kind,veracross_id,orah_id\nstudent,same,never,81,501\n", "more than one column kind"),
        (
            b"note,entity,kind,veracross_id,orah_id, NOTE\na,student,same,81,501,b\n",
            "more than one column note",
        ),
    ],
)
def test_a_file_that_is_none_is_refused_whole(
    office: Office, tmp_path: Path, content: bytes, words: str
) -> None:
    file = tmp_path / "file.csv"
    file.write_bytes(content)
    office.match("import", str(file)).failed(1, words, "Nothing was decided")
    assert office.decided() == []


def test_a_line_that_is_given_several_times_is_decided_once_and_told(office: Office, tmp_path: Path) -> None:
    file = tmp_path / "file.csv"
    lines = [
        "student,same,81,501,first",
        "student,never,83,503,",
        "student,same,81,501,again",
        "student,later,82,,",
        "student,never,83,503,",
        "student,unlink,83,503,",
        "student,never,83,503,",
        "student,new,99,,",
        "student,new,99,,",
    ]
    file.write_text("entity,kind,veracross_id,orah_id,note\n" + "\n".join(lines) + "\n")
    for more in (["--dry-run"], []):
        ended = office.match("import", str(file), "--json", *more)
        found = json.loads(ended.out)
        assert ended.code == 1
        assert found["repeated"] == [4, 6, 8]
        assert [(one["kind"], one["note"]) for one in found["decided"]] == [
            ("same", "first"),
            ("never", ""),
            ("later", ""),
            ("unlink", ""),
        ]
        assert [one["line"] for one in found["refused"]] == [9, 10]
        assert found["lines"] == 9
    file.write_text("entity,kind,veracross_id,orah_id\n" + "student,later,81,\n" * 3)
    office.match("import", str(file)).failed(
        0, "3 lines: 1 decided, 0 stand already, 2 repeated, 0 refused", "Decided once: lines 3, 4"
    )


def test_columns_without_a_name_may_be_several(office: Office, tmp_path: Path) -> None:
    file = tmp_path / "file.csv"
    file.write_text("entity,kind,veracross_id,orah_id,,,remark,remark\nstudent,new,82,,,,a,b\n")
    office.match("import", str(file)).failed(0, "1 lines: 1 decided")


def test_a_spreadsheets_file_is_read(office: Office, tmp_path: Path) -> None:
    file = tmp_path / "file.csv"
    file.write_bytes(
        "Entity;Kind;Veracross_ID;Orah_ID;Note\r\nStudent;NEW;82;;früher da\r\n".encode("utf-8-sig")
    )
    office.match("import", str(file)).failed(0, "1 lines: 1 decided")
    (made,) = office.decided()
    assert (made.kind, made.veracross_id, made.note) == (Kind.NEW, 82, "früher da")


def test_decisions_of_others_are_respected_by_an_import(office: Office, tmp_path: Path) -> None:
    decided_by_page = decided(office.journal, Kind.NEW, 81)
    assert decided_by_page.school == "north"
    file = tmp_path / "file.csv"
    file.write_text("entity,kind,veracross_id,orah_id\nstudent,same,81,501\n")
    office.match("link", "82", "501", "--by", "a.keller")
    office.match("import", str(file)).failed(1, "Line 2: Decision 2 stands in the way", "a.keller")
