"""A run's folder: journal, snapshots, outcome, and what earlier runs teach."""
