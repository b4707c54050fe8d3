"""search: of a type, of a compartment, of everything, by GET or POST (hl7.org/fhir/R4/search.html)."""

from __future__ import annotations

from http import HTTPStatus

from api.fhir import auditing, bundles, numbers_in_links, outcome, subsets
from api.fhir.code_sets import code_sets
from api.fhir.exchange import Answer, Call
from api.fhir.reach import reach
from api.fhir.text import write
from api.fhir.veil import refuse_hidden, veiled
from store.audit import AuditAction
from store.database import Transaction
from store.fhir.versions import Version
from store.search import parse_query, searching


async def search(call: Call, tx: Transaction) -> Answer:
    """A page of matches with what they include. What the caller may not search is not there: nor counted, nor chained.

    Raises Invalid naming the parameter; for an unknown one only when `Prefer: handling=strict` says so.
    """
    at = call.address
    if at.type:
        call.require("s", at.type)
    private = call.by_post or numbers_in_links.hides(call.params)
    call.params = numbers_in_links.opened(tx, call.params)
    codes = await code_sets(call, tx, call.params)
    query = parse_query(
        at.type or None,
        list(call.params),
        codes=codes,
        strict=call.preference.strict,
        base=call.base,
        compartment=(at.compartment, at.id) if at.compartment else None,
    )
    refuse_hidden(call, query)
    page = await searching.search(tx, query, scope=await reach(call, tx))
    await auditing.note(tx, call, AuditAction.QUERY, [*page.matches, *page.included])
    links = [bundles.self_link(call, query.understood)]
    if page.next is not None:
        links.append(bundles.next_link(call, numbers_in_links.sealed(tx, query.understood, whole=private), page.next))
    entries = [_entry(call, version, "match", query.summary, query.elements) for version in page.matches]
    # Included resources come whole: `_elements` is about matches (hl7.org/fhir/R4/search.html#elements).
    entries += [_entry(call, version, "include", query.summary, ()) for version in page.included]
    if query.ignored:
        entries.append(_ignored(query.ignored))
    return Answer(HTTPStatus.OK, bundles.bundle("searchset", entries, at=call.now, links=links, total=page.total))


def _entry(call: Call, version: Version, mode: str, summary: str | None, elements: tuple[str, ...]) -> bytes:
    shown = subsets.cut(veiled(call, version), summary, elements)
    return bundles.found(call.base, version.reference, shown, mode)


def _ignored(names: tuple[str, ...]) -> bytes:
    short = [name[:64] for name in names]
    issues = [outcome.issue("warning", "not-supported", f"{name} is ignored", f"http.{name}") for name in short]
    return bundles.entry(resource=write(outcome.outcome(issues)), search={"mode": "outcome"})
