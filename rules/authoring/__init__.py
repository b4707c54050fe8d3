"""Shipped rules that read better as Python than as JSON: scores. Written here, kept in `rules/library/`.

Needed by whoever writes them, never to run: `jsonlogic-py` is a tool of development, and the wheel leaves this out.
"""
