"""What the nightly job does to Orah once students and houses are matched, without Dagster around it."""

from vx_pipeline.assets.contacts import link_contacts, read_contacts
from vx_pipeline.assets.school_sync import apply_plan, plan_school, plan_to_apply
from vx_pipeline.session import SchoolSession
from vx_pipeline.sync.apply import Applied


def plan_and_apply(session: SchoolSession) -> Applied:
    """What the assets do from ``orah/contacts`` to ``sync/applied``: whatever the gate lets through is written.

    Raises:
        HeldError: the gate is closed.
    """
    read_contacts(session)
    link_contacts(session)
    plan_school(session, run_id=None)
    return apply_plan(session, plan_to_apply(session))
