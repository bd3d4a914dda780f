"""Whole screens: they compose widgets, route messages and start workers."""
