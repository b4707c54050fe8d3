"""The composition root: settings, processes and their supervisor, the command line."""
