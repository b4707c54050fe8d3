"""$process-message: a message's resources are kept together, once, and it is answered by a message.

hl7.org/fhir/R4/messaging.html, messageheader-operation-process-message.html. Resources keep the ids that the sender
gave them, as updates do. What the house refuses is answered by `fatal-error`; what is no message at all, by HTTP.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from uuid import uuid4

from api.fhir import bundles
from api.fhir.checking import checked
from api.fhir.entries import raw_entries, within
from api.fhir.exchange import Address, Answer, Call
from api.fhir.merge import merge
from api.fhir.outcome import Refusal, error, face, outcome
from api.fhir.parameters import part
from api.fhir.standing import transaction_of
from api.fhir.text import Json, write
from api.fhir.transaction import carried_out, planned
from domain.errors import Conflict, Forbidden, Invalid, NotSignedIn, PhisError, Unavailable
from domain.ids import FHIR_ID, Reference
from store import messages
from store.database import Transaction
from store.fhir import reading

DEFINITION = "http://hl7.org/fhir/OperationDefinition/MessageHeader-process-message"

_EVENTS = "http://terminology.hl7.org/CodeSystem/v2-0003"
_MERGE = "A40"
_FIRST = 1  # the header is entry 0


@dataclass(frozen=True)
class _Message:
    """digest: of what it says: a message that is sent again has another Bundle.id and time."""

    header: Json
    entries: Sequence[Any]
    digest: bytes

    @property
    def id(self) -> str:
        return str(self.header["id"])

    @property
    def merges(self) -> bool:
        coding = self.header.get("eventCoding", {})
        return (coding.get("system"), coding.get("code")) == (_EVENTS, _MERGE)


async def process_message(call: Call) -> Answer:
    """200 with the message that answers: `ok`, or `fatal-error` and why; then nothing has changed.

    The same message again gets the same answer. Raises Refusal and Invalid for what is no message, Refusal 422 for
    another one under an id that was used, Forbidden.
    """
    message = await _message(call)
    call.require("c", "MessageHeader")
    actor = call.asker.caller.actor
    try:
        async with transaction_of(call) as tx:
            try:
                before = await messages.answered(tx, actor, message.id, message.digest)
            except Conflict as other:
                where = "Bundle.entry[0].resource.id"
                raise _NoMessage(HTTPStatus.UNPROCESSABLE_ENTITY, error("duplicate", str(other), where)) from other
            if before is not None:
                return Answer(HTTPStatus.OK, before)
            await _carry_out(tx, call, message)
            answer = _answer(call, message, "ok")
            await messages.keep(tx, actor, message.id, message.digest, answer=answer, now=call.real)
    except _NoMessage:
        raise
    except (PhisError, Refusal) as refused:
        if any(isinstance(each, Forbidden | NotSignedIn | Unavailable) for each in (refused, refused.__cause__)):
            raise
        return Answer(HTTPStatus.OK, _answer(call, message, "fatal-error", face(refused).issues))
    return Answer(HTTPStatus.OK, answer)


class _NoMessage(Refusal):
    """Refused before anything was carried out."""


async def _message(call: Call) -> _Message:
    for name in ("async", "response-url"):
        if call.first(name) not in {None, "false"}:
            said = "messages are answered at once: neither `async` nor `response-url`"
            raise Refusal(HTTPStatus.BAD_REQUEST, error("not-supported", said, f"http.{name}"))
    bundle = call.sent()
    if bundle.get("resourceType") != "Bundle" or bundle.get("type") != "message":
        raise Invalid("a message is a Bundle of type `message`", expression="Bundle.type")
    entries = raw_entries(bundle)
    first = entries[0].get("resource") if entries and isinstance(entries[0], dict) else None
    if not isinstance(first, dict) or first.get("resourceType") != "MessageHeader":
        raise Invalid("a message begins with a MessageHeader", expression="Bundle.entry[0].resource")
    try:
        header = await checked(first, "MessageHeader")
    except (Invalid, Refusal) as wrong:
        raise within(wrong, "Bundle.entry[0]") from wrong
    if "response" in header:
        raise Invalid("this is an answer, and we have not asked", expression="Bundle.entry[0].resource.response")
    if "id" not in header:
        raise Invalid("a MessageHeader has an id, by which it is known again", expression="Bundle.entry[0].resource.id")
    return _Message(header, entries[_FIRST:], hashlib.sha256(write({"entry": entries})).digest())


async def _carry_out(tx: Transaction, call: Call, message: _Message) -> None:
    requests = [_request(each, index) for index, each in enumerate(message.entries, _FIRST)]
    merging = await _merging(tx, call, requests) if message.merges else {}
    if merging:
        requests = [_without_merge(each, merging) for each in requests]
    plans = [
        planned(call, each, index)
        for index, each in enumerate(requests, _FIRST)
        if Reference(_name(each)) not in merging
    ]
    await carried_out(tx, call, plans)
    for source, target in merging.items():
        at = Address("operation", "Patient", operation="merge")
        asked = Call(call.state, call.asker, call.base, at, call.real, headers=call.headers)
        asked.resource = {
            "resourceType": "Parameters",
            "parameter": [
                part("source-patient", valueReference={"reference": str(source)}),
                part("target-patient", valueReference={"reference": str(target)}),
            ],
        }
        await merge(asked, tx)


def _request(raw: Any, index: int) -> Json:
    """The entry as one of a transaction: an update of the id that the sender gave, or a new resource."""
    where = f"Bundle.entry[{index}]"
    resource = raw.get("resource") if isinstance(raw, dict) else None
    if not isinstance(resource, dict) or not isinstance(resource.get("resourceType"), str):
        raise Invalid("an entry of a message is a resource", expression=f"{where}.resource")
    kind, id_ = resource["resourceType"], resource.get("id")
    if id_ is not None and (not isinstance(id_, str) or not FHIR_ID.fullmatch(id_)):
        raise Invalid("an id has 1 to 64 letters, digits, '-' and '.'", expression=f"{where}.resource.id")
    if id_ is None:
        id_ = resource["id"] = str(uuid4())
    return {
        "fullUrl": raw.get("fullUrl", ""),
        "resource": resource,
        "request": {"method": "PUT", "url": f"{kind}/{id_}"},
    }


def _name(request: Json) -> str:
    return str(request["request"]["url"])


async def _merging(tx: Transaction, call: Call, requests: Iterable[Json]) -> dict[Reference, Reference]:
    """Patients known here that the message replaces, each with the one that stays."""
    listed = list(requests)
    names = {each["fullUrl"]: _name(each) for each in listed if each["fullUrl"]}
    found: dict[Reference, Reference] = {}
    for each in listed:
        for other in _others(each, "replaced-by"):
            target = names.get(other, other.removeprefix(f"{call.base}/"))
            found[Reference(_name(each))] = Reference(target)
    known = await reading.heads(tx, list(found)) if found else {}
    return {source: target for source, target in found.items() if source in known and not known[source].deleted}


def _others(request: Json, kind: str) -> list[str]:
    resource = request["resource"]
    links = resource.get("link", ()) if resource["resourceType"] == "Patient" else ()
    return [
        str(link.get("other", {}).get("reference", ""))
        for link in links
        if isinstance(link, dict) and link.get("type") == kind
    ]


def _without_merge(request: Json, merging: Mapping[Reference, Reference]) -> Json:
    """The one that stays, without the link that the merge itself will make."""
    if Reference(_name(request)) not in merging.values():
        return request
    resource = {**request["resource"]}
    links = [each for each in resource.pop("link", ()) if each.get("type") != "replaces"]
    return request | {"resource": resource | ({"link": links} if links else {})}


def _answer(call: Call, message: _Message, code: str, issues: Sequence[Json] = ()) -> bytes:
    source = message.header["source"]
    details = str(uuid4())
    header: Json = {
        "resourceType": "MessageHeader",
        "id": str(uuid4()),
        **{name: message.header[name] for name in ("eventCoding", "eventUri") if name in message.header},
        "destination": [{name: source[name] for name in ("name", "endpoint") if name in source}],
        "source": {
            "name": "P-HIS",
            "software": "P-HIS",
            "version": call.state.version,
            "endpoint": f"{call.base}/$process-message",
        },
        "response": {"identifier": message.id, "code": code},
    }
    entries = [{"fullUrl": f"urn:uuid:{header['id']}", "resource": header}]
    if issues:
        header["response"]["details"] = {"reference": f"urn:uuid:{details}"}
        entries.append({"fullUrl": f"urn:uuid:{details}", "resource": outcome(issues) | {"id": details}})
    return write(
        {
            "resourceType": "Bundle",
            "id": str(uuid4()),
            "type": "message",
            "timestamp": bundles.instant(call.now),
            "entry": entries,
        }
    )
