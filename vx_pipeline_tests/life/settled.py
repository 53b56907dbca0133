"""A school that has lived a while, kept as bytes: an example of a property begins there in no time."""

import pickle
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from vx_pipeline_tests.life.night import GROUPS, Life, PlanAndApply, living, only_reading
from vx_pipeline_tests.life.school import little_school

_IN_MEMORY = Path("/dev/shm")


@dataclass(frozen=True)
class Settled:
    """Everything there is after some nights.

    Args:
        school: both systems, pickled.
        moment: what time it is.
        files: the home's files, warehouse and journal among them, by their path in it.
        known: as ``Life`` keeps it.
    """

    school: bytes
    moment: datetime
    files: Mapping[Path, bytes]
    known: Mapping[str, tuple[bytes, int]]


@cache
def settled(
    plan_and_apply: PlanAndApply = only_reading, *, quiet: Collection[str] = GROUPS, nights: int = 2
) -> Settled:
    """The little school after so many nights in which nothing happened."""
    with quick_home() as home:
        with living(little_school(), home, plan_and_apply, quiet) as life:
            for _ in range(nights):
                night = life.night()
                assert not night.failed, night.failed
        files = {path.relative_to(home): path.read_bytes() for path in home.rglob("*") if path.is_file()}
    return Settled(pickle.dumps(life.school), life.clock.moment, files, dict(life.known))


@contextmanager
def living_on(
    after: Settled,
    home: Path,
    plan_and_apply: PlanAndApply = only_reading,
    quiet: Collection[str] = GROUPS,
) -> Iterator[Life]:
    """A copy of a settled school that goes on living, in an empty folder."""
    for name, content in after.files.items():
        (home / name).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        (home / name).write_bytes(content)
    with living(pickle.loads(after.school), home, plan_and_apply, quiet) as life:
        life.clock.moment = after.moment
        life.known = dict(after.known)
        yield life


@contextmanager
def quick_home() -> Iterator[Path]:
    """An empty folder for a life, in memory where the system has such a place: a night commits often."""
    with TemporaryDirectory(dir=_IN_MEMORY if _IN_MEMORY.is_dir() else None) as folder:
        yield Path(folder) / "home"
