"""Reading passes from Orah one by one, because there is no list of them; one bad pass is not all of them."""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from vx_pipeline.attendance.absences import counts_until
from vx_pipeline.errors import AccessError, NotFoundError, ServiceError
from vx_pipeline.journal import Journal
from vx_pipeline.journal.push_memory import note_pass
from vx_pipeline.orah import OrahClient
from vx_pipeline.orah.assumed import Pass, read_pass

log = logging.getLogger(__name__)

_IN_VAIN = 3
"""After so many failures in a row the others are not tried: each one costs several tries and their waits."""


@dataclass(frozen=True)
class PassesRead:
    """What was read of some passes.

    Args:
        passes: those that were understood.
        gone: ids of those that Orah does not have any more.
        not_understood: ids of those whose record does not tell how they stand.
        failed: ids of those that Orah did not answer for this time.
        refused: whether the key may not read passes at all; then there is nothing else here.
    """

    passes: Sequence[Pass] = ()
    gone: Sequence[int] = ()
    not_understood: Sequence[int] = ()
    failed: Sequence[int] = ()
    refused: bool = False

    @property
    def shown(self) -> list[str]:
        """The evidence that was there to be seen, also that of passes that are gone."""
        return [f"p{one.leave_id}" for one in self.passes] + [f"p{one}" for one in self.gone]

    @property
    def unread(self) -> list[str]:
        """The evidence of which nobody can tell: ``p`` stands for all of it."""
        return ["p"] if self.refused else [f"p{one}" for one in (*self.not_understood, *self.failed)]


async def read_passes(
    orah: OrahClient, journal: Journal, school: str, leave_ids: Iterable[int], *, now: datetime
) -> PassesRead:
    """These passes, one request each; what is understood is noted in the journal.

    A pass that fails is left out, so that one bad record does not keep a whole school from being marked.
    """
    passes: list[Pass] = []
    gone: list[int] = []
    not_understood: list[int] = []
    failed: list[int] = []
    in_vain = 0
    for leave_id in leave_ids:
        if in_vain == _IN_VAIN:
            failed.append(leave_id)
            continue
        try:
            one = read_pass(await orah.leave(leave_id))
        except NotFoundError:
            gone.append(leave_id)
        except AccessError as error:
            log.warning("passes are not read: %s", error.what)
            return PassesRead(refused=True)
        except ServiceError as error:
            log.warning("pass %s is not read: %s", leave_id, error.what)
            failed.append(leave_id)
            in_vain += 1
            continue
        else:
            if one is None:
                log.warning("pass %s does not tell how it stands, and nothing is made of it", leave_id)
                not_understood.append(leave_id)
            else:
                note_pass(
                    journal,
                    school,
                    leave_id,
                    at=now,
                    orah_id=one.orah_id,
                    starts_at=one.start,
                    ends_at=counts_until(one),
                )
                passes.append(one)
        in_vain = 0
    return PassesRead(passes, gone, not_understood, failed)
