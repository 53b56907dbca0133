"""The partitions of every asset: the schools."""

import dagster as dg

from vx_pipeline.settings import load_settings

SCHOOLS = dg.StaticPartitionsDefinition(load_settings().school_keys())
"""One partition for each configured school. Reading settings needs neither network nor secrets."""
