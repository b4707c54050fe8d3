"""Tokens for programs: SMART Backend Services (hl7.org/fhir/smart-app-launch/backend-services.html)."""
