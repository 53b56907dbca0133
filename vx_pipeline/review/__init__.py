"""The web page where people decide who is who: cases, search, decisions, and why.

It reads and writes the journal alone, never the warehouse, so it works while a run is going on. Server-rendered:
Starlette, Jinja2 templates, one style sheet and one small script; everything works without the script, too.
"""
