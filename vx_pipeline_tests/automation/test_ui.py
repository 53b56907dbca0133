"""The Dagster UI as ``vx ui`` opens it: one asset materialised through it, by a real run of a real daemon."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

LOCATION = {"repositoryLocationName": "vx_pipeline.definitions", "repositoryName": "__repository__"}
LAUNCH = """
mutation Launch($parameters: ExecutionParams!) {
  launchRun(executionParams: $parameters) {
    __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message }
  }
}
"""
RUN = "query Run($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }"
ROWS = """
query Asset { assetOrError(assetKey: {path: ["veracross", "dorms"]}) { ... on Asset {
  assetMaterializations(limit: 1) { partition metadataEntries { label ... on IntMetadataEntry { intValue } } }
} } }
"""
PATIENCE_SECONDS = 120


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture
def ui(tmp_path: Path) -> Iterator[httpx.Client]:
    outside = ("VERACROSS_", "ORAH_", "SCHOOL_", "VX_", "DAGSTER_HOME")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(outside)}
    environment["VX_HOME"] = str(tmp_path / "home")
    port = free_port()
    command = [str(Path(sys.executable).with_name("vx")), "ui", "--port", str(port)]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            command, env=environment, stdout=log, stderr=log, start_new_session=True, cwd=tmp_path
        )
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
            until(lambda: answers(client))
            yield client
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def answers(client: httpx.Client) -> bool:
    try:
        return client.get("/server_info").is_success
    except httpx.TransportError:
        return False


def until(true: Any) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not true():
        assert time.monotonic() < deadline, "nothing happened in time"
        time.sleep(0.5)


def ask(client: httpx.Client, query: str, **variables: Any) -> dict[str, Any]:
    answer: dict[str, Any] = client.post("/graphql", json={"query": query, "variables": variables}).json()
    assert "errors" not in answer, answer["errors"]
    data: dict[str, Any] = answer["data"]
    return data


@pytest.mark.slow
def test_one_asset_is_materialised_from_the_ui(ui: httpx.Client) -> None:
    parameters = {
        "selector": {
            **LOCATION,
            "jobName": "__ASSET_JOB",
            "assetSelection": [{"path": ["veracross", "dorms"]}],
        },
        "runConfigData": {},
        "executionMetadata": {"tags": [{"key": "dagster/partition", "value": "sandbox"}]},
    }
    launched = ask(ui, LAUNCH, parameters=parameters)["launchRun"]
    assert launched["__typename"] == "LaunchRunSuccess", launched
    run_id = launched["run"]["runId"]
    ended = {"SUCCESS", "FAILURE", "CANCELED"}
    until(lambda: ask(ui, RUN, id=run_id)["runOrError"]["status"] in ended)
    assert ask(ui, RUN, id=run_id)["runOrError"]["status"] == "SUCCESS"
    (materialization,) = ask(ui, ROWS)["assetOrError"]["assetMaterializations"]
    numbers = {one["label"]: one.get("intValue") for one in materialization["metadataEntries"]}
    assert materialization["partition"] == "sandbox"
    assert numbers["dagster/row_count"] > 0
