"""The model's Markdown as rows of a given width, while it is still growing."""
