"""What the stand-in serves over HTTP, held against the contract file record by record."""

import json
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import httpx
import pytest

from vx_pipeline.sandbox import Sandbox
from vx_pipeline.sandbox.school import UNKNOWN_FIELDS
from vx_pipeline_tests.conftest import fresh_school
from vx_pipeline_tests.sandbox.clients import Caller

# Read here once more: the stand-in's own reading of the contract is what is tested.
CONTRACT: dict[str, Any] = json.loads(
    files("vx_pipeline").joinpath("contracts/veracross_v3.json").read_text(encoding="utf-8")
)["endpoints"]
LISTS = [name for name, described in CONTRACT.items() if described.get("collection")]
TYPES: dict[str, tuple[type, ...]] = {"number": (int, float), "string": (str,), "boolean": (bool,)}


@pytest.fixture(scope="module")
def reader() -> Iterator[Caller]:
    # 120 students have more classes than a rate window has requests.
    with Sandbox(school=fresh_school(), rate_limit=5000) as sandbox:
        caller = Caller(sandbox)
        yield caller
        caller.http.close()


def paths(caller: Caller, described: dict[str, Any]) -> list[str]:
    if "path_params" not in described:
        return [described["path"]]
    (parameter,) = described["path_params"]
    parents = {"internal_dorm_id": "list_boarding_dorms", "internal_class_id": "list_classes"}[parameter]
    ids = [row["id"] for row in caller.sandbox.school.veracross[parents]]
    return [described["path"].replace(f"{{{parameter}}}", str(parent)) for parent in ids]


def problems(record: dict[str, Any], shape: dict[str, Any], extra: frozenset[str]) -> Iterator[str]:
    for name in record.keys() - shape.keys() - extra:
        yield f"{name} is unknown"
    for name, described in shape.items():
        if name not in record:
            yield f"{name} is missing"
        elif record[name] is None:
            continue
        elif not isinstance(described.get("type"), str):
            yield from (f"{name}.{inner}" for inner in problems(record[name], described, frozenset()))
        elif not isinstance(record[name], TYPES[described["type"]]) or (
            isinstance(record[name], bool) != (described["type"] == "boolean")
        ):
            yield f"{name} is no {described['type']}"


@pytest.mark.parametrize("operation", LISTS)
def test_every_record_keeps_to_the_contract(reader: Caller, operation: str) -> None:
    described = CONTRACT[operation]
    token = reader.new_token(described["scope"])
    extra = UNKNOWN_FIELDS.get(operation, frozenset())
    rows = [row for path in paths(reader, described) for row in reader.whole(path, token=token)]

    found = {problem for row in rows for problem in problems(row, described["record"], extra)}
    assert found == set()
    held = reader.sandbox.school.veracross[operation]
    if operation == "list_parents":
        held = [row for row in held if row["id"] in {row["id"] for row in rows}]
    assert sorted(row["id"] for row in rows) == sorted(row["id"] for row in held)
    assert rows


@pytest.mark.parametrize("operation", LISTS)
def test_value_lists_cover_their_fields_and_the_codes_in_use(reader: Caller, operation: str) -> None:
    described = CONTRACT[operation]
    path = paths(reader, described)[0]
    answer = reader.data(path, headers={"X-API-Value-Lists": "include"})
    lists = answer.json()["value_lists"]

    assert {field for block in lists for field in block["fields"]} == set(described["value_list_fields"])
    for block in lists:
        codes = {str(item["id"]) for item in block["items"]}
        for field in block["fields"]:
            used = {
                value for row in reader.sandbox.school.veracross[operation] if (value := _get(row, field))
            }
            assert {str(value) for value in used} <= codes, field


def _get(row: dict[str, Any], path: str) -> Any:
    value: Any = row
    for step in path.split("."):
        value = value.get(step) if isinstance(value, dict) else None
    return value


def test_update_is_answered_with_204_and_no_body(reader: Caller) -> None:
    row = reader.sandbox.school.veracross["list_class_attendance"][0]
    token = reader.new_token(CONTRACT["update_class_attendance"]["scope"])
    answer = reader.patch(row, {"status": row["status"]}, token=token)
    assert isinstance(answer, httpx.Response)
    assert (answer.status_code, answer.content) == (204, b"")
    assert "content-length" not in answer.headers
