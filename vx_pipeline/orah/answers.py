"""What an answer of Orah's says: its envelope, its codes, and records that tell enough to go by."""

from collections.abc import Mapping
from typing import Any

import httpx

from vx_pipeline.errors import AccessError, IncompleteReadError, NotFoundError, ServiceError
from vx_pipeline.orah import assumed


def read_answer(response: httpx.Response, route: str) -> Any:
    """The ``data`` of a good answer.

    Raises:
        AccessError: Orah refuses the key, or the key the entity.
        NotFoundError: there is no such record.
        ServiceError: Orah refuses the request.
        ValueError: the body is not Orah's envelope.
    """
    if response.status_code == httpx.codes.UNAUTHORIZED:
        raise AccessError(
            f"Orah refused the key at {route} (401).",
            kept="Nothing was changed.",
            remedy="Check ORAH_API_KEY, ORAH_REGION and the key's IP allow-list with an Orah administrator.",
        )
    if response.status_code == httpx.codes.FORBIDDEN:
        raise AccessError(
            f"The Orah key has no permission for {route} (403).",
            kept="Nothing was changed.",
            remedy="An Orah administrator grants the key this entity.",
        )
    if response.status_code == httpx.codes.NOT_FOUND:
        raise NotFoundError(f"Orah knows no such record or route: {route} (404).")
    if response.is_client_error:
        raise ServiceError(
            f"Orah refused the request {route} (status {response.status_code}).",
            kept="The record is unchanged.",
        )
    body = response.json()
    if not isinstance(body, Mapping) or "data" not in body:
        raise ValueError("not an envelope")
    return body["data"]


def location_records(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The records with a key for each field; one that cannot be understood may be a student's way back.

    Raises:
        IncompleteReadError: a record is malformed.
    """
    for record in records:
        if not assumed.is_location_record(record):
            known = assumed.is_whole_number(record.get("id"))
            raise IncompleteReadError(
                f"Orah's location record {record['id'] if known else 'without an id'} is malformed.",
                kept="No mark is derived from these movements.",
                remedy="Correct or delete the record in Orah, then run the push again.",
            )
    return [{"location": None, "student": None, **record} for record in records]


def rolls(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The records, each with an id: without one nobody knows whether a roll came twice, or not at all.

    Raises:
        IncompleteReadError: a record has no id.
    """
    if not all(assumed.is_whole_number(record.get("id")) for record in records):
        raise IncompleteReadError(
            "One of Orah's rolls has no id.",
            kept="No mark is derived from these rolls.",
            remedy="Run the push again; if it stays, Orah changed its API.",
        )
    return records


def contacts(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The contacts of one student; one that does not tell whose it is could not be taken from anybody safely.

    Raises:
        IncompleteReadError: a contact has no id, or does not show its students.
    """
    for record in records:
        if not assumed.is_contact(record):
            known = assumed.is_whole_number(record.get("id"))
            raise IncompleteReadError(
                f"Orah's contact {record['id'] if known else 'without an id'} does not tell whose contact it is.",
                kept="The contacts of this student are left alone.",
                remedy="Look at the contact in Orah; if all are so, Orah changed its API.",
            )
    return records


def is_record(data: Any) -> bool:
    """Whether an answer is one record."""
    return isinstance(data, Mapping) and isinstance(data.get("id"), int)
