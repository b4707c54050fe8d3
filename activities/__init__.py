"""All input and output of workflows."""
