"""People: whom a run tells, and the orders that they leave for it."""
