"""Who in Orah is who in Veracross, as assets; and the questions that are left for a person."""

from collections.abc import Iterator
from datetime import timedelta

import dagster as dg

from vx_pipeline.assets.catalog import DERIVED_KINDS, OWNERS, table_metadata
from vx_pipeline.assets.failures import plain_failures
from vx_pipeline.assets.partitions import SCHOOLS
from vx_pipeline.assets.resources import Schools
from vx_pipeline.attendance.days import Days, days_away
from vx_pipeline.attendance.reading import OrahReader
from vx_pipeline.journal.cases import record_matching
from vx_pipeline.journal.decisions import Entity, standing
from vx_pipeline.journal.intents import known_students
from vx_pipeline.matching.match import match_houses, match_students
from vx_pipeline.matching.picture import Picture, take_picture
from vx_pipeline.matching.rulings import read_rulings
from vx_pipeline.session import SchoolSession
from vx_pipeline.sync.wanted import wanted_fields

CASES = dg.AssetKey(["matching", "cases"])

_STUDENT_SOURCES = (
    ("roster", "students"),
    ("orah", "students"),
    ("veracross", "parents"),
    ("veracross", "staff_faculty"),
)
_DESCRIPTIONS = {
    "student_links": "Who in Orah is who in Veracross, for certain, with the rule that says so.",
    "review_queue": "What a person has to decide: students without a certain link, with candidates.",
    "evidence": "What each field says for or against each link and each candidate, in bits.",
}


@dg.multi_asset(
    partitions_def=SCHOOLS,
    specs=[
        dg.AssetSpec(
            ["matching", table],
            deps=[dg.AssetKey(source) for source in _STUDENT_SOURCES],
            group_name="matching",
            kinds=DERIVED_KINDS,
            owners=OWNERS,
            description=description,
        )
        for table, description in _DESCRIPTIONS.items()
    ],
)
def student_matches(context: dg.AssetExecutionContext, schools: Schools) -> Iterator[dg.MaterializeResult]:
    """Links students: people's decisions first, then the links there are, then evidence. Queues the rest."""
    with plain_failures():
        session = schools.open(context.partition_key)
        link_students(session)
        with session.reading() as connection:
            metadata = {
                table: table_metadata(
                    connection,
                    f"matching.{table}",
                    dict(
                        connection.execute(
                            f"SELECT {column}, count(*) FROM matching.{table} GROUP BY ALL ORDER BY ALL"
                        ).fetchall()
                    ),
                )
                for table, column in (
                    ("student_links", "rule"),
                    ("review_queue", "reason"),
                    ("evidence", "field"),
                )
            }
    for table, values in metadata.items():
        yield dg.MaterializeResult(asset_key=["matching", table], metadata=values)


def link_students(session: SchoolSession) -> None:
    """Works out who in Orah is who in Veracross, from what was read last and what people decided."""
    rulings = read_rulings(session.journal, session.key, Entity.STUDENT)
    with session.writing() as connection:
        match_students(
            connection,
            now=session.now(),
            rulings=rulings,
            written=known_students(session.journal, session.key),
            link_same_name_and_year=session.school.policies.link_same_name_and_year,
        )


def link_houses(session: SchoolSession) -> None:
    """Works out which house in Orah is which dorm in use."""
    rulings = read_rulings(session.journal, session.key, Entity.HOUSE)
    with session.writing() as connection:
        match_houses(connection, rulings)


@dg.asset(
    key=["matching", "house_links"],
    partitions_def=SCHOOLS,
    deps=[dg.AssetKey(["roster", "houses"]), dg.AssetKey(["orah", "houses"])],
    group_name="matching",
    kinds=DERIVED_KINDS,
    owners=OWNERS,
    description="Which house in Orah is which dorm in use: by decision, by id, otherwise by exact name.",
)
def house_links(context: dg.AssetExecutionContext, schools: Schools) -> dg.MaterializeResult:
    """Grain: one linked dorm."""
    with plain_failures():
        session = schools.open(context.partition_key)
        link_houses(session)
        with session.reading() as connection:
            return dg.MaterializeResult(metadata=table_metadata(connection, "matching.house_links"))


@dg.asset(
    key=CASES,
    partitions_def=SCHOOLS,
    deps=[
        dg.AssetKey(["matching", "student_links"]),
        dg.AssetKey(["matching", "review_queue"]),
        dg.AssetKey(["matching", "evidence"]),
        dg.AssetKey(["matching", "house_links"]),
        dg.AssetKey(["roster", "boarders"]),
        dg.AssetKey(["roster", "houses"]),
    ],
    group_name="matching",
    kinds={"sqlite", "python"},
    owners=OWNERS,
    description="The questions that a person answers on the review page, with everything needed to answer them.",
)
def cases(context: dg.AssetExecutionContext, schools: Schools) -> dg.MaterializeResult:
    """Grain: one question. Written to the journal, which the review page reads."""
    with plain_failures():
        session = schools.open(context.partition_key)
        picture = picture_school(session, context.run.run_id)
        record_matching(session.journal, picture.matching, picture.cases, picture.people)
    return dg.MaterializeResult(
        metadata={
            **{
                name: count
                for name, count in picture.matching.counts.items()
                if not name.startswith("linked by")
            },
            "review page": dg.MetadataValue.url(f"{session.settings.review_url}/{session.key}/queue"),
        }
    )


def picture_school(session: SchoolSession, run_id: str) -> Picture:
    """What the last matching left open, and what each answer would cause."""
    policies = session.school.policies
    now = session.now()
    oldest = now.date() - timedelta(days=policies.attendance.days_back)
    days = Days(oldest, now.date())
    reader = OrahReader(session.orah, session.journal, session.key, session.school.zone, policies.attendance)
    periods = session.run(reader.read(days, now=now)).periods
    with session.writing() as connection:
        return take_picture(
            connection,
            school=session.key,
            run_id=run_id,
            standing=standing(session.journal, session.key),
            wanted=wanted_fields(connection, policies),
            days_away=days_away(periods, days=days, zone=session.school.zone),
            ask_about_new=not policies.create_students,
        )
