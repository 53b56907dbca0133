"""Settings: one school by environment, several by file, none is the sandbox; every mistake is named."""

import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from vx_pipeline.errors import ConfigurationError
from vx_pipeline.policies import Policies
from vx_pipeline.settings import SANDBOX, Settings, load_settings, sandbox_address_file

SECRET = "not-to-be-shown"
ONE = {
    "VERACROSS_SCHOOL_ROUTE": "StJames",
    "VERACROSS_CLIENT_ID": "client",
    "VERACROSS_CLIENT_SECRET": SECRET,
    "ORAH_API_KEY": SECRET,
    "ORAH_REGION": "ireland",
    "SCHOOL_TIMEZONE": "Europe/London",
}
TWO = """
home = "elsewhere"

[schools.north]
veracross_school_route = "north"
veracross_client_id = "client-north"
timezone = "Europe/Dublin"
orah_region = "ireland"

[schools.north.policies]
boarder_rule = "room"
grades = ["9th Grade"]

[schools.south]
veracross_school_route = "south"
veracross_client_id = "client-south"
"""


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in (
        *ONE,
        "VERACROSS_API_URL",
        "VERACROSS_ACCOUNTS_URL",
        "ORAH_API_URL",
        "VX_CONFIG",
        "VX_JOURNAL_URL",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("VX_HOME", str(tmp_path / "home"))


def set_all(monkeypatch: pytest.MonkeyPatch, **values: str) -> None:
    for name, value in values.items():
        monkeypatch.setenv(name, value)


def test_one_school_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    set_all(monkeypatch, **ONE)
    settings = load_settings()
    assert settings.school_keys() == ["stjames"]
    school = settings.school("stjames")
    assert (school.veracross_school_route, school.timezone) == ("StJames", "Europe/London")
    assert school.orah_url == "https://open-api-ireland.orah.com"
    assert not school.sandbox
    assert SECRET not in repr(settings) + repr(school) + str(school)


@pytest.mark.parametrize("missing", list(ONE))
def test_a_partly_set_environment_names_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    set_all(monkeypatch, **{name: value for name, value in ONE.items() if name != missing})
    with pytest.raises(ConfigurationError, match=missing) as caught:
        load_settings().school_keys()
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("SCHOOL_TIMEZONE", "Mars/Olympus", "timezone"),
        ("ORAH_REGION", "atlantis", "orah_region"),
        ("VERACROSS_SCHOOL_ROUTE", "x/../y", "veracross_school_route"),
        ("VERACROSS_SCHOOL_ROUTE", "../x", "VERACROSS_SCHOOL_ROUTE"),
        ("VERACROSS_SCHOOL_ROUTE", "_x", "VERACROSS_SCHOOL_ROUTE"),
    ],
)
def test_a_wrong_value_is_named_by_its_setting(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, told: str
) -> None:
    set_all(monkeypatch, **{**ONE, name: value})
    settings = load_settings()
    with pytest.raises(ConfigurationError, match=told) as caught:
        settings.school(settings.school_keys()[0])
    assert SECRET not in str(caught.value)


def test_several_schools_come_from_a_file_and_their_secrets_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    config = tmp_path / "schools.toml"
    config.write_text(TWO)
    set_all(
        monkeypatch,
        VX_CONFIG=str(config),
        VX_SCHOOLS__NORTH__VERACROSS_CLIENT_SECRET=SECRET,
        VX_SCHOOLS__NORTH__ORAH_API_KEY=SECRET,
    )
    settings = load_settings()
    assert settings.school_keys() == ["north", "south"]
    north = settings.school("north")
    assert north.policies.boarder_rule == "room"
    assert north.orah_api_key.get_secret_value() == SECRET
    assert settings.timezone("north") == "Europe/Dublin"
    assert settings.warehouse_path("north") != settings.warehouse_path("south")
    with pytest.raises(ConfigurationError, match="orah_api_key"):
        settings.school("south")
    with pytest.raises(ConfigurationError, match="north, south"):
        settings.school("east")


@pytest.mark.parametrize("content", [None, "home = ", "[schools.north]\nsurprise = 1\n"])
def test_a_broken_file_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: str | None) -> None:
    config = tmp_path / "schools.toml"
    if content is not None:
        config.write_text(content)
    monkeypatch.setenv("VX_CONFIG", str(config))
    with pytest.raises(ConfigurationError):
        load_settings().school("north")


@pytest.mark.parametrize("key", ["a b/u?x=1", "North", "-", "", "north\n", "../x", "élan"])
def test_a_key_that_cannot_be_an_address_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, key: str
) -> None:
    config = tmp_path / "schools.toml"
    config.write_text(f"[schools.south]\n[schools.{json.dumps(key)}]\n")
    monkeypatch.setenv("VX_CONFIG", str(config))
    settings = load_settings()
    with pytest.raises(ConfigurationError, match=r"\[schools\]") as caught:
        settings.school_keys()
    assert repr(key) in str(caught.value)


def test_a_time_zone_that_does_not_exist_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    config = tmp_path / "schools.toml"
    config.write_text('[schools.north]\ntimezone = "Mars/Olympus"\n[schools.south]\n')
    with monkeypatch.context() as several:
        several.setenv("VX_CONFIG", str(config))
        settings = load_settings()
        assert settings.timezone("south") == "America/New_York"
        with pytest.raises(ConfigurationError, match=r"'Mars/Olympus' .*'north'"):
            settings.timezone("north")
        with pytest.raises(ConfigurationError, match="no school 'east'"):
            settings.timezone("east")
    set_all(monkeypatch, **{**ONE, "SCHOOL_TIMEZONE": "../etc/passwd"})
    with pytest.raises(ConfigurationError, match=r"'\.\./etc/passwd'"):
        load_settings().timezone("stjames")


def two_schools(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, more: str = "", **values: str) -> Settings:
    config = tmp_path / "schools.toml"
    config.write_text(TWO + more)
    secrets = {
        f"VX_SCHOOLS__{key}__{name}": SECRET
        for key in ("NORTH", "SOUTH")
        for name in ("VERACROSS_CLIENT_SECRET", "ORAH_API_KEY")
    }
    set_all(monkeypatch, VX_CONFIG=str(config), **secrets, **values)
    return load_settings()


def test_secrets_of_several_schools_show_in_no_representation(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    settings = two_schools(monkeypatch, tmp_path)
    assert SECRET not in repr(settings) + str(settings)
    assert settings.school("north").orah_api_key.get_secret_value() == SECRET


def test_a_school_of_its_own_rules_keeps_the_common_ones(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    more = """
[schools.south.policies.attendance]
absent_status = "Away"

[policies]
gate = { removals_per_run = 0.1 }
boarder_rule = "dorm_and_room"

[policies.attendance]
absent_status = "Absent"
days_back = 3
"""
    settings = two_schools(monkeypatch, tmp_path, more)
    north, south = settings.school("north").policies, settings.school("south").policies
    assert (north.boarder_rule, north.grades, north.gate.removals_per_run) == ("room", ("9th Grade",), 0.1)
    assert (south.boarder_rule, south.gate.removals_per_run) == ("dorm_and_room", 0.1)
    assert (north.attendance.absent_status, north.attendance.days_back) == ("Absent", 3)
    assert (south.attendance.absent_status, south.attendance.days_back) == ("Away", 3)
    assert south.attendance.present_status == "Present", "what nobody set keeps its default"


def test_a_rule_is_raised_for_one_run_by_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    more = "\n[schools.south.policies.gate]\nremovals_per_run = 0.01\n\n[policies.gate]\nremovals_per_run = 0.1\n"
    settings = two_schools(monkeypatch, tmp_path, more, VX_POLICIES__GATE__REMOVALS_PER_RUN="0.2")
    assert settings.school("north").policies.gate.removals_per_run == 0.2
    assert settings.school("south").policies.gate.removals_per_run == 0.01, "a school's own rule stands"
    monkeypatch.setenv("VX_SCHOOLS__SOUTH__POLICIES__GATE__REMOVALS_PER_RUN", "0.3")
    assert load_settings().school("south").policies.gate.removals_per_run == 0.3


def test_policies_that_are_no_table_are_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    settings = two_schools(monkeypatch, tmp_path, '\n[schools.south.policies]\nattendance = "none"\n')
    with pytest.raises(ConfigurationError, match=r"policies\.attendance"):
        settings.school("south")


def test_without_credentials_the_school_is_the_sandbox_once_it_runs(tmp_path: Path) -> None:
    settings = load_settings()
    assert settings.uses_sandbox
    assert settings.school_keys() == [SANDBOX]
    with pytest.raises(ConfigurationError, match="vx sandbox"):
        settings.school(SANDBOX)
    address = {
        "school_route": "sandbox",
        "client_id": "c",
        "client_secret": SECRET,
        "orah_api_key": SECRET,
        "timezone": "America/New_York",
        "veracross_api_url": "http://127.0.0.1:1",
        "veracross_accounts_url": "http://127.0.0.1:2",
        "orah_api_url": "http://127.0.0.1:3",
    }
    settings.home.mkdir()
    sandbox_address_file(settings.home).write_text(json.dumps(address))
    school = settings.school(SANDBOX)
    assert school.sandbox
    assert school.orah_url == "http://127.0.0.1:3"


def test_a_field_that_the_school_owns_must_be_one_of_orahs() -> None:
    assert Policies(orah_owns=("room_number",)).orah_owns == ("room_number",)
    assert Policies(student_fields={"custom_1": "nickname"}, orah_owns=("custom_1",)).orah_owns == (
        "custom_1",
    )
    with pytest.raises(ValidationError, match="no such field for a school to own: frist_name"):
        Policies(orah_owns=("frist_name",))
