"""`vx pin`: a person, a house or one field that the sync leaves alone, for a reason and a time."""

import getpass
from datetime import date
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from vx_pipeline import clock
from vx_pipeline.commands.console import JsonOption, SchoolOption, console, open_session, print_json, table
from vx_pipeline.journal.pins import add_pin, end_pin, pins_on
from vx_pipeline.sync.changes import Entity

app = typer.Typer(help="What the sync leaves alone: see it, add to it, take it away.", no_args_is_help=True)

ByOption = Annotated[str, typer.Option("--by", help="Who says so; the login name if not given.")]


@app.command()
def add(
    entity: Annotated[Entity, typer.Argument(help="What kind of record it is.")],
    key: Annotated[int, typer.Argument(min=1, help="The Veracross id: a person's, or a dorm's for a house.")],
    reason: Annotated[str, typer.Option("--reason", help="Why; kept with the pin.")],
    field: Annotated[
        str, typer.Option("--field", help="Only this field of Orah; the whole record if not given.")
    ] = "",
    until: Annotated[
        str, typer.Option("--until", help="The last day, YYYY-MM-DD; for good if not given.")
    ] = "",
    school: SchoolOption = "",
    by: ByOption = "",
    as_json: JsonOption = False,
) -> None:
    """Leave a record, or one field of it, alone from the next plan on."""
    last_day = _day(until) if until else None
    with open_session(school, quiet=as_json) as session:
        pin_id = add_pin(
            session.journal,
            school=session.key,
            entity=entity.value,
            key=key,
            field=field,
            reason=reason,
            author=by or getpass.getuser(),
            at=clock.now(),
            last_day=last_day,
        )
    if as_json:
        print_json({"pin": pin_id})
    else:
        console.print(f"Pin {pin_id}: the sync leaves {field or 'all'} of {entity.value} {key} alone.")


@app.command("list")
def list_pins(school: SchoolOption = "", as_json: JsonOption = False) -> None:
    """Show the pins that hold today."""
    with open_session(school, quiet=as_json) as session:
        zone = ZoneInfo(session.settings.timezone(session.key))
        found = pins_on(session.journal, session.key, clock.now(zone).date())
    if as_json:
        print_json({"pins": [vars(pin) for pin in found]})
        return
    rows = [
        (
            pin.pin_id,
            f"{pin.entity} {pin.key}",
            pin.field or "all",
            pin.last_day or "",
            pin.author,
            pin.reason,
        )
        for pin in found
    ]
    console.print(table("Pins", ("pin", "record", "field", "until", "by", "why"), rows))


@app.command()
def end(
    pin_id: Annotated[int, typer.Argument(min=1, help="The pin's number.")],
    school: SchoolOption = "",
    by: ByOption = "",
) -> None:
    """Take a pin away."""
    with open_session(school) as session:
        end_pin(
            session.journal, school=session.key, pin_id=pin_id, by=by or getpass.getuser(), at=clock.now()
        )
    console.print(f"Pin {pin_id} is gone; the next plan may change the record again.")


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter("write the day as YYYY-MM-DD", param_hint="--until") from None
