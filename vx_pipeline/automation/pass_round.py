"""Reading the passes of a day a few at a time: Orah has no list of them, and a look may take only seconds."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from vx_pipeline.automation.seen import Other, checksum
from vx_pipeline.errors import AccessError, NotFoundError
from vx_pipeline.journal.push_memory import KnownPass
from vx_pipeline.orah import OrahClient
from vx_pipeline.orah.assumed import read_pass

log = logging.getLogger(__name__)

PASSES_AT_ONCE = 25
"""How many passes one look reads. A school with more of them comes round in several looks."""

PASS_SECONDS = 3.0
"""How long a look waits for one pass."""

PASSES_SECONDS = 10.0
"""When a look begins no further pass."""


@dataclass(frozen=True)
class Round:
    """What a look read of the passes.

    Args:
        found: those that tell something, by name.
        after: the pass up to which they were read; 0 when all were.
    """

    found: Mapping[str, Other]
    after: int


async def read_passes(
    orah: OrahClient, known: Sequence[KnownPass], seen: Mapping[str, Other], after: int, zone: ZoneInfo
) -> Round:
    """The next few passes. One that cannot be read or understood stays as it was seen before.

    Args:
        orah: the school's Orah.
        known: the passes, in the order of their ids.
        seen: what earlier looks have seen of them, by name.
        after: the pass up to which earlier looks have come.
        zone: the school's time zone.
    """
    loop = asyncio.get_running_loop()
    begun = loop.time()
    found: dict[str, Other] = {}
    for number, one in enumerate(pass_ for pass_ in known if pass_.leave_id > after):
        if number == PASSES_AT_ONCE or loop.time() > begun + PASSES_SECONDS:
            return Round(found, after)
        after = one.leave_id
        try:
            async with asyncio.timeout(PASS_SECONDS):
                other = _as_seen(await orah.leave(one.leave_id), zone)
        except AccessError:
            return Round({}, 0)
        except NotFoundError:
            other = _gone(one, seen.get(f"p{one.leave_id}"), zone)
        except Exception as error:  # noqa: BLE001 - whatever one pass brings about, the others are read
            log.warning("pass %s could not be read (%s)", one.leave_id, type(error).__name__)
            other = None
        if other is not None:
            found[f"p{one.leave_id}"] = other
    return Round(found, 0)


def _as_seen(record: dict[str, object], zone: ZoneInfo) -> Other | None:
    one = read_pass(record)
    if one is None:
        return None
    # Who is on a pass that is not over is not back because its planned end is past.
    end = None if one.counts and not one.is_over else one.end
    return _other(checksum(record), one.orah_id, one.start, end, zone)


def _gone(known: KnownPass, before: Other | None, zone: ZoneInfo) -> Other | None:
    """Of a pass that was deleted it is still known whose it was and when."""
    if before is not None:
        return replace(before, checksum=0)
    if known.orah_id is None or known.starts_at is None:
        return None
    return _other(0, known.orah_id, known.starts_at, known.ends_at, zone)


def _other(checksum: int, orah_id: int, start: datetime, end: datetime | None, zone: ZoneInfo) -> Other:
    first = start.astimezone(zone).date()
    return Other(checksum, (orah_id,), first, end.astimezone(zone).date() if end else None)
