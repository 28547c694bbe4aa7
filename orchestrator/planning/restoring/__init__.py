"""The way back: what a run changed and how it is put back, and what the fleet lacks of a wanted state."""
