"""The clinical processes, one a module. They know `domain` and `activities.signatures` only."""
