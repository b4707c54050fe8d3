"""Systems outside of the hospital, as processes of their own that speak the real protocols: for tests and shows."""
