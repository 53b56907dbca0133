"""Who is on an active pass now. Orah lists no passes, so where a student is has to tell.

Source: Orah's location tree and latest location records (seen). That a student whose last move led off the grounds
is on a pass is our reading; there is no list of leaves.
"""

from datetime import datetime, timedelta

from vx_pipeline.errors import VxError
from vx_pipeline.orah import OrahClient, assumed
from vx_pipeline.policies import GatePolicy


async def students_on_pass(orah: OrahClient, policy: GatePolicy, now: datetime) -> frozenset[int] | None:
    """The Orah ids of students on an active pass; None when Orah could not tell. Two requests.

    Args:
        orah: the open client.
        policy: which states of a location mean a pass, and after how many days a movement says nothing any more.
        now: this moment, aware.
    """
    try:
        locations = await orah.locations()
        movements = await orah.latest_movements()
    except VxError:
        return None
    states = {state.strip().lower() for state in policy.pass_states}
    away = {place["id"] for place in locations if str(place.get("state", "")).lower() in states}
    oldest = now - timedelta(days=policy.pass_days)
    return frozenset(
        move["student"]["id"]
        for move in movements
        if move["type"] == "in"
        and move["student"] is not None
        # A move to nowhere (seen) may lead anywhere.
        and (move["location"] is None or move["location"]["id"] in away)
        and assumed.parse_moment(move["record_time"]) >= oldest
    )
