"""The functions of FHIRPath and of FHIR, by name."""

from domain.fhirpath.functions import existence, fhir, filtering, mathematics, strings, types, utility
from domain.fhirpath.functions.registry import FUNCTIONS, Function

__all__ = ["FUNCTIONS", "Function", "existence", "fhir", "filtering", "mathematics", "strings", "types", "utility"]
