"""Dagster assets and checks: thin, they call the rooms below."""
