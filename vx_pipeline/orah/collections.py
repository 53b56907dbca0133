"""What Orah's records look like, as collections for the warehouse. Source: models seen and documented."""

from vx_pipeline.schema import Collection, Field, Kind

STUDENTS = Collection(
    "orah",
    "students",
    (
        Field(("id",), Kind.ID, used=True),
        Field(("sis_id",), Kind.TEXT, used=True),
        Field(("first_name",), Kind.TEXT, used=True),
        Field(("last_name",), Kind.TEXT, used=True),
        Field(("alt_name",), Kind.TEXT, used=True),
        Field(("email",), Kind.TEXT, used=True),
        Field(("year_level",), Kind.TEXT, used=True),
        Field(("house", "id"), Kind.ID, used=True),
        Field(("room_number",), Kind.TEXT, used=True),
        Field(("bed_number",), Kind.TEXT, used=True),
        Field(("student_type",), Kind.TEXT, used=True),
        Field(("deactivated",), Kind.FLAG, used=True),
        Field(("is_international",), Kind.FLAG),
        # Not among the fields that were seen. Where a tenant shows them, they help to tell people apart.
        Field(("middle_name",), Kind.TEXT),
        Field(("date_of_birth",), Kind.DATE),
        Field(("gender",), Kind.TEXT),
        Field(("created_at",), Kind.TIMESTAMP),
        Field(("updated_at",), Kind.TIMESTAMP),
    ),
)

HOUSES = Collection(
    "orah",
    "houses",
    (
        Field(("id",), Kind.ID, used=True),
        Field(("name",), Kind.TEXT, used=True),
        Field(("sis_id",), Kind.TEXT, used=True),
        Field(("created_at",), Kind.TIMESTAMP),
        Field(("updated_at",), Kind.TIMESTAMP),
    ),
)

CONTACTS = Collection(
    "orah",
    "contacts",
    (
        Field(("id",), Kind.ID, used=True),
        # The other fields are those of Orah's import file (assumed).
        Field(("title",), Kind.TEXT),
        Field(("first_name",), Kind.TEXT, used=True),
        Field(("last_name",), Kind.TEXT, used=True),
        Field(("relationship",), Kind.TEXT),
        Field(("email",), Kind.TEXT, used=True),
        Field(("home_phone",), Kind.TEXT),
        Field(("mobile_phone",), Kind.TEXT),
        Field(("address",), Kind.TEXT),
        Field(("students",), Kind.JSON, used=True),
        Field(("created_at",), Kind.TIMESTAMP),
        Field(("updated_at",), Kind.TIMESTAMP),
    ),
)
