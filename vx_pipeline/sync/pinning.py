"""Pins: what a person said the sync leaves alone is taken out of the plan, and the plan says so."""

from collections.abc import Collection, Iterable
from dataclasses import replace

from vx_pipeline.journal.pins import Pin
from vx_pipeline.sync.changes import Action, Change, without_fields

PINNED = "pin"
"""Cause of a change that is left out because of a pin: no trouble, but nothing to hide either."""


def without_pinned(changes: Iterable[Change], pins: Collection[Pin]) -> list[Change]:
    """The changes without pinned records and fields; a change of which nothing is left becomes a ``SKIP``.

    What is urgent stays: a pin is for what may wait, and may be older than a court's word.
    """
    whole = {(pin.entity, pin.key): pin for pin in pins if not pin.field}
    single = {(pin.entity, pin.key, pin.field): pin for pin in pins if pin.field}
    return [_pinned(change, whole, single) for change in changes]


def _pinned(
    change: Change, whole: dict[tuple[str, int], Pin], single: dict[tuple[str, int, str], Pin]
) -> Change:
    if not change.writes or change.urgent:
        return change
    place = (change.entity.value, change.key)
    if pin := whole.get(place):
        return _left_alone(change, pin)
    if change.action is Action.DELETE:
        # Nothing is left as it is of a record that is gone.
        held_by = [pin for (entity, key, _), pin in single.items() if (entity, key) == place]
        return _left_alone(change, held_by[0]) if held_by else change
    kept = without_fields(change.fields, {name for name in change.fields if (*place, name) in single})
    # A record that is not there yet has no field to be left as it is.
    if change.action is Action.CREATE or len(kept) == len(change.fields):
        return change
    decides = "deactivated" in change.fields and "deactivated" not in kept
    if decides or not kept:
        left_out = next(single[*place, name] for name in change.fields if (*place, name) in single)
        return _left_alone(change, left_out)
    return replace(change, fields=kept)


def _left_alone(change: Change, pin: Pin) -> Change:
    until = f"until {pin.last_day}" if pin.last_day else "until it is taken away"
    what = pin.field or "record"
    reason = (
        f"pin {pin.pin_id} keeps this {what} as it is {until}; otherwise: {change.action}, {change.reason}"
    )
    return replace(change, action=Action.SKIP, fields={}, reason=reason, cause=PINNED)
