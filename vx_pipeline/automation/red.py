"""A run that fails is a red trouble until a run comes through again."""

import dagster as dg

from vx_pipeline.assets.alerts import tell_troubles
from vx_pipeline.assets.partitions import school_of_run
from vx_pipeline.assets.troubles import SYNC
from vx_pipeline.errors import VxError
from vx_pipeline.journal.problems import RED, Trouble
from vx_pipeline.session import SchoolSession
from vx_pipeline.settings import load_settings


def tell_failure(context: dg.HookContext, source: str, about: str) -> None:
    """Notes which step stopped a run. A trouble in telling it does not hide the run's own failure.

    Args:
        context: the hook's.
        source: who finds this red and, once a run comes that far again, that it is over.
        about: what stopped, e.g. ``sync``.
    """
    run = context.instance.get_run_by_id(context.run_id)
    school = school_of_run(run.tags) if run else None
    if school is None:
        return
    error = context.op_exception
    told = error.description if isinstance(error, dg.Failure) else type(error).__name__
    trouble = Trouble(RED, about, 0, f"{context.op.name.replace('__', '/')}: {told}")
    try:
        with SchoolSession(load_settings(), school) as session:
            tell_troubles(session, source, [trouble])
    except VxError as other:
        context.log.warning("The failure could not be noted in the journal: %s", other)


@dg.failure_hook(name="tell_red", required_resource_keys=set())
def tell_red(context: dg.HookContext) -> None:
    """A sync that stopped; it is over when a run comes as far as a plan."""
    tell_failure(context, "run", SYNC)
