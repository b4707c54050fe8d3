"""Packs: what a new hospital begins with, as signed tables. `data/` holds ours; a folder like it may hold another's."""
