"""FHIRPath (N1, with FHIR R4's functions): what search indexing, invariants and patches ask of a resource.

    >>> parse("Patient.name.where(use = 'official').family").evaluate(patient)
    ['Chalmers']

Whoever asks many expressions of one resource makes its node once: `node = node_of(patient)`.

hl7.org/fhirpath/N1/ and hl7.org/fhir/R4/fhirpath.html; why our own engine: docs/adr/0011-fhirpath.md
"""

from domain.fhirpath.expression import Expression, parse
from domain.fhirpath.nodes import Node, Place, node_of
from domain.fhirpath.quantities import Quantity
from domain.fhirpath.temporal import Temporal

__all__ = ["Expression", "Node", "Place", "Quantity", "Temporal", "node_of", "parse"]
