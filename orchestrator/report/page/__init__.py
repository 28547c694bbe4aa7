"""A run's report as one page: whole in itself, for a screen of any size and for paper."""
