"""A Subscription is written: may it be served? Then a row says from where on (hl7.org/fhir/R4/subscription.html).

Only the server makes a subscription active or puts it in error; a client asks with `requested` and ends with `off`.
"""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus

from adapters.fhir.topics import BUILT_IN, CODE, Topic, topic_of
from api.fhir.exchange import Call
from api.fhir.outcome import Refusal, error
from api.fhir.subscription import asked_of, refuse_unfit, types_of
from domain.errors import Forbidden, Invalid
from rules.scopes import Letter
from store import subscriptions
from store.database import Transaction
from store.fhir.writing import Write
from store.search import parse_query, searching
from store.subscriptions import SubscriptionState

KIND = "Subscription"

_LETTERS: tuple[Letter, ...] = ("r", "s")
_MOST_TOPICS = 200


async def settle(tx: Transaction, call: Call, writes: Iterable[tuple[str, Write]]) -> None:
    """Begin or end serving the Subscriptions among the writes, each with its place in a Bundle.

    Raises Refusal 422 naming the element, Forbidden for a person and for types that the scopes do not open.
    """
    for _, one in writes:
        if one.reference.resource_type != KIND:
            continue
        status = one.resource.get("status") if one.resource is not None else None
        if status == SubscriptionState.REQUESTED and one.resource is not None:
            await _begin(tx, call, one)
        elif status in {None, SubscriptionState.OFF}:
            await subscriptions.become(tx, one.reference.id, SubscriptionState.OFF)
        else:
            said = "a client asks with `requested` or ends with `off`; the server says `active` and `error`"
            raise _refused("business-rule", said, "status")


async def _begin(tx: Transaction, call: Call, one: Write) -> None:
    caller = call.asker.caller
    if call.asker.rights is not None or caller.csrf is not None:
        raise Forbidden("notifications go to programs: a subscription is asked for with a client's token")
    assert one.resource is not None  # noqa: S101 - asked by settle
    asked = asked_of(one.resource)
    if asked.ends_at is not None and asked.ends_at <= call.real:
        raise _refused("business-rule", "it has ended already", "end")
    try:
        call.state.outgoing.refuse_elsewhere(asked.endpoint)
    except Forbidden as strange:
        raise _refused("forbidden", str(strange), "channel.endpoint") from strange
    topic = await topic_named(tx, asked.topic) if asked.topic else None
    if topic is not None:
        refuse_unfit(asked, topic)
    for kind in sorted(types_of(asked, topic)):
        for letter in _LETTERS:
            call.require(letter, kind)
    await subscriptions.ask(
        tx,
        one.reference.id,
        actor=caller.actor,
        token=caller.session,
        letters=call.asker.grants.by_type,
        base=call.base,
        ends_at=asked.ends_at,
    )


async def topic_named(tx: Transaction, url: str) -> Topic:
    """One of ours, or one that the hospital keeps as a Basic. Raises Refusal 422."""
    if url in BUILT_IN:
        return BUILT_IN[url]
    query = parse_query("Basic", [("code", CODE), ("_count", str(_MOST_TOPICS))], strict=True)
    wrong = "the topic is not known; the CapabilityStatement lists those of the server, Basic?code= the hospital's"
    for each in (await searching.search(tx, query)).matches:
        try:
            topic = topic_of(each.body)
        except Invalid as unfit:
            if f'"{url}"'.encode() in each.text:
                wrong = f"{each.reference}: {unfit}"
            continue
        if topic.url == url:
            return topic
    raise _refused("not-found", wrong, "criteria")


def _refused(code: str, said: str, where: str) -> Refusal:
    return Refusal(HTTPStatus.UNPROCESSABLE_ENTITY, error(code, said, f"{KIND}.{where}"))
