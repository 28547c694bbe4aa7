"""Drafting a plan: who, in which waves, under which limits, at what cost, and what to fear of it."""
