"""``python -m vx_pipeline.sandbox``: the sandbox in the foreground, until it is interrupted or terminated."""

import argparse
import json
import os
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from vx_pipeline.sandbox.sandbox import Sandbox


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs until SIGINT or SIGTERM; returns the exit code."""
    options = _parser().parse_args(arguments)
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    with Sandbox(students=options.students, seed=options.seed) as sandbox:
        address = _address(sandbox)
        if options.address_file:
            _write_private(options.address_file, address)
        try:
            sys.stdout.write(
                f"A stand-in for Veracross and Orah with {options.students} invented students; "
                f"its control address is {sandbox.control_url}. Ctrl+C stops it.\n"
            )
            sys.stdout.flush()
            ended.wait()
        finally:
            if options.address_file:
                _remove_if_ours(options.address_file)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m vx_pipeline.sandbox", description=__doc__)
    parser.add_argument("--students", type=int, default=420, help="how many current students (420)")
    parser.add_argument("--seed", type=int, default=7, help="decides what is left to chance (7)")
    parser.add_argument(
        "--address-file",
        type=Path,
        help="JSON with addresses and credentials, there while the sandbox listens",
    )
    return parser


def _address(sandbox: Sandbox) -> dict[str, Any]:
    return {
        "school_route": sandbox.school.route,
        "timezone": sandbox.school.timezone,
        "client_id": sandbox.credentials.client_id,
        "client_secret": sandbox.credentials.client_secret,
        "orah_api_key": sandbox.credentials.orah_api_key,
        "veracross_accounts_url": sandbox.veracross_accounts_url,
        "veracross_api_url": sandbox.veracross_api_url,
        "orah_api_url": sandbox.orah_api_url,
        "control_url": sandbox.control_url,
        "pid": os.getpid(),
    }


def _write_private(path: Path, content: dict[str, Any]) -> None:
    """Readable by the owner alone, and never half written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    draft.touch(mode=0o600, exist_ok=False)
    draft.write_text(json.dumps(content, indent=1), encoding="utf-8")
    draft.replace(path)


def _remove_if_ours(path: Path) -> None:
    """Leaves the file of a sandbox that was started later alone."""
    try:
        ours = json.loads(path.read_text(encoding="utf-8")).get("pid") == os.getpid()
    except (OSError, ValueError):
        return
    if ours:
        path.unlink(missing_ok=True)


if __name__ == "__main__":
    sys.exit(main())
