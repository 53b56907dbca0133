"""Feeds that come up short or fail, until somebody mends them: the school itself is as it was."""

from vx_pipeline.sandbox import Sandbox
from vx_pipeline.sandbox.faults import Fault, FaultKind
from vx_pipeline.veracross.contract import ENDPOINTS
from vx_pipeline_tests.life.events import school_of


def shrink(sandbox: Sandbox, table: str, fraction: float) -> None:
    """A list shows only this part of its rows, and says that it is whole."""
    fault = Fault(FaultKind.SHRUNKEN_LIST, path=_path(sandbox, table), fraction=fraction, times=None)
    _break(sandbox, table, fault)


def empty(sandbox: Sandbox, table: str) -> None:
    """A list shows nothing, and says that it is whole."""
    _break(sandbox, table, Fault(FaultKind.EMPTY_LIST, path=_path(sandbox, table), times=None))


def empty_dorm(sandbox: Sandbox, dorm_id: int) -> None:
    """The list of one dorm's students shows nobody."""
    path = _path(sandbox, "dorm_students").replace("*", str(dorm_id))
    _break(sandbox, "dorm_students", Fault(FaultKind.EMPTY_LIST, path=path, times=None))


def fail(sandbox: Sandbox, table: str) -> None:
    """A list cannot be read: every page of it is answered with an error."""
    _break(sandbox, table, Fault(FaultKind.STATUS, path=_path(sandbox, table), status=503, times=None))


def shrink_orah(sandbox: Sandbox, model: str, fraction: float) -> None:
    """Orah's list of students or houses (``student``, ``house``) shows only a part."""
    path = f"/open-api/{model}/list"
    fault = Fault(FaultKind.SHRUNKEN_LIST, "orah", path=path, fraction=fraction, times=None)
    _break(sandbox, f"orah.{model}", fault)


def fail_orah(sandbox: Sandbox, model: str, kind: FaultKind = FaultKind.STATUS) -> None:
    """Orah's list of a model cannot be read, or with ``EMPTY_LIST`` is empty."""
    path = f"/open-api/{model}/list"
    _break(sandbox, f"orah.{model}", Fault(kind, "orah", path=path, status=503, times=None))


def lose_places(sandbox: Sandbox) -> None:
    """Where students are cannot be read from Orah."""
    path = "/open-api/location-record/get-current"
    _break(sandbox, "orah.location", Fault(FaultKind.STATUS, "orah", path=path, status=503, times=None))


def trouble_writes(sandbox: Sandbox, route: str, kind: FaultKind, times: int) -> None:
    """So many writes to Orah, by a glob on the route such as ``student/update``, go wrong in this way."""
    _break(sandbox, "orah", Fault(kind, "orah", path=f"/open-api/{route}", status=503, times=times))


def hide_records(sandbox: Sandbox) -> None:
    """Single records of Orah cannot be read back."""
    path = "/open-api/*/get-single"
    _break(sandbox, "orah", Fault(FaultKind.STATUS, "orah", path=path, status=503, times=None))


def garble(sandbox: Sandbox, student_id: int) -> None:
    """One student's record comes with an entry date that is none."""
    fault = Fault(
        FaultKind.ROW_MUTATED,
        path=_path(sandbox, "students"),
        times=None,
        field="entry_date",
        value="soon",
        record_id=student_id,
    )
    _break(sandbox, "students", fault)


def mend(sandbox: Sandbox) -> None:
    """All feeds are whole again."""
    sandbox.clear_faults()
    school_of(sandbox).broken.clear()


def _break(sandbox: Sandbox, table: str, fault: Fault) -> None:
    sandbox.add_fault(fault)
    school_of(sandbox).broken.append((table, fault))


def _path(sandbox: Sandbox, table: str) -> str:
    """Where a table is read, as a glob: whole, because ``*/students`` would be that of a dorm's students, too."""
    endpoint = ENDPOINTS[table]
    path = endpoint.path.replace(f"{{{endpoint.path_param}}}", "*")
    return f"/{sandbox.school.route}/v3{path}"
