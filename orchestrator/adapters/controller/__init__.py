"""The CONTROL API over HTTP: what crosses the wire, and what its answers mean."""
