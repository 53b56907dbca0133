"""`vx doctor`: what is wrong, who can mend it, and nothing else."""

import json
import time

import pytest

from vx_pipeline.sandbox.rules import GRANTABLE_SCOPES
from vx_pipeline_tests.commands.conftest import SyncedSchool


def findings(school: SyncedSchool, **changes: str | None) -> tuple[int | None, dict[str, dict[str, str]]]:
    ended = school.vx("doctor", "--json", **changes)
    told = json.loads(ended.out)
    return ended.code, {finding["what"]: finding for finding in told["findings"]}


def troubles(school: SyncedSchool, **changes: str | None) -> dict[str, dict[str, str]]:
    """What is wrong, but for the address of Orah: it is the sandbox's and not the region's."""
    code, found = findings(school, **changes)
    wrong = {what: finding for what, finding in found.items() if not finding["well"]}
    assert code == (1 if wrong else 0)
    wrong.pop("orah region", None)
    return wrong


def test_everything_is_tried_and_granted(school: SyncedSchool) -> None:
    before = school.state()
    _, found = findings(school)
    assert troubles(school) == {}
    assert set(GRANTABLE_SCOPES) <= set(found)
    assert {"folder", "warehouse", "journal", "clock", "orah student/list", "time zone"} <= set(found)
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


def test_an_address_that_wins_over_the_region_is_told(school: SyncedSchool) -> None:
    _, found = findings(school)
    assert "unset it unless you mean it" in found["orah region"]["remedy"]


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


def test_a_forbidden_entity_of_orah_is_the_only_trouble(school: SyncedSchool) -> None:
    school.sandbox.orah_forbidden = {"location"}
    wrong = troubles(school)
    assert set(wrong) == {"orah location/tree"}
    assert "Orah administrator" in wrong["orah location/tree"]["remedy"]


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


def test_a_label_that_the_school_does_not_have_is_told_with_those_it_has(school: SyncedSchool) -> None:
    wrong = troubles(school, VX_POLICIES__ATTENDANCE__ABSENT_STATUS="Gone fishing")
    assert set(wrong) == {"attendance label 'Gone fishing'"}
    assert "absent - excused" in wrong["attendance label 'Gone fishing'"]["remedy"]


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
    ended.failed(2, "orah_region")
    assert ended.out == ""
