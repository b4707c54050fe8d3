"""People and duty: what they may hold, who is on duty, who is away, how they are reached, and what they were told."""
