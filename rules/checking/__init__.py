"""The checker: whether a document may be saved, and what its author should look at."""
