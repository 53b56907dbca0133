"""An alarm for a sensor that is off, by a run that does not rest on it: nobody else would tell it."""

from datetime import UTC, timedelta

from vx_pipeline.assets.alerts import tell_troubles
from vx_pipeline.journal.due_pushes import last_look
from vx_pipeline.journal.intents import first_written
from vx_pipeline.journal.problems import RED, Trouble
from vx_pipeline.session import SchoolSession

LOOK = "look"
"""Who finds that Orah cannot be looked at, and that it was looked at again."""

UNWATCHED = timedelta(hours=24)
"""How long nobody may have looked at the Orah of a school whose marks we write."""


def tell_unwatched(session: SchoolSession) -> None:
    """Tells that nobody looks at Orah, though marks were written a day ago; the next good look ends it."""
    since = last_look(session.journal, session.key)
    written = first_written(session.journal, session.key, "class_attendance")
    if written is None or session.now() - (since or written) < UNWATCHED:
        return
    looked = f"since {since.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if since else "so far"
    sensor = f"movements_{session.key.replace('-', '_')}"
    told = f"nobody has looked at Orah {looked}, and who leaves is not marked: switch on the sensor {sensor}"
    tell_troubles(session, LOOK, [Trouble(RED, LOOK, 0, told)])
