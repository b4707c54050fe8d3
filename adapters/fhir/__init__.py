"""Builders of FHIR R4 resources: pure functions from domain values to JSON that the R4B models have checked."""
