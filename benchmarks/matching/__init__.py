"""How good and how quick the matcher is, on people whose truth is known.

Nothing here knows how the matcher works: data come from other people's packages and from a generator of schools
that imports neither the matcher nor the sandbox.
"""
