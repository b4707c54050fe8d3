"""What is sent to operations and as a message in the matrix of FHIR."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from tests.api.matrix.world import SPARE, Targets


def message(patient: str) -> dict[str, Any]:
    said = {"resourceType": "Observation", "status": "final", "code": {"text": "told"}}
    header = {"resourceType": "MessageHeader", "id": str(uuid4()), "eventUri": "urn:example:told",
              "source": {"endpoint": "urn:example:sender"}}  # fmt: skip
    entries = [{"fullUrl": f"urn:uuid:{uuid4()}", "resource": header},
               {"fullUrl": f"urn:uuid:{uuid4()}", "resource": said | {"subject": {"reference": patient}}}]  # fmt: skip
    return {"resourceType": "Bundle", "type": "message", "entry": entries}


def parameters(operation: str, of: Targets, patient: str) -> dict[str, Any]:
    given: dict[str, list[dict[str, Any]]] = {
        "$match": [{"name": "resource", "resource": {"resourceType": "Patient", "name": [{"family": f"{of.mark}-HERE"}],
                                                     "birthDate": "1960-01-01", "gender": "female"}}],
        "$merge": [
            {"name": "source-patient", "valueReference": {"reference": patient}},
            {"name": "target-patient", "valueReference": {"reference": f"Patient/{of.id('Patient', SPARE)}"}},
            {"name": "preview", "valueBoolean": True},
        ],
        "$validate": [],
        "$lookup": [{"name": "system", "valueUri": "urn:x"}, {"name": "code", "valueCode": "1"}],
    }  # fmt: skip
    return {"resourceType": "Parameters", "parameter": given.get(operation, [])}
