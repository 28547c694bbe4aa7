"""Freeze a device set, resolve every limit to an integer, and foresee the run in virtual time."""
