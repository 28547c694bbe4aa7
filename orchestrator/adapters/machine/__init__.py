"""What processes of this machine share: locks, leases, the clock, the user."""
