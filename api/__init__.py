"""Every HTTP surface, thin: check, delegate, shape the answer."""
