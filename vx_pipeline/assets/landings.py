"""What every landing tells: its counts, and checks of what was set aside, has another shape, or is missing."""

from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg

from vx_pipeline.warehouse.landing import Landed

CHECKS = {
    "rows_are_valid": "No row had to be set aside.",
    "shape_is_known": "No field is new or gone, and every code has a label.",
    "nobody_vanished": "No row is missing that the last complete read had.",
}


def landing_counts(landed: Landed) -> dict[str, int]:
    """What a landing did to its table, for the metadata."""
    return {
        "added": landed.added,
        "changed": landed.changed,
        "vanished": landed.vanished,
        "returned": landed.returned,
        "set aside": landed.rejected,
    }


def landing_check_specs(asset: Sequence[str]) -> list[dg.AssetCheckSpec]:
    """The checks of an asset that lands a read."""
    return [
        dg.AssetCheckSpec(name=name, asset=asset, description=description)
        for name, description in CHECKS.items()
    ]


def landing_checks(landed: Landed) -> list[dg.AssetCheckResult]:
    """Their results: warnings, because a complete read with oddities is still the truth to go by."""
    strange = {
        "unknown fields": ", ".join(landed.unknown_fields),
        "missing fields": ", ".join(landed.missing_fields),
        "retyped fields": ", ".join(landed.retyped_fields),
        "codes without a label": ", ".join(landed.unlabelled),
    }
    return [
        _warning("rows_are_valid", landed.rejected == 0, {"set aside": landed.rejected}),
        _warning("shape_is_known", not any(strange.values()), {k: v for k, v in strange.items() if v}),
        _warning("nobody_vanished", landed.vanished == 0, {"vanished": landed.vanished}),
    ]


def _warning(name: str, passed: bool, metadata: Mapping[str, Any]) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        check_name=name, passed=passed, severity=dg.AssetCheckSeverity.WARN, metadata=metadata
    )
