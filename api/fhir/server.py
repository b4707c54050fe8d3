"""The FHIR server as an ASGI application of its own, beside FastAPI: what every interaction has in common.

hl7.org/fhir/R4/http.html. No framework stands between the socket and an interaction: a read may cost half a
millisecond, and a framework's request alone costs that.
"""

from __future__ import annotations

from codecs import BOM_UTF8
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from email.utils import format_datetime
from functools import lru_cache
from http import HTTPStatus
from time import perf_counter
from urllib.parse import parse_qsl

from prometheus_client import Counter, Histogram
from starlette.exceptions import HTTPException
from starlette.types import Receive, Scope, Send

from api import metrics
from api.fhir import auditing, batch, capabilities, negotiation, outcome, process_message, smart
from api.fhir.callers import Callers
from api.fhir.exchange import MEDIA_TYPE, Address, Answer, Call
from api.fhir.interactions import INTERACTIONS, perform
from api.fhir.outcome import Refusal, error
from api.fhir.routing import address_of
from api.fhir.text import parse, pretty
from api.fhir.weight import LIGHT, refuse_heavy
from api.guards import refuse_head
from api.pressure import TooSlow
from api.state import AppState
from domain.errors import Forbidden, Invalid, OutOfReach

PREFIX = "/fhir/"

_PERFORM = {
    **dict.fromkeys(INTERACTIONS, perform),
    "batch": batch.batch,
    "capabilities": capabilities.capabilities,
    "process-message": process_message.process_message,
}
_FORM = "application/x-www-form-urlencoded"
_MOST_PARAMETERS = 200
_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
_ALWAYS = [
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
]
_SECURE = (b"strict-transport-security", b"max-age=63072000; includeSubDomains")


class FhirServer:
    """ASGI application for addresses beneath `/fhir/`."""

    def __init__(self, state: AppState) -> None:
        self._state = state
        self._callers = Callers(state)
        self._always = [*_ALWAYS, _SECURE] if state.secure_cookies else _ALWAYS

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = perf_counter()
        method = scope["method"]
        label, status = "unmatched", HTTPStatus.INTERNAL_SERVER_ERROR.value
        call: Call | None = None
        try:
            hospital, _, rest = scope["path"].removeprefix(PREFIX).partition("/")
            if rest == smart.WELL_KNOWN and method in {"GET", "HEAD"}:
                await self._send_smart(send, head=method == "HEAD")
                _requests(method, "smart-configuration", HTTPStatus.OK).inc()
                return
            address = address_of(method, rest.rstrip("/").split("/") if rest.strip("/") else ())
            label = address.interaction
            refuse_head(scope)
            async with self._state.gate.taking(scope) as taken:
                call = await self._call(scope, taken.receiving(receive), hospital, address)
                answer = await _PERFORM[address.interaction](call)
        except HTTPException as refused:
            said = Refusal(refused.status_code, error("too-long", HTTPStatus(refused.status_code).description))
            answer = Answer(said.status, outcome.rendered(said))
        except TooSlow:
            said = Refusal(HTTPStatus.REQUEST_TIMEOUT, error("timeout", "the body did not come in time"))
            answer = Answer(said.status, outcome.rendered(said), headers=((b"connection", b"close"),))
        except Exception as failed:
            # An entry's refusal is said of the Bundle; what it was stands behind it.
            cause = failed.__cause__ if isinstance(failed, Refusal) else failed
            if isinstance(cause, Forbidden | OutOfReach) and call is not None:
                await auditing.refused(call, cause, label)
            refusal = outcome.face(failed, call.address.type if call else "")
            answer = Answer(refusal.status, outcome.rendered(refusal), headers=refusal.headers)
        if call is not None and call.params and ("_pretty", "true") in call.params:
            answer = _laid_out(answer)
        status = answer.status
        await self._send(send, answer, head=method == "HEAD")
        _requests(method, label, status).inc()
        _durations(method, label).observe(perf_counter() - started)

    async def _call(self, scope: Scope, receive: Receive, hospital: str, address: Address) -> Call:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        params = _parameters(scope["query_string"])
        format_ = next((value for name, value in params if name == "_format"), None)
        negotiation.refuse_other_formats(
            headers.get("accept", ""),
            format_,
            lines=address.interaction == "export-file" or address.operation == "export",
        )
        base = f"{self._state.public_url}{PREFIX}{hospital}"
        real = self._state.now()
        if address.interaction == "capabilities":  # public: clients read it before they have a token
            return Call(self._state, capabilities.anybody(hospital), base, address, real, params, headers)
        asker = await self._callers.asker(scope, headers, hospital, real)
        call = Call(self._state, asker, base, address, real, params, headers)
        if address.operation:
            query = scope["query_string"].decode("latin-1")
            call.url = f"{self._state.public_url}{scope['path']}{'?' if query else ''}{query}"
        if "prefer" in headers:
            call.preference = negotiation.preference(headers["prefer"])
        if scope["method"] in _WITH_BODY:
            await self._read_body(call, receive, patch=address.interaction == "patch")
        return call

    async def _read_body(self, call: Call, receive: Receive, *, patch: bool) -> None:
        body = await _bytes(receive, call.headers, self._state.largest_bundle)
        content_type = call.headers.get("content-type", "")
        searching = call.by_post = "search" in call.address.interaction
        negotiation.refuse_packed(call.headers.get("content-encoding", ""))
        if content_type.partition(";")[0].strip().lower() == _FORM or (searching and not body):
            if not searching:
                negotiation.refuse_other_content(content_type)
            call.params = [*call.params, *_parameters(body)]
            return
        negotiation.refuse_other_content(content_type, patch=patch, search=searching)
        body = body.removeprefix(BOM_UTF8)  # RFC 8259, 8.1: nobody writes it, whoever reads may pass it over
        call.body = body
        if body and not patch:
            sent = parse(body)
            if not isinstance(sent, dict):
                raise Invalid("the body is JSON, but no resource: it is not an object", field="")
            if len(body) > LIGHT:
                refuse_heavy(sent)
            call.resource = sent

    async def _send(self, send: Send, answer: Answer, *, head: bool) -> None:
        length = len(answer.body) if answer.stream is None else answer.length
        headers = [(b"content-length", b"%d" % length), *self._always, *answer.headers]
        if length:
            headers.append((b"content-type", answer.media_type))
        if answer.etag is not None:
            headers.append((b"etag", b'W/"%d"' % answer.etag))
        if answer.last_modified is not None:
            headers.append((b"last-modified", http_date(answer.last_modified)))
        if answer.location is not None:
            headers.append((b"location", answer.location.encode("latin-1")))
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        if answer.stream is not None and not head:
            # A part that is missing ends the connection: the announced length tells the client that it is not whole.
            async for part in answer.stream:
                await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body", "body": b"" if head else answer.body})

    async def _send_smart(self, send: Send, *, head: bool) -> None:
        body = smart.configuration(self._state.public_url)
        headers = [(b"content-length", b"%d" % len(body)), (b"content-type", b"application/json"), *self._always]
        await send({"type": "http.response.start", "status": HTTPStatus.OK, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if head else body})


def _laid_out(answer: Answer) -> Answer:
    """`_pretty=true` (hl7.org/fhir/R4/http.html#parameters)."""
    if answer.body and answer.media_type == MEDIA_TYPE:
        return replace(answer, body=pretty(answer.body))
    return answer


def http_date(at: datetime) -> bytes:
    return format_datetime(at, usegmt=True).encode()


def _parameters(query: bytes) -> list[tuple[str, str]]:
    if not query:
        return []
    try:
        given = parse_qsl(
            query.decode(), keep_blank_values=True, max_num_fields=_MOST_PARAMETERS, errors="strict", encoding="utf-8"
        )
    except UnicodeDecodeError:
        raise Invalid("the parameters are not UTF-8", field="http.query") from None
    except ValueError:
        raise Invalid(f"more than {_MOST_PARAMETERS} parameters", field="http.query") from None
    for name, value in given:
        if not (name.isprintable() and value.isprintable()) and any(ord(sign) < 32 for sign in name + value):
            where = name[:64] if name.isprintable() else "http.query"
            raise Invalid("a parameter holds a control character", field=where)
    return given


async def _bytes(receive: Receive, headers: Mapping[str, str], largest: int) -> bytes:
    announced = headers.get("content-length", "0")
    total = int(announced) if announced.isdecimal() else 0
    parts: list[bytes] = []
    received = 0
    more = True
    while more:
        if max(total, received) > largest:
            raise Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, error("too-long", f"a body has at most {largest} bytes"))
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Refusal(HTTPStatus.BAD_REQUEST, error("structure", "the connection ended within the body"))
        parts.append(message.get("body", b""))
        received += len(parts[-1])
        more = message.get("more_body", False)
    if received > largest:
        raise Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, error("too-long", f"a body has at most {largest} bytes"))
    return b"".join(parts)


@lru_cache(maxsize=1024)
def _requests(method: str, label: str, status: int) -> Counter:
    return metrics.REQUESTS.labels(method, f"/fhir/{label}", str(status))


@lru_cache(maxsize=1024)
def _durations(method: str, label: str) -> Histogram:
    return metrics.DURATION.labels(method, f"/fhir/{label}")
