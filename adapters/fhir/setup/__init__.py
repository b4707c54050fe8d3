"""Master data as FHIR shows it: for each kind of entry the resources it becomes."""
