"""FHIR R4 REST at `/fhir/{hospital}`: one file an interaction or operation, named as the specification names it."""
