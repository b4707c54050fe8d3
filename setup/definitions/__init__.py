"""How each kind of HL7's definitions becomes a table; `setup/fhir_definitions.py` writes them."""
