"""Conversations on disk: one SQLite file that several programs may share."""
