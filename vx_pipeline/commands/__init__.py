"""What the commands of `vx` do: running jobs through Dagster, looking at a school, reports in plain words."""
