"""JSONLogic as everybody writes it, for comparing with other people's suites. Nothing decides by it."""
