"""The terminal program: app, screens, widgets; the only room that imports textual."""
