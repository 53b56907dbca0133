"""A generator of schools: children in families, and what two systems show of each.

It is independent of the matcher and of the sandbox, so that neither can agree with itself.
"""
