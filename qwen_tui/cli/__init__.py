"""The command line: arguments, and the commands that need no screen."""
