"""Speaks Veracross: its contract as data, tokens, rate budgets, whole reads, and the one write.

Knows neither the warehouse nor the journal: what is read leaves this room as a :class:`CompleteRead`.
"""

from vx_pipeline.veracross.client import VeracrossClient
from vx_pipeline.veracross.contract import (
    ENDPOINTS,
    UPDATE_CLASS_ATTENDANCE,
    Area,
    Endpoint,
    WriteEndpoint,
    scopes,
)
from vx_pipeline.veracross.exchange import RetryPolicy
from vx_pipeline.veracross.probing import Probe, Standing
from vx_pipeline.veracross.rate import RateLimit
from vx_pipeline.veracross.reading import CompleteRead

__all__ = [
    "ENDPOINTS",
    "UPDATE_CLASS_ATTENDANCE",
    "Area",
    "CompleteRead",
    "Endpoint",
    "Probe",
    "RateLimit",
    "RetryPolicy",
    "Standing",
    "VeracrossClient",
    "WriteEndpoint",
    "scopes",
]
