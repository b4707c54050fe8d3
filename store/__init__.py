"""Persistence: every query and every write, as SQL by hand over psycopg. Nothing else in the project speaks SQL."""
