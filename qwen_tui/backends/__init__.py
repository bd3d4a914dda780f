"""What answers turns: an engine process of our own, or a server."""
