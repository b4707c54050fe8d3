"""Changing a resource by a patch: JSON Patch and FHIRPath Patch (hl7.org/fhir/R4/http.html#patch).

Both take a resource and give a new one; neither changes what it was given. A patch that cannot be applied raises
Invalid with `field`, the JSON Pointer of the operation in the patch that failed.
"""

from adapters.fhir.patch.fhirpath_patch import apply_fhirpath_patch
from adapters.fhir.patch.json_patch import apply_json_patch

__all__ = ["apply_fhirpath_patch", "apply_json_patch"]
