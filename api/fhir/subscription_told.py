"""$events of a Subscription by topic: what it was told of, by number, for whoever missed some.

hl7.org/fhir/uv/subscriptions-backport/OperationDefinition-backport-subscription-events.html, release 1.1.
"""

from __future__ import annotations

import re
from dataclasses import replace
from http import HTTPStatus

from api.fhir import auditing, notifications
from api.fhir.exchange import Answer, Call
from api.fhir.notifications import Event
from api.fhir.notifications import Told as Telling
from api.fhir.outcome import Refusal, error
from api.fhir.parameters import Given, given
from api.fhir.reach import seen
from api.fhir.subscription import CONTENTS, asked_of
from api.fhir.veil import veiled
from domain.errors import Deleted, Invalid
from domain.ids import Reference
from store import subscription_events, subscriptions
from store.audit import AuditAction
from store.database import Transaction
from store.fhir import reading
from store.outbox import Place
from store.subscription_events import Told

DEFINITION = "http://hl7.org/fhir/uv/subscriptions-backport/OperationDefinition/backport-subscription-events"

MOST = 200
"""Events of one answer; the numbers in it say where to go on."""

_KNOWN = {"eventsSinceNumber": "string", "eventsUntilNumber": "string", "content": "code"}
_LAST = 2**62
_NOWHERE = Place(0, 0)


async def events(call: Call, tx: Transaction) -> Answer:
    """A Bundle as a notification has it, its status of type `query-event`.

    With the rights of whoever asks, now: events of records that they may not read are left out.
    Raises NotFound, Deleted; Refusal 422 for a subscription by criteria, whose events have no numbers.
    """
    call.require("r", "Subscription")
    ref = Reference.to("Subscription", call.address.id)
    kept = await reading.read(tx, ref)
    if kept.deleted:
        raise Deleted("deleted; its history stays", reference=ref, version=str(kept.version))
    read = await given(call, _KNOWN)
    since, until = _number(read, "eventsSinceNumber", 1), _number(read, "eventsUntilNumber", _LAST)
    asked = asked_of(kept.body)
    if not asked.topic:
        said = "a subscription by criteria numbers no events; search for what it is about with _lastUpdated"
        raise Refusal(HTTPStatus.UNPROCESSABLE_ENTITY, error("not-supported", said))
    if content := read.text("content"):
        if content not in CONTENTS:
            raise Invalid(f"the content is one of {', '.join(sorted(CONTENTS))}", field="content")
        asked = replace(asked, content=content)
    row = (await subscriptions.get(tx, [ref.id])).get(ref.id)
    told = await _readable(call, tx, await subscription_events.between(tx, ref.id, since, until, MOST))
    found = [Event(_NOWHERE, await reading.vread(tx, each.reference, each.version), each.number) for each in told]
    await auditing.note(tx, call, AuditAction.QUERY, [kept, *(each.version for each in found)])
    shown = [replace(each, version=veiled(call, each.version)) for each in found]
    telling = Telling(ref.id, call.base, asked, str(kept.body["status"]), row.events if row else 0)
    return Answer(HTTPStatus.OK, notifications.bundle(telling, "query-event", shown, call.now))


async def _readable(call: Call, tx: Transaction, told: list[Told]) -> list[Told]:
    allowed = [each for each in told if call.asker.grants.allow("r", each.reference.resource_type)]
    near = set(await seen(call, tx, [each.reference for each in allowed]))
    return [each for each in allowed if each.reference in near]


def _number(read: Given, name: str, missing: int) -> int:
    text = read.text(name)
    if not text:
        return missing
    if not re.fullmatch(r"[0-9]{1,18}", text):
        raise Invalid("the number of an event", field=name)
    return int(text)
