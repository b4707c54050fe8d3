"""Screens by area. A route renders one view with one template."""
