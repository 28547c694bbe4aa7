"""Record a decision, believe it, then perform it; stop cleanly whenever asked."""
