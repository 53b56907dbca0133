"""A stand-in Veracross and a stand-in Orah over real HTTP on loopback, with an invented school behind them.

They refuse whatever the real systems are known to refuse, and remember every request and every write. What no
public source says is marked as assumed where it is decided. Nothing here imports anything of the pipeline.

    with Sandbox(students=120) as sandbox:
        sandbox.add_fault(Fault(FaultKind.STATUS, path="*/students", status=502))
        ...
        assert not sandbox.journal.writes

``python -m vx_pipeline.sandbox`` runs it in the foreground.
"""

from vx_pipeline.sandbox.faults import Fault, FaultKind
from vx_pipeline.sandbox.rules import Credentials
from vx_pipeline.sandbox.sandbox import Sandbox

__all__ = ["Credentials", "Fault", "FaultKind", "Sandbox"]
