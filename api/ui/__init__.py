"""Screens: routes read and delegate, views are typed and compute, templates compute nothing."""
