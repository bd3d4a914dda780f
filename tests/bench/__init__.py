"""Numbers, each printed as one line: python -m tests.bench.<name>."""
