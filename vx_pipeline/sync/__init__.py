"""Desired state, plan, gate, apply: what Orah should look like, and bringing it there without harm."""
