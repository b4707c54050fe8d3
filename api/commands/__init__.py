"""Commands and reads as JSON, for clients and for the screens."""
