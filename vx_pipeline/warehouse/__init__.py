"""A school's warehouse: one DuckDB file, rebuilt from the other systems whenever it is lost.

Opening it, landing complete reads in it, and asking what those reads say about the next ones. Nothing here
knows who reads a collection or what schedules it.
"""
