"""The steps of a playbook: every kind, its keys, its proof, its values."""
