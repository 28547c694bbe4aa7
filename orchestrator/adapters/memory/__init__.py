"""Ports kept in memory: the twins that tests and rehearsals use."""
