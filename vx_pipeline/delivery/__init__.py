"""What Orah has no public route for, delivered: tables in schema ``delivery``, and files for Orah's own CSV import.

What is delivered stands in ``rows.py`` and the ``.sql`` files; where it goes is a ``Writer``, so that a route,
the day there is one, is one new module.
"""
