"""Turn events into what a person reads: the same events always give the same report."""
