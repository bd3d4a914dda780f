"""Models: on this machine, in the HF cache, and on a hub or mirror."""
