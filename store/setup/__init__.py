"""Master data: versions of entries, what they show over FHIR, and which tables ask for a second pair of eyes."""
