"""Operations by name: `$validate`, `$everything`, `$lookup`, … (hl7.org/fhir/R4/operations.html)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

from api.fhir import (
    everything,
    expand,
    export,
    lookup,
    match,
    merge,
    subscription_status,
    subscription_told,
    subsumes,
    translate,
    validate,
    validate_code,
)
from api.fhir.exchange import Answer, Call
from api.fhir.outcome import Refusal, error
from store.database import Transaction

_BULK = "http://hl7.org/fhir/uv/bulkdata/OperationDefinition"


@dataclass(frozen=True)
class Operation:
    """types: resource types it is an operation of, empty for all.  on_…: where its address may stand.

    only_type, only_instance: those of the types that know it in one place only.
    definitions: by type, where a type has its own.
    """

    name: str
    definition: str
    perform: Callable[[Call, Transaction], Awaitable[Answer]]
    types: frozenset[str] = frozenset()
    on_system: bool = False
    on_type: bool = False
    on_instance: bool = False
    changes: bool = False  # may be asked for by POST only
    only_type: frozenset[str] = frozenset()
    only_instance: frozenset[str] = frozenset()
    definitions: Mapping[str, str] = field(default_factory=dict)  # of types that HL7 defines it for each by itself

    def of(self, kind: str) -> bool:
        return (self.on_type or self.on_instance) and (not self.types or kind in self.types)

    def stands(self, kind: str, id_: str) -> bool:
        """Whether an address may name it: of the system, of a type or of one resource."""
        if not kind:
            return self.on_system
        if not self.of(kind) or kind in (self.only_type if id_ else self.only_instance):
            return False
        return self.on_instance if id_ else self.on_type

    def defined_for(self, kind: str) -> str:
        return self.definitions.get(kind, self.definition)


OPERATIONS: Mapping[str, Operation] = {
    operation.name: operation
    for operation in (
        Operation(
            "validate",
            "http://hl7.org/fhir/OperationDefinition/Resource-validate",
            validate.validate,
            on_type=True,
            on_instance=True,
        ),
        Operation(
            "everything",
            "http://hl7.org/fhir/OperationDefinition/Patient-everything",
            everything.everything,
            types=frozenset({"Patient", "Encounter"}),
            on_type=True,
            on_instance=True,
            only_instance=frozenset({"Encounter"}),
            definitions={"Encounter": "http://hl7.org/fhir/OperationDefinition/Encounter-everything"},
        ),
        Operation(
            "lookup",
            "http://hl7.org/fhir/OperationDefinition/CodeSystem-lookup",
            lookup.lookup,
            types=frozenset({"CodeSystem"}),
            on_type=True,
            on_instance=True,
        ),
        Operation(
            "validate-code",
            "http://hl7.org/fhir/OperationDefinition/ValueSet-validate-code",
            validate_code.validate_code,
            types=frozenset({"CodeSystem", "ValueSet"}),
            on_type=True,
            on_instance=True,
            definitions={"CodeSystem": "http://hl7.org/fhir/OperationDefinition/CodeSystem-validate-code"},
        ),
        Operation(
            "subsumes",
            "http://hl7.org/fhir/OperationDefinition/CodeSystem-subsumes",
            subsumes.subsumes,
            types=frozenset({"CodeSystem"}),
            on_type=True,
            on_instance=True,
        ),
        Operation(
            "expand",
            "http://hl7.org/fhir/OperationDefinition/ValueSet-expand",
            expand.expand_value_set,
            types=frozenset({"ValueSet"}),
            on_type=True,
            on_instance=True,
        ),
        Operation(
            "translate",
            "http://hl7.org/fhir/OperationDefinition/ConceptMap-translate",
            translate.translate,
            types=frozenset({"ConceptMap"}),
            on_type=True,
            on_instance=True,
        ),
        Operation(
            "match",
            "http://hl7.org/fhir/OperationDefinition/Patient-match",
            match.match,
            types=frozenset({"Patient"}),
            on_type=True,
        ),
        Operation(
            "merge",
            "http://hl7.org/fhir/OperationDefinition/Patient-merge",
            merge.merge,
            types=frozenset({"Patient"}),
            on_type=True,
            changes=True,
        ),
        Operation(
            "status",
            subscription_status.DEFINITION,
            subscription_status.status,
            types=frozenset({"Subscription"}),
            on_type=True,
            on_instance=True,
        ),
        Operation(
            "events",
            subscription_told.DEFINITION,
            subscription_told.events,
            types=frozenset({"Subscription"}),
            on_instance=True,
        ),
        Operation(
            "export",
            f"{_BULK}/export",
            export.export,
            types=frozenset({"Patient", "Group"}),
            on_system=True,
            on_type=True,
            on_instance=True,
            only_type=frozenset({"Patient"}),
            only_instance=frozenset({"Group"}),
            definitions={"Patient": f"{_BULK}/patient-export", "Group": f"{_BULK}/group-export"},
        ),
    )
}


async def operation(call: Call, tx: Transaction) -> Answer:
    """Raises Refusal 404 for an operation that does not stand at this address."""
    at = call.address
    known = OPERATIONS.get(at.operation)
    if known is None or not known.stands(at.type, at.id):
        raise Refusal(HTTPStatus.NOT_FOUND, error("not-supported", "this address has no such operation"))
    return await known.perform(call, tx)
