"""What a Subscription asks for (hl7.org/fhir/R4/subscription.html), topics included.

Topic-based: hl7.org/fhir/uv/subscriptions-backport, release 1.1, profile backport-subscription.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any, NoReturn

from adapters.fhir.topics import Topic
from api.fhir.conditional import criteria_of
from api.fhir.outcome import Refusal, error
from api.fhir.text import Json
from domain import fhir
from domain.errors import PhisError
from store.search import parse_query

_BACKPORT = "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition"
PROFILE = f"{_BACKPORT}/backport-subscription"
STATUS_PROFILE = f"{_BACKPORT}/backport-subscription-status-r4"
TOPIC_CANONICAL = f"{_BACKPORT}/capabilitystatement-subscriptiontopic-canonical"

JSON_TYPES = frozenset({"application/fhir+json", "application/json"})
CONTENTS = frozenset({"empty", "id-only", "full-resource"})
LONGEST_TIMEOUT = 20
"""Seconds that a receiver may take to answer."""

SHORTEST_HEARTBEAT = 5
LARGEST_COUNT = 100
_MOST_HEADERS = 20
_HEADER = re.compile(r"([A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}):[ \t]*([\x20-\x7e\t]{0,4000})")
_OURS = frozenset({"host", "content-length", "content-type", "transfer-encoding", "connection", "expect", "upgrade"})
_RESULTS = frozenset({"_include", "_revinclude", "_sort", "_count", "_total", "_summary", "_elements", "_cursor"})
_TYPED = re.compile(r"[A-Z][A-Za-z]{1,63}(\?.*)?", re.DOTALL)

Pairs = list[tuple[str, str]]


@dataclass(frozen=True)
class Filter:
    """A search of a type that what is told must meet."""

    resource: str
    pairs: Pairs


@dataclass(frozen=True)
class Asked:
    """topic: its URL, empty for criteria alone; `filters` are then one.  payload: the media type, empty for none.

    content: of topics.  timeout, heartbeat: seconds, 0 for no heartbeat.  count: events of one notification at most.
    """

    endpoint: str
    headers: Sequence[tuple[str, str]]
    payload: str
    ends_at: datetime | None
    topic: str = ""
    filters: Sequence[Filter] = ()
    content: str = "full-resource"
    timeout: int = LONGEST_TIMEOUT // 2
    heartbeat: int = 0
    count: int = 1


def asked_of(resource: Json) -> Asked:
    """Raises Refusal 422 that names the element. `resource`: a valid Subscription."""
    channel = resource["channel"]
    if channel.get("type") != "rest-hook":
        _refuse("not-supported", "notifications are sent by rest-hook only", "channel.type")
    payload = str(channel.get("payload", "")).partition(";")[0].strip().lower()
    if payload and payload not in JSON_TYPES:
        _refuse("not-supported", "a payload is application/fhir+json, or none", "channel.payload")
    if not channel.get("endpoint"):
        _refuse("required", "a rest-hook has an endpoint", "channel.endpoint")
    end = resource.get("end")
    base = Asked(
        endpoint=str(channel["endpoint"]),
        headers=list(_headers(channel.get("header", ()))),
        payload=payload,
        ends_at=datetime.fromisoformat(str(end)) if end else None,
    )
    criteria = str(resource["criteria"])
    if _TYPED.fullmatch(criteria) and not _profiled(resource):
        return _with(base, filters=[_filter(criteria, "criteria", whole=True)])
    extensions = channel.get("extension", ())
    named = [str(each) for each in _values((resource.get("_criteria") or {}).get("extension", ()), "filter-criteria")]
    contents = [str(each) for each in _values((channel.get("_payload") or {}).get("extension", ()), "payload-content")]
    content = contents[0] if contents else "id-only" if payload else "empty"
    if content not in CONTENTS:
        _refuse("value", "the content is empty, id-only or full-resource", "channel.payload.extension")
    return _with(
        base,
        topic=criteria,
        filters=[_filter(each, "criteria.extension", whole=False) for each in named],
        content=content,
        timeout=_number(extensions, "timeout", 1, LONGEST_TIMEOUT) or base.timeout,
        heartbeat=_number(extensions, "heartbeat-period", SHORTEST_HEARTBEAT, 86_400) or 0,
        count=_number(extensions, "max-count", 1, LARGEST_COUNT) or 1,
    )


def refuse_unfit(asked: Asked, topic: Topic) -> None:
    """Raises Refusal 422 for filters that the topic does not have."""
    for each in asked.filters:
        if each.resource and topic.trigger(each.resource) is None:
            _refuse("value", f"the topic does not tell of {each.resource}", "criteria.extension")
        for name, _ in each.pairs:
            if name.partition(":")[0].partition(".")[0] not in topic.filters:
                allowed = ", ".join(sorted(topic.filters)) or "nothing"
                _refuse("value", f"the topic is filtered by {allowed}", "criteria.extension")
        for trigger in topic.triggers:
            if each.resource in {"", trigger.resource}:
                _refuse_no_search(trigger.resource, each.pairs, "criteria.extension")


def types_of(asked: Asked, topic: Topic | None) -> set[str]:
    """The resource types that notifications are about."""
    if topic is not None:
        return {each.resource for each in topic.triggers}
    return {each.resource for each in asked.filters}


def _filter(text: str, where: str, *, whole: bool) -> Filter:
    kind, _, query = text.partition("?") if _TYPED.fullmatch(text) and (whole or "?" in text) else ("", "", text)
    if kind not in fhir.resource_types() and (whole or kind):
        _refuse("value", "the criteria begin with a resource type of R4, as in Observation?code=…", where)
    try:
        pairs = criteria_of(query, where) if query else []
    except PhisError as wrong:
        _refuse("value", str(wrong), where)
    named = sorted({name.partition(":")[0] for name, _ in pairs} & _RESULTS)
    if named:
        _refuse("value", f"{named[0]} is about an answer and no criterion", where)
    if whole:
        _refuse_no_search(kind, pairs, where)
    return Filter(kind, pairs)


def _refuse_no_search(kind: str, pairs: Pairs, where: str) -> None:
    try:
        parse_query(kind, pairs, strict=True)
    except PhisError as wrong:
        about = wrong.params.get("field", "")
        _refuse("value", f"{about}: {wrong}" if about else str(wrong), where)


def _headers(listed: Sequence[Any]) -> Iterator[tuple[str, str]]:
    if len(listed) > _MOST_HEADERS:
        _refuse("too-costly", f"at most {_MOST_HEADERS} headers", "channel.header")
    for index, each in enumerate(listed):
        match = _HEADER.fullmatch(str(each))
        if match is None or match[1].lower() in _OURS:
            _refuse(
                "value", "a header reads `Name: value`, and is not one of the connection", f"channel.header[{index}]"
            )
        yield match[1], match[2].strip()


def _profiled(resource: Json) -> bool:
    return PROFILE in [str(each).partition("|")[0] for each in resource.get("meta", {}).get("profile", ())]


def _values(extensions: Sequence[Mapping[str, Any]], name: str) -> Iterator[Any]:
    wanted = f"{_BACKPORT}/backport-{name}"
    return (each[key] for each in extensions if each.get("url") == wanted for key in each if key.startswith("value"))


def _number(extensions: Sequence[Mapping[str, Any]], name: str, least: int, most: int) -> int | None:
    for value in _values(extensions, name):
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            _refuse("value", f"{name} is {least} to {most} here", "channel.extension")
        return value
    return None


def _with(base: Asked, **more: Any) -> Asked:
    return Asked(base.endpoint, base.headers, base.payload, base.ends_at, **more)


def _refuse(code: str, said: str, where: str) -> NoReturn:
    raise Refusal(HTTPStatus.UNPROCESSABLE_ENTITY, error(code, said, f"Subscription.{where}"))
