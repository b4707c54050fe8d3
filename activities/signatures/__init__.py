"""What workflows may know of activities: their names, shapes, timeouts and retry policies."""
