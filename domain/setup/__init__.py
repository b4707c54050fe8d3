"""What a hospital sets up of itself: the kinds of master data, what an entry holds, and when it applies."""
