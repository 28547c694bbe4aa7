"""Secret values: where they come from, and the vault that keeps them."""
