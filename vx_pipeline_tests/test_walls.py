"""The walls between the rooms: who may import whom."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import vx_pipeline

ROOT = Path(vx_pipeline.__file__).parent
COMMON = {"addresses", "clock", "errors", "attendance_policy", "policies", "schema", "settings", "contracts"}
MAY_IMPORT = {
    "veracross": {"schema", "errors", "addresses"},
    "orah": {"schema", "errors", "addresses"},
    "warehouse": {"schema", "errors"},
    "journal": {"errors"},
    "roster": {"warehouse", *COMMON},
    "matching": {"warehouse", "journal", *COMMON},
    "sync": {"warehouse", "journal", "orah", *COMMON},
    "attendance": {"warehouse", "journal", "orah", "veracross", *COMMON},
    "insights": {"warehouse", *COMMON},
    "delivery": {"warehouse", *COMMON},
    "review": {"journal", "matching", "sync", "insights", *COMMON},
    "sandbox": set(),
}
"""What each room may know of the project besides itself. The floors above may know everything but the sandbox."""

ABOVE = {"assets", "automation", "commands", "cli", "definitions", "session"}
WITHOUT_DAGSTER = set(MAY_IMPORT) | {"session", *COMMON} - {"contracts"}


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def files(room: str) -> list[Path]:
    single = ROOT / f"{room}.py"
    return [single] if single.exists() else sorted((ROOT / room).rglob("*.py"))


def rooms_known_to(room: str) -> set[str]:
    known = set()
    for path in files(room):
        for name in imports(path):
            parts = name.split(".")
            if parts[0] == "vx_pipeline" and len(parts) > 1:
                known.add(parts[1])
    return known - {room}


@pytest.mark.parametrize("room", sorted(MAY_IMPORT))
def test_a_room_knows_only_what_it_may(room: str) -> None:
    assert files(room)
    assert rooms_known_to(room) <= MAY_IMPORT[room]


@pytest.mark.parametrize("room", sorted(ABOVE))
def test_the_pipeline_never_imports_its_stand_in(room: str) -> None:
    assert files(room)
    assert "sandbox" not in rooms_known_to(room)


@pytest.mark.parametrize("room", sorted(WITHOUT_DAGSTER))
def test_the_rooms_below_do_not_know_dagster(room: str) -> None:
    found = {
        name for path in files(room) for name in imports(path) if name.split(".")[0].startswith("dagster")
    }
    assert found == set()


def test_every_room_is_on_the_plan() -> None:
    rooms = {path.stem for path in ROOT.iterdir() if not path.stem.startswith("_")}
    assert rooms - {"contracts", "deploy"} == set(MAY_IMPORT) | ABOVE | COMMON - {"contracts"}
