"""Veracross to Orah and back: rosters, boarding and attendance, kept true by a Dagster pipeline."""
