"""The model world behind the ports: in this process, and as a server."""
