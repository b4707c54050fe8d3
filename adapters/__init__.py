"""Other people's formats: pure mapping, and one module each for the wire."""
