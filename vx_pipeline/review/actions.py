"""What can be decided about two records: the buttons, and the addresses that they lead to."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from vx_pipeline.journal.decisions import Kind
from vx_pipeline.review.pair import Pair, own_side
from vx_pipeline.review.site import Visit

Offer = tuple[Kind, str, str, str]
"""Kind, label, key and tone of what can be decided."""


@dataclass(frozen=True)
class Action:
    """Something that can be decided here."""

    kind: Kind
    label: str
    key: str
    tone: str
    path: str


def actions_at(
    visit: Visit,
    place: tuple[object, ...],
    side: str,
    pair: Pair,
    offers: Iterable[Offer],
    newest: int,
    way: Mapping[str, str],
) -> list[Action]:
    """The buttons of a page.

    Args:
        visit: the request.
        place: the page's path below the school; its decisions are asked for below it.
        side: the system of the record that the page is about.
        pair: the two records.
        offers: what can be decided about them.
        newest: number of the newest decision that the page shows.
        way: what of the query leads back to this page.
    """
    made = []
    for kind, label, key, tone in offers:
        about = own_side(pair, side) if kind is Kind.NEW else pair
        path = visit.at(
            *place,
            "decide",
            answer=kind.value,
            veracross=about.veracross_id,
            orah=about.orah_id,
            newest=str(newest),
            seal=about.seal,
            **way,
        )
        made.append(Action(kind, label, key, tone, path))
    return made
