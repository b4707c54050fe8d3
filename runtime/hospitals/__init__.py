"""Hospitals as wholes: made from a pack, listed, looked at."""
