"""Plans as files, the playbook that each keeps, and who has taken one."""
