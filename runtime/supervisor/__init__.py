"""`phis up`: a whole P-HIS on one machine, started in order, watched, restarted and drained."""
