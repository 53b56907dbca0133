"""The files: whole or not at all, private, readable by a spreadsheet and an importer alike."""

import csv
import hashlib
import json
import os
import shutil
import stat
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vx_pipeline.delivery import csv_text, folders
from vx_pipeline.delivery.rows import (
    ArchivedGroup,
    Contact,
    Delivery,
    Group,
    Member,
    SetAside,
    Staff,
    Student,
)
from vx_pipeline.errors import VxError
from vx_pipeline_tests.delivery.small_school import import_files

READ = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
DELIVERY = Delivery(
    students=(
        Student(
            student_id=1,
            house="North House",
            first_name="Zoë",
            last_name="O'Neil, jr.",
            mobile_phone="+1 555 0101",
            birthday=date(2010, 5, 4),
            contacts=(Contact(first_name="Ana", relationship="Mother", address="1 Elm St\nAvon"),),
        ),
    ),
    staff=(Staff(70, "ada@example.org", first_name="Ada"),),
    groups=(Group(200, "class", "Biology", "2026-2027"),),
    members=(Member(200, "staff", None, "ada@example.org"), Member(200, "student", 1)),
    archived=(ArchivedGroup(150, "Old Biology", "2025-2026"),),
    set_aside=(SetAside("staff", "71", "no e-mail"), SetAside("staff", "72", "no e-mail")),
    kept_groups=(200,),
    rests_on={"students": READ, "parents": None},
)
OTHER = replace(DELIVERY, staff=())
FILES = [
    "group_members.csv",
    "groups.csv",
    "groups_archived.csv",
    "manifest.json",
    "set_aside.csv",
    "staff.csv",
    "students.csv",
]

text = st.text(st.characters(exclude_categories=["Cs"])).map(str.strip) | st.sampled_from(
    [
        "=1+1",
        '=HYPERLINK("http://example.org","x")',
        "+1 (555) 010-0000",
        "-Ann",
        "@Ann",
        "\N{FULLWIDTH EQUALS SIGN}1",
        'Ann "Al" Ito, jr.',
        "Ann\r\nIto",
        "Ann\nIto",
        "\N{HEBREW LETTER ALEF}\N{HEBREW LETTER BET}",
        "\N{RIGHT-TO-LEFT OVERRIDE}nna",
        "Ann \N{BABY}\N{EMOJI MODIFIER FITZPATRICK TYPE-4}",
        "e\N{COMBINING ACUTE ACCENT}",
        "x" * 255,
    ]
)
ids = st.integers(1, 2**62)
contacts = st.builds(Contact, *[text] * 8).filter(lambda one: one != Contact())
deliveries = st.builds(
    Delivery,
    students=st.lists(
        st.builds(
            Student,
            ids,
            *[text] * 8,
            st.dates() | st.none(),
            text,
            st.lists(contacts, max_size=4).map(tuple),
        ),
        max_size=3,
    ).map(tuple),
    staff=st.lists(st.builds(Staff, ids, *[text] * 6), max_size=3).map(tuple),
    groups=st.lists(st.builds(Group, ids, *[text] * 3), max_size=3).map(tuple),
    members=st.lists(
        st.builds(Member, ids, st.sampled_from(["student", "staff"]), ids | st.none(), text), max_size=3
    ).map(tuple),
    archived=st.lists(st.builds(ArchivedGroup, ids, text, text), max_size=3).map(tuple),
    set_aside=st.lists(st.builds(SetAside, text, text, text), max_size=3).map(tuple),
)


def cells(path: Path) -> list[dict[str, str]]:
    """A file as another program reads it."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file, strict=True))


@given(deliveries)
def test_whatever_names_hold_the_files_read_back_to_exactly_the_rows(delivery: Delivery) -> None:
    with TemporaryDirectory() as folder:
        writer = import_files(Path(folder))
        writer.write(delivery)
        assert writer.last_delivery() == delivery


@given(st.lists(text, min_size=1, max_size=5))
def test_no_cell_begins_as_a_formula(row: list[str]) -> None:
    content = csv_text.encode([str(place) for place in range(len(row))], [row])
    written = list(csv.reader(content.decode("utf-8-sig").splitlines(keepends=True), strict=True))[1]
    for cell in written:
        # Signs and digits alone are a phone number; anything else behind a sign could be run.
        assert cell[:1] not in tuple("=+-@\N{FULLWIDTH EQUALS SIGN}") or set(cell) <= set("+-0123456789 ()./")


def test_a_formula_gets_a_blank_and_a_phone_number_nothing(tmp_path: Path) -> None:
    student = Student(1, first_name="=1+1", last_name="@Ann", mobile_phone="+1 (555) 010-0000", house="-A1")
    folder = import_files(tmp_path).write(replace(DELIVERY, students=(student,))).path
    (row,) = cells(folder / "students.csv")
    assert (row["First Name"], row["Last Name"], row["House"]) == (" =1+1", " @Ann", " -A1")
    assert row["Mobile Phone"] == "+1 (555) 010-0000"


def test_the_layout(tmp_path: Path) -> None:
    folder = import_files(tmp_path).write(DELIVERY).path
    assert sorted(one.name for one in folder.iterdir()) == FILES
    content = (folder / "students.csv").read_bytes()
    assert content.startswith(
        b"\xef\xbb\xbfHouse,First Name,Last Name,Alternative Name,Email,Student Reference,"
    )
    assert content.endswith(b"\r\n")
    (row,) = cells(folder / "students.csv")
    assert len(row) == 11 + 4 * 8
    told = {column: cell for column, cell in row.items() if cell}
    assert told == {
        "House": "North House",
        "First Name": "Zoë",
        "Last Name": "O'Neil, jr.",
        "Student Reference": "1",
        "Mobile Phone": "+1 555 0101",
        "Date of Birth": "2010-05-04",
        "Contact 1 First Name": "Ana",
        "Contact 1 Relationship": "Mother",
        "Contact 1 Address": "1 Elm St\nAvon",
    }
    assert list(row)[-1] == "Contact 4 Address"
    assert cells(folder / "group_members.csv") == [
        {
            "Group Reference": "200",
            "Role": "staff",
            "Student Reference": "",
            "Staff Email": "ada@example.org",
        },
        {"Group Reference": "200", "Role": "student", "Student Reference": "1", "Staff Email": ""},
    ]
    assert cells(folder / "groups_archived.csv") == [
        {"Group Reference": "150", "Name": "Old Biology", "School Year": "2025-2026"}
    ]
    assert cells(folder / "set_aside.csv")[0] == {"entity": "staff", "key": "71", "reason": "no e-mail"}


def test_the_manifest_says_what_is_there_and_what_it_rests_on(tmp_path: Path) -> None:
    folder = import_files(tmp_path).write(DELIVERY).path
    told = json.loads((folder / "manifest.json").read_text())
    assert (told["school"], told["made_at"]) == ("north", "2026-11-23T07:00:00Z")
    assert folder.name == "20261123T070000000000Z"
    assert told["files"]["staff.csv"] == {
        "rows": 1,
        "sha256": hashlib.sha256((folder / "staff.csv").read_bytes()).hexdigest(),
        "columns": [
            "Email",
            "Title",
            "First Name",
            "Last Name",
            "Department",
            "Job Title",
            "Staff Reference",
        ],
    }
    assert sorted([*told["files"], "manifest.json"]) == FILES
    assert told["set_aside"] == [{"entity": "staff", "reason": "no e-mail", "number": 2}]
    assert told["kept_groups"] == [200]
    assert told["rests_on"] == {"veracross.students": "2026-11-23T07:00:00Z", "veracross.parents": None}
    assert "Zo" not in (folder / "manifest.json").read_text()


def test_folders_and_files_are_private(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        folder = import_files(tmp_path / "north" / "import").write(DELIVERY).path
    finally:
        os.umask(before)
    assert {stat.S_IMODE(one.stat().st_mode) for one in folder.iterdir()} == {0o600}
    assert [stat.S_IMODE(one.stat().st_mode) for one in (folder, folder.parent)] == [0o700, 0o700]


def test_unchanged_content_makes_no_new_folder(tmp_path: Path) -> None:
    writer = import_files(tmp_path)
    first = writer.write(DELIVERY)
    again = writer.write(replace(DELIVERY, rests_on={"students": None}))
    assert (first.is_new, again.is_new, again.path) == (True, False, first.path)
    assert again.rows["group_members.csv"] == 2
    changed = writer.write(OTHER)
    assert changed.is_new
    assert [one.name for one in folders.finished(tmp_path)] == [changed.path.name, first.path.name]
    assert (tmp_path / "latest").readlink() == Path(changed.path.name)


def test_a_delivery_that_somebody_changed_is_delivered_again(tmp_path: Path) -> None:
    writer = import_files(tmp_path)
    first = writer.write(DELIVERY).path
    (first / "students.csv").write_text("opened and saved")
    assert writer.write(DELIVERY).is_new


@pytest.mark.parametrize("step", range(1, 14))
def test_a_disk_that_fails_at_any_step_leaves_a_whole_delivery(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    writer = import_files(tmp_path)
    first = writer.write(DELIVERY).path
    steps = iter(range(1, 100))

    def failing(real: Any) -> Any:
        def call(*arguments: Any, **more: Any) -> Any:
            if next(steps) == step:
                raise OSError(28, "No space left on device")
            return real(*arguments, **more)

        return call

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", failing(os.fsync))
        patched.setattr(Path, "rename", failing(Path.rename))
        patched.setattr(Path, "symlink_to", failing(Path.symlink_to))
        patched.setattr(Path, "replace", failing(Path.replace))
        with pytest.raises(VxError, match="No space left") as caught:
            writer.write(OTHER)
        assert next(steps) == step + 1
    assert caught.value.kept
    latest = folders.latest(tmp_path)
    assert latest is not None
    assert sorted(one.name for one in latest.iterdir()) == FILES
    told = writer.last_delivery()
    # The last step makes the turned link last over a power cut: the new delivery is whole by then, and counts.
    assert told is not None
    assert (latest == first, bool(told.staff)) == ((True, True) if step < 13 else (False, False))
    assert not (tmp_path / ".unfinished").exists()
    delivered = writer.write(OTHER)
    assert folders.latest(tmp_path) == delivered.path
    assert writer.last_delivery() == replace(OTHER, kept_groups=(), rests_on={})


def test_a_process_that_died_halfway_leaves_nothing_behind_for_long(tmp_path: Path) -> None:
    writer = import_files(tmp_path)
    first = writer.write(DELIVERY).path
    (tmp_path / ".unfinished").mkdir()
    (tmp_path / ".unfinished" / "students.csv").write_text("half of it")
    (tmp_path / ".latest").symlink_to("nowhere")
    assert writer.last_delivery() == replace(DELIVERY, kept_groups=(), rests_on={})
    second = writer.write(OTHER).path
    assert sorted(one.name for one in tmp_path.iterdir()) == sorted([first.name, second.name, "latest"])


def test_a_backup_that_was_restored_without_its_links_is_no_obstacle(tmp_path: Path) -> None:
    writer = import_files(tmp_path)
    first = writer.write(DELIVERY).path
    (tmp_path / "latest").unlink()
    shutil.copytree(first, tmp_path / "latest")
    second = writer.write(OTHER).path
    assert (tmp_path / "latest").readlink() == Path(second.name)


def test_the_newest_deliveries_are_kept_and_the_one_that_counts_always(tmp_path: Path) -> None:
    writer = import_files(tmp_path, keep=3)
    made = [writer.write(one).path for one in (DELIVERY, OTHER, DELIVERY, OTHER, DELIVERY)]
    (tmp_path / "notes").mkdir()
    assert folders.finished(tmp_path) == made[:1:-1]
    folders.point_latest(tmp_path, made[2].name)
    folders.remove_old(tmp_path, 2)
    assert folders.finished(tmp_path) == [made[4], made[2]]
    assert (tmp_path / "notes").is_dir()


def test_before_the_first_delivery_there_is_none(tmp_path: Path) -> None:
    assert import_files(tmp_path / "import").last_delivery() is None


def test_where_the_latest_is_damaged_the_newest_whole_one_counts(tmp_path: Path) -> None:
    writer = import_files(tmp_path)
    first, second = writer.write(DELIVERY).path, writer.write(OTHER).path
    (second / "groups.csv").write_text("opened and saved")
    last = writer.last_delivery()
    assert last is not None
    assert last.staff == DELIVERY.staff
    (first / "manifest.json").unlink()
    with pytest.raises(VxError, match="as its manifest says"):
        writer.last_delivery()


def test_files_of_an_older_layout_can_still_be_read(tmp_path: Path) -> None:
    folder = import_files(tmp_path).write(DELIVERY).path
    content = csv_text.encode(["Group Reference", "Name"], [["200", "Biology"]])
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"]["groups.csv"]["sha256"] = hashlib.sha256(content).hexdigest()
    (folder / "groups.csv").write_bytes(content)
    (folder / "manifest.json").write_text(json.dumps(manifest))
    last = import_files(tmp_path).last_delivery()
    assert last is not None
    assert last.groups == (Group(200, "", "Biology", ""),)
