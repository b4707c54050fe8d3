"""$subsumes: does one code of a system include another (hl7.org/fhir/R4/codesystem-operation-subsumes.html)."""

from __future__ import annotations

from api.fhir import auditing
from api.fhir.exchange import Answer, Call
from api.fhir.parameters import Given, answer, given, part
from api.fhir.terminology import Coded, coded, instance, known_system, terminology
from domain.errors import Invalid, NotFound
from domain.terminology import Canonical, CodeSystem
from store.audit import AuditAction
from store.database import Transaction

_KNOWN = {
    "codeA": "code",
    "codeB": "code",
    "system": "uri",
    "version": "string",
    "codingA": "Coding",
    "codingB": "Coding",
}


async def subsumes(call: Call, tx: Transaction) -> Answer:
    """`equivalent`, `subsumes`, `subsumed-by` or `not-subsumed`. Raises NotFound for an unknown code or system."""
    call.require("r", "CodeSystem")
    read = await given(call, _KNOWN)
    found = await terminology(call, tx)
    touched = []
    if call.address.id:
        version, thing = await instance(call, found)
        assert isinstance(thing, CodeSystem)  # noqa: S101  # the address names the type
        system, touched = thing, [version]
        first, second = (_asked(read, side, thing.url) for side in "AB")
        if {first.system, second.system} != {system.url}:
            raise Invalid("the codes are of another code system than the address", field="codingA")
    else:
        first, second = (_asked(read, side, "") for side in "AB")
        if not first.system or first.system != second.system:
            raise Invalid("both codes are of one code system", field="system")
        await found.find(first.system)
        system = known_system(found, Canonical(first.system, first.version or read.text("version")))
    await auditing.note(tx, call, AuditAction.QUERY, touched)
    return answer(part("outcome", valueCode=_outcome(system, first, second)))


def _asked(read: Given, side: str, system: str) -> Coded:
    coding, code = read.part(f"coding{side}"), read.text(f"code{side}")
    if bool(coding) == bool(code):
        raise Invalid(f"one of code{side} and coding{side} is needed", field=f"code{side}")
    if coding is not None:
        return coded(coding, f"coding{side}", system)
    named = Canonical.of(read.text("system") or system)
    return Coded(named.url, read.text("version") or named.version, code, "", f"code{side}")


def _outcome(system: CodeSystem, first: Coded, second: Coded) -> str:
    found = [system.find(each.code) for each in (first, second)]
    a, b = found
    if a is None or b is None:
        raise NotFound(
            f"the code system {system.canonical} has no such code", field=(first if a is None else second).where
        )
    if system.meta.get("hierarchyMeaning", "is-a") != "is-a":
        raise Invalid(
            "the hierarchy of this code system does not mean that a code includes those beneath it", field="system"
        )
    if a.place == b.place:
        return "equivalent"
    if a.place in system.ancestors(b):
        return "subsumes"
    return "subsumed-by" if b.place in system.ancestors(a) else "not-subsumed"
