"""Tables beside a playbook: one row of values a device."""
