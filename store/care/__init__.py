"""Whose records somebody may see: relations of care, emergencies, purposes, and the condition they make of a query."""
