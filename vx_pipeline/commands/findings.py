"""What `vx doctor` finds, one thing at a time."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One thing that was tried. ``remedy`` is empty when all is well."""

    what: str
    well: bool
    told: str
    remedy: str = ""


def finding(what: str, well: bool, told: str, remedy: str = "") -> Finding:
    """A finding that needs its remedy only where all is not well."""
    return Finding(what, well, told, "" if well else remedy)
