"""`vx doctor`: what is wrong, who can mend it, and nothing else."""

import json
import time
from datetime import UTC, datetime

import pytest

from vx_pipeline.sandbox.rules import GRANTABLE_SCOPES
from vx_pipeline.schema import ValueList
from vx_pipeline.veracross.contract import ENDPOINTS
from vx_pipeline.warehouse.connection import open_warehouse
from vx_pipeline.warehouse.landing import land
from vx_pipeline_tests.commands.conftest import SyncedSchool

ORAH_ROUTES = ("student/list", "house/list", "location/tree", "location-record/timeline")
OPTIONAL_ROUTES = ("roll/timeline", "leave/get-single")


def findings(school: SyncedSchool, **changes: str | None) -> tuple[int | None, dict[str, dict[str, str]]]:
    ended = school.vx("doctor", "--json", **changes)
    told = json.loads(ended.out)
    return ended.code, {finding["what"]: finding for finding in told["findings"]}


def troubles(school: SyncedSchool, **changes: str | None) -> dict[str, dict[str, str]]:
    """What is wrong; the exit code says whether anything is."""
    code, found = findings(school, **changes)
    wrong = {what: finding for what, finding in found.items() if not finding["well"]}
    assert code == (1 if wrong else 0)
    return wrong


def test_everything_is_tried_and_granted(school: SyncedSchool) -> None:
    before = school.state()
    _, found = findings(school)
    assert troubles(school) == {}
    assert set(GRANTABLE_SCOPES) <= set(found)
    assert {"folder", "warehouse", "journal", "clock", "time zone"} <= set(found)
    assert {f"orah {route}" for route in (*ORAH_ROUTES, *OPTIONAL_ROUTES)} <= set(found)
    assert found["orah leave/get-single"]["told"] == "1 records"
    assert all(finding["remedy"] == "" for finding in found.values() if finding["well"])
    assert school.state() == before


def test_a_school_without_an_override_is_all_well(school: SyncedSchool) -> None:
    sandbox, credentials = school.sandbox, school.sandbox.credentials
    names = [name for name in school.environment if name.startswith(("VERACROSS_", "ORAH_", "SCHOOL_"))]
    address = {
        "school_route": sandbox.school.route,
        "client_id": credentials.client_id,
        "client_secret": credentials.client_secret,
        "orah_api_key": credentials.orah_api_key,
        "timezone": sandbox.school.timezone,
        "veracross_api_url": sandbox.veracross_api_url,
        "veracross_accounts_url": sandbox.veracross_accounts_url,
        "orah_api_url": sandbox.orah_api_url,
    }
    (school.home / "sandbox.json").write_text(json.dumps(address))
    ended = school.vx("doctor", **dict.fromkeys(names))
    ended.failed(0, "this is the sandbox school")
    assert "trouble" not in ended.out


def test_an_address_that_wins_over_the_region_is_told_and_no_trouble(school: SyncedSchool) -> None:
    code, found = findings(school)
    assert code == 0
    assert found["orah region"]["well"]
    assert "unset it unless you mean it" in found["orah region"]["told"]


@pytest.mark.parametrize(
    "scope", ["parents:list", "boarding.dorms.students:list", "classes.attendance:update"]
)
def test_a_missing_scope_is_named_with_who_grants_it(school: SyncedSchool, scope: str) -> None:
    school.sandbox.granted_scopes.discard(scope)
    wrong = troubles(school)
    assert set(wrong) == {scope}
    assert "OAuth_App_Admin" in wrong[scope]["remedy"]


def test_wrong_keys_are_told_for_both_systems(school: SyncedSchool) -> None:
    wrong = troubles(school, VERACROSS_CLIENT_SECRET="wrong", ORAH_API_KEY="wrong")
    assert "VERACROSS_CLIENT_SECRET" in wrong["students:list"]["remedy"]
    assert "ORAH_API_KEY" in wrong["orah student/list"]["remedy"]


@pytest.mark.parametrize(
    ("entity", "route"), [("location", "location/tree"), ("location-record", "location-record/timeline")]
)
def test_a_forbidden_entity_of_orah_is_the_only_trouble(
    school: SyncedSchool, entity: str, route: str
) -> None:
    school.sandbox.orah_forbidden = {entity}
    wrong = troubles(school)
    assert set(wrong) == {f"orah {route}"}
    assert "Orah administrator" in wrong[f"orah {route}"]["remedy"]


@pytest.mark.parametrize(
    ("entity", "route", "told"),
    [
        ("roll", "roll/timeline", "Rolls are not carried over"),
        ("leave", "leave/get-single", "Passes are not carried over"),
    ],
)
def test_a_school_may_do_without_rolls_and_passes(
    school: SyncedSchool, entity: str, route: str, told: str
) -> None:
    school.sandbox.orah_forbidden = {entity}
    code, found = findings(school)
    assert code == 0
    assert f"no permission for {route} (403). {told}" in found[f"orah {route}"]["told"]


def test_passes_are_tried_where_no_movement_names_one(
    school: SyncedSchool, monkeypatch: pytest.MonkeyPatch
) -> None:
    orah = school.sandbox.school.orah
    unnamed = [{name: move[name] for name in move if name != "leave"} for move in orah["location_record"]]
    monkeypatch.setitem(orah, "location_record", unnamed)
    _, found = findings(school)
    assert found["orah leave/get-single"]["well"]
    assert found["orah leave/get-single"]["told"] == "0 records"


def test_rolls_are_not_tried_where_the_school_does_not_want_them(school: SyncedSchool) -> None:
    _, found = findings(school, VX_POLICIES__ATTENDANCE__ROLLS="false")
    assert "orah roll/timeline" not in found


def test_a_silent_veracross_is_told_once(school: SyncedSchool) -> None:
    nobody = "http://127.0.0.1:9"
    wrong = troubles(school, VERACROSS_API_URL=nobody, VERACROSS_ACCOUNTS_URL=nobody)
    assert set(wrong) == {"students:list"}
    assert "network" in wrong["students:list"]["remedy"]


def test_a_clock_that_is_wrong_is_told(school: SyncedSchool) -> None:
    school.sandbox.clock = lambda: time.time() + 600
    try:
        wrong = troubles(school)
    finally:
        school.sandbox.clock = time.time
    assert set(wrong) == {"clock"}
    assert "Set this machine's clock" in wrong["clock"]["remedy"]


@pytest.mark.parametrize(
    ("policy", "value"),
    [
        ("ABSENT_STATUS", "Gone fishing"),
        ("LATE_STATUS", "Gone fishing"),
        ("STATUSES", '{"Medical": "Gone fishing", "Town": ""}'),
    ],
)
def test_a_label_that_the_school_does_not_have_is_told_with_those_it_has(
    school: SyncedSchool, policy: str, value: str
) -> None:
    # A night reads no attendance; the statuses come with the first read of it.
    lists = school.sandbox.school.value_lists["list_class_attendance"]
    with open_warehouse(school.warehouse) as connection:
        land(
            connection,
            ENDPOINTS["class_attendance"].collection,
            [],
            read_at=datetime.now(UTC),
            value_lists=[ValueList(tuple(one["fields"]), one["items"]) for one in lists],
            may_be_empty=True,
        )
    wrong = troubles(school, **{f"VX_POLICIES__ATTENDANCE__{policy}": value})
    assert set(wrong) == {"attendance label 'Gone fishing'"}
    assert "Absent - Excused" in wrong["attendance label 'Gone fishing'"]["remedy"]


@pytest.mark.parametrize(
    ("policy", "labels", "what", "remedy"),
    [
        ("ACTIVE_ROLES", ["Pupil", "Boarder"], "active roles", "Former Student, Student"),
        ("GRADES", ["9th grade", "Sixth Form"], "grade 'Sixth Form'", "9th Grade"),
        ("ATTENDANCE__AWAY_PLACES", ["Moon Base"], "away place 'Moon Base'", "There are: "),
    ],
)
def test_a_policy_that_names_what_the_school_does_not_have_is_trouble(
    school: SyncedSchool, policy: str, labels: list[str], what: str, remedy: str
) -> None:
    wrong = troubles(school, **{f"VX_POLICIES__{policy}": json.dumps(labels)})
    assert set(wrong) == {what}
    assert remedy in wrong[what]["remedy"]


def test_policies_that_name_what_the_school_has_are_well(school: SyncedSchool) -> None:
    place = school.sandbox.school.orah["location"][0]["name"]
    code, found = findings(
        school,
        VX_POLICIES__ACTIVE_ROLES=json.dumps(["Pupil", " student"]),
        VX_POLICIES__LEFT_ENROLLMENT_STATUSES=json.dumps(["Expelled"]),
        VX_POLICIES__GRADES=json.dumps(["10TH GRADE"]),
        VX_POLICIES__ATTENDANCE__AWAY_PLACES=json.dumps([place.upper()]),
    )
    assert code == 0
    assert {"active roles", "grade '10TH GRADE'", f"away place {place.upper()!r}"} <= set(found)


def test_before_the_first_sync_labels_are_not_judged(school: SyncedSchool) -> None:
    labels = {f"VX_POLICIES__{name}": '["Nonsense"]' for name in ("ACTIVE_ROLES", "GRADES")}
    assert troubles(school, VX_HOME=str(school.home / "empty"), **labels) == {}


def test_a_folder_that_others_may_look_into_is_told(school: SyncedSchool) -> None:
    school.home.chmod(0o755)
    wrong = troubles(school)
    assert set(wrong) == {"folder"}
    assert "chmod 700" in wrong["folder"]["remedy"]


def test_broken_files_do_not_keep_the_rest_from_being_tried(school: SyncedSchool) -> None:
    school.warehouse.write_bytes(b"garbage" * 5000)
    for path in school.home.glob("journal.db*"):
        path.unlink()
    (school.home / "journal.db").write_bytes(b"garbage" * 5000)
    _, found = findings(school)
    assert not found["warehouse"]["well"]
    assert not found["journal"]["well"]
    assert found["students:list"]["well"]


def test_settings_that_are_not_complete_are_told_before_anything_is_tried(school: SyncedSchool) -> None:
    ended = school.vx("doctor", ORAH_REGION="mars")
    ended.failed(1, "orah_region")
    assert ended.out == ""
