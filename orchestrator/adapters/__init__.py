"""Keep the promises of the ports, one technology per file, each with an in-memory twin."""
