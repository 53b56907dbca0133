"""The Orah client: POST-only routes, envelopes, paging inside ``query``.

Reads are tried again when the service stumbles. Writes never are: a write whose answer is lost may have
landed, and only reading back can tell.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Any, Self

import httpx
import stamina

from vx_pipeline.addresses import secure_url, trusted_certificates
from vx_pipeline.errors import BusyError, IncompleteReadError, LostAnswerError, ServiceError
from vx_pipeline.orah import assumed
from vx_pipeline.orah.answers import contacts, is_record, location_records, read_answer, rolls
from vx_pipeline.orah.timelines import date_range, read_timeline

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Retry:
    """How often and how patiently a read is tried. Waits are seconds."""

    attempts: int = 5
    wait_initial: float = 0.5
    wait_max: float = 20.0


class _PassingError(Exception):
    """An answer that a later try may turn into a good one."""


class OrahClient:
    """Talks to one school's Orah tenant. Use it as an async context manager.

    Args:
        url: the region's host, or an override.
        api_key: the tenant's key; sent as a bearer token, never logged.
        timeout_seconds: how long one answer may take.
        retry: how reads are tried again.
    """

    def __init__(
        self, *, url: str, api_key: str, timeout_seconds: float = 30, retry: Retry | None = None
    ) -> None:
        self._retry = retry or Retry()
        self._http = httpx.AsyncClient(
            base_url=f"{secure_url('ORAH_API_URL', url)}/open-api/",
            headers={"Authorization": f"Bearer {api_key}", "Accept": "application/json"},
            timeout=timeout_seconds,
            verify=trusted_certificates(),
        )
        self.requests = 0
        """Requests sent so far, retries included."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.aclose()

    async def students(self) -> list[dict[str, Any]]:
        """Every student, active or deactivated, in one answer."""
        return await self._list("student/list", assumed.every_student())

    async def houses(self) -> list[dict[str, Any]]:
        """Every house, in one answer."""
        return await self._list("house/list", {})

    async def contacts_of(self, student_id: int) -> list[dict[str, Any]]:
        """The contacts of one student, in one answer; there is no list of all contacts.

        Raises:
            IncompleteReadError: a contact does not tell whose it is.
            NotFoundError: the student does not exist, or was deleted.
        """
        return contacts(await self._list("contact/list-by-student", assumed.contacts_body(student_id)))

    async def locations(self) -> list[dict[str, Any]]:
        """Every location with its ``state``: on_grounds, off_grounds or home."""
        return await self._list("location/tree", {"query": {"nested": False}})

    async def movements(self, start: datetime, end: datetime | None = None) -> list[dict[str, Any]]:
        """The location records between two moments, all pages.

        Each has the keys ``id, type, record_time, location, student``; the last two may be None.

        Raises:
            IncompleteReadError: a record is malformed or came twice, or passes kept differing.
            ServiceError: a page failed.
        """
        return await read_timeline(
            self._list, "location-record/timeline", {"date_range": date_range(start, end)}, location_records
        )

    async def rolls(self, start: datetime, end: datetime | None = None) -> list[dict[str, Any]]:
        """The rolls of any type and status that began between two moments, all pages.

        Each has its ``id``; ``assumed.roll_results`` reads the rest.

        Raises:
            IncompleteReadError: a record has no id or came twice, or passes kept differing.
            AccessError: the key has no permission for rolls.
            ServiceError: a page failed.
        """
        query = {"date_range": date_range(start, end), "status": "All"}
        return await read_timeline(self._list, "roll/timeline", query, rolls)

    async def leave(self, leave_id: int) -> dict[str, Any]:
        """One leave, which people call a pass; there is no list of them. ``assumed.read_pass`` reads it.

        Raises:
            AccessError: the key has no permission for leaves.
            NotFoundError: it does not exist, or was deleted.
        """
        return await self.get("leave", leave_id)

    async def latest_movements(self) -> list[dict[str, Any]]:
        """The latest location record of each student who has one, however old, in one answer.

        A malformed one says nothing about where its student is and is left out.
        """
        records = await self._list("location-record/get-current", {})
        return location_records([record for record in records if assumed.is_location_record(record)])

    async def get(self, entity: str, record_id: int) -> dict[str, Any]:
        """One record.

        Raises:
            NotFoundError: it does not exist, or was deleted.
        """
        answer = await self._read(f"{entity}/get-single", assumed.get_body(record_id))
        if not is_record(answer) or answer["id"] != record_id:
            raise ServiceError(f"Orah answered {entity}/get-single with something else than the record.")
        return dict(answer)

    async def create(self, entity: str, values: Mapping[str, Any]) -> dict[str, Any]:
        """Creates a record and returns it as Orah stored it.

        Raises:
            LostAnswerError: no answer came; the record may exist.
        """
        return await self._write(f"{entity}/create", assumed.create_body(values))

    async def update(self, entity: str, record_id: int, values: Mapping[str, Any]) -> dict[str, Any]:
        """Changes the given fields of a record and returns it.

        Raises:
            LostAnswerError: no answer came; the change may have landed.
            NotFoundError: the record does not exist, or was deleted.
        """
        return await self._write(f"{entity}/update", assumed.update_body(record_id, values))

    async def delete(self, entity: str, record_id: int) -> None:
        """Deletes a record for good.

        Raises:
            LostAnswerError: no answer came; the record may be gone.
            NotFoundError: it does not exist.
        """
        await self._send_write(f"{entity}/delete", assumed.delete_body(record_id))

    async def _list(self, route: str, body: Mapping[str, Any]) -> list[dict[str, Any]]:
        data = await self._read(route, body)
        if not isinstance(data, list) or not all(isinstance(record, dict) for record in data):
            raise IncompleteReadError(
                f"Orah answered {route} with something else than a list of records.",
                kept="The last good table stays.",
                remedy="Run again; if it stays, Orah changed its API.",
            )
        return data

    async def _read(self, route: str, body: Mapping[str, Any]) -> Any:
        """A call that changes nothing, tried again while the trouble may pass."""
        try:
            async for attempt in stamina.retry_context(
                on=_PassingError,
                attempts=self._retry.attempts,
                wait_initial=self._retry.wait_initial,
                wait_max=self._retry.wait_max,
                timeout=None,
            ):
                with attempt:
                    return await self._read_once(route, body)
        except _PassingError as trouble:
            raise ServiceError(
                f"Orah did not answer {route} properly, in {self._retry.attempts} tries: {trouble}.",
                kept="Nothing was changed; the last good tables stay.",
                remedy="Run again later; `vx doctor` tells whether Orah can be reached.",
            ) from None
        raise AssertionError("a retry loop ends by returning or raising")

    async def _read_once(self, route: str, body: Mapping[str, Any]) -> Any:
        try:
            response = await self._send(route, body)
        except (httpx.TransportError, httpx.DecodingError) as error:
            raise _PassingError(type(error).__name__) from None
        if response.status_code == httpx.codes.TOO_MANY_REQUESTS or response.is_server_error:
            raise _PassingError(f"status {response.status_code}")
        try:
            return read_answer(response, route)
        except ValueError:
            raise _PassingError("an answer that is not the JSON envelope") from None

    async def _write(self, route: str, body: Mapping[str, Any]) -> dict[str, Any]:
        answer = await self._send_write(route, body)
        if not is_record(answer):
            raise LostAnswerError(f"Orah's answer to {route} is not a record.")
        return dict(answer)

    async def _send_write(self, route: str, body: Mapping[str, Any]) -> Any:
        try:
            response = await self._send(route, body)
        except httpx.ConnectError as error:
            raise BusyError(
                f"Orah could not be reached for {route} ({type(error).__name__}).", kept="Nothing was sent."
            ) from None
        except (httpx.TransportError, httpx.DecodingError) as error:
            raise LostAnswerError(f"No answer to {route} ({type(error).__name__}).") from None
        if response.status_code == httpx.codes.TOO_MANY_REQUESTS:
            raise BusyError(f"Orah asks for a pause at {route} (429).", kept="The record is unchanged.")
        if response.is_server_error:
            raise LostAnswerError(f"Orah failed at {route} (status {response.status_code}).")
        try:
            return read_answer(response, route)
        except ValueError:
            raise LostAnswerError(f"Orah's answer to {route} cannot be read.") from None

    async def _send(self, route: str, body: Mapping[str, Any]) -> httpx.Response:
        self.requests += 1
        return await self._http.post(route, json=body)
