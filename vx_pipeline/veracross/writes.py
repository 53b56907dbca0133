"""The one write: status and notes of an attendance row. Sent again only if it surely was not processed."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx

from vx_pipeline.errors import ChangedError, LostAnswerError, NotFoundError, ServiceError
from vx_pipeline.veracross.contract import UPDATE_CLASS_ATTENDANCE
from vx_pipeline.veracross.exchange import Exchange
from vx_pipeline.veracross.failures import PassingError, RefusedError, check_status
from vx_pipeline.veracross.transport import Tally

_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)
_UNCHANGED = "The row is unchanged."

Unchanged = Callable[[], Awaitable[bool]]
"""Looks whether a row still is as it was when somebody decided to change it."""


async def update_class_attendance(
    exchange: Exchange,
    *,
    class_id: int,
    attendance_id: int,
    status: int | str | None,
    notes: str | None,
    unchanged: Unchanged,
) -> None:
    """Writes a row's status and notes, as ``VeracrossClient.update_class_attendance`` describes."""
    row = f"attendance row {attendance_id} of class {class_id}"
    path = UPDATE_CLASS_ATTENDANCE.path.format(internal_class_id=class_id, id=attendance_id)
    body = {"data": {"status": _code(status), "notes": notes}}
    try:
        async for attempt in exchange.retry.tries():
            with attempt:
                waited = await exchange.budgets[UPDATE_CLASS_ATTENDANCE.area].free()
                if (waited or attempt.num > 1) and not await unchanged():
                    raise ChangedError(
                        f"Somebody changed {row} before the write's turn.", kept="It was not sent."
                    )
                return await _send_once(exchange, path, body, row)
    except PassingError as failure:
        raise ServiceError(
            f"Veracross could not be asked to change {row}: {failure}.",
            kept=_UNCHANGED,
            remedy="Run again later; `vx doctor` tells whether Veracross can be reached.",
        ) from None
    except RefusedError as failure:
        if failure.status == httpx.codes.NOT_FOUND:
            raise NotFoundError(
                f"Veracross knows no {row} (404).",
                kept="Nothing was changed.",
                remedy="Read the class's attendance again.",
            ) from None
        raise ServiceError(
            f"Veracross refused to change {row}: {failure}.",
            kept=_UNCHANGED,
            remedy="Check that the code is one of this school's, and that the class is open for edits.",
        ) from None
    raise AssertionError("a retry loop ends by returning or raising")


async def _send_once(exchange: Exchange, path: str, body: dict[str, Any], row: str) -> None:
    """Sends the write.

    Raises:
        PassingError: it was surely not processed, and may be sent again.
        RefusedError: it was not accepted.
        LostAnswerError: it may have landed.
    """
    area = UPDATE_CLASS_ATTENDANCE.area
    request = exchange.request(area, "PATCH", path, Tally(), json=body)
    try:
        response = await exchange.send(area, request)
    except _NOT_SENT as error:
        raise PassingError(type(error).__name__) from None
    except (httpx.TransportError, httpx.DecodingError, TimeoutError) as error:
        raise _lost(row, type(error).__name__) from None
    if response.is_server_error:
        raise _lost(row, f"status {response.status_code}")
    check_status(response)


def _lost(row: str, reason: str) -> LostAnswerError:
    return LostAnswerError(
        f"No answer to the change of {row} ({reason}): it may have landed.",
        kept="It was not sent a second time.",
        remedy="Read the row back before anything else.",
    )


def _code(status: int | str | None) -> int | str | None:
    """A value-list code as the contract types it: a number, wherever it is one."""
    return (
        int(status)
        if isinstance(status, str) and status.isdecimal() and str(int(status)) == status
        else status
    )
