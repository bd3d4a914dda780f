"""Widgets: they draw values and post messages, and fetch nothing themselves."""
