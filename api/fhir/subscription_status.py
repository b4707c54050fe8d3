"""$status of Subscriptions: how far each is served.

hl7.org/fhir/uv/subscriptions-backport/OperationDefinition-backport-subscription-status.html, release 1.1.
"""

from __future__ import annotations

from http import HTTPStatus

from api.fhir import auditing, bundles, notifications
from api.fhir.exchange import Answer, Call
from api.fhir.notifications import Told
from api.fhir.outcome import Refusal
from api.fhir.parameters import given
from api.fhir.reach import reach
from api.fhir.subscription import Asked, asked_of
from api.fhir.text import write
from domain.errors import NotFound
from domain.ids import Reference
from store import subscriptions
from store.audit import AuditAction
from store.database import Transaction
from store.fhir.versions import Version
from store.search import parse_query, searching

DEFINITION = "http://hl7.org/fhir/uv/subscriptions-backport/OperationDefinition/backport-subscription-status"

_KNOWN = {"id": "code*", "status": "code*"}
_MOST = 1000


async def status(call: Call, tx: Transaction) -> Answer:
    """A searchset with the status of each as Parameters. Raises NotFound for a single one that is not there."""
    call.require("r", "Subscription")
    asked = await given(call, _KNOWN)
    ids = [call.address.id] if call.address.id else asked.texts("id")
    pairs = [("_count", str(_MOST))]
    if ids:
        pairs.append(("_id", ",".join(ids)))
    if wanted := asked.texts("status"):
        pairs.append(("status", ",".join(wanted)))
    query = parse_query("Subscription", pairs, strict=True, base=call.base)
    found = (await searching.search(tx, query, scope=await reach(call, tx, "r"))).matches
    if call.address.id and not found and not wanted:
        ref = Reference.to("Subscription", call.address.id)
        raise NotFound("no such subscription", reference=ref)
    rows = await subscriptions.get(tx, [each.reference.id for each in found])
    await auditing.note(tx, call, AuditAction.QUERY, found)
    entries = []
    for each in found:
        row = rows.get(each.reference.id)
        entries.append(_entry(call, each, row.events if row else 0))
    return Answer(HTTPStatus.OK, bundles.bundle("searchset", entries, at=call.now, total=len(entries)))


def _entry(call: Call, kept: Version, events: int) -> bytes:
    told = Told(kept.reference.id, call.base, _asked(kept), str(kept.body["status"]), events)
    said = notifications.status(told, "query-status", at=call.now, error=str(kept.body.get("error", "")))
    return bundles.entry(full_url=f"urn:uuid:{said['id']}", resource=write(said), search={"mode": "match"})


def _asked(kept: Version) -> Asked:
    """What it asks for; one that was never fit to be served has no topic."""
    try:
        return asked_of(kept.body)
    except Refusal:
        return Asked("", (), "", None)
