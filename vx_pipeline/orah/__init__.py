"""Speaks Orah: the client, what its records look like, and one module for everything that is assumed."""

from vx_pipeline.orah.client import OrahClient

__all__ = ["OrahClient"]
