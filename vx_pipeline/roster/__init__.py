"""Derives the school from what Veracross holds: students, boarders, contacts, houses, groups, staff, leavers.

Each rule of a school's life is one ``.sql`` file here; its header says grain, key and source.
"""
