"""Formats and preferences: hl7.org/fhir/R4/http.html#mime-type, #parameters, #ops and #handling."""

from __future__ import annotations

from functools import lru_cache
from http import HTTPStatus

from api.fhir.exchange import JSON_PATCH, Preference, Return
from api.fhir.outcome import Refusal, error

_JSON = frozenset({"application/fhir+json", "application/json", "text/json", "json", "*/*", "application/*"})
_FORMATS = frozenset({"application/fhir+json", "application/json", "text/json", "json"})
_NDJSON = frozenset({"application/fhir+ndjson", "application/ndjson", "application/x-ndjson"})
_VERSION = "4.0"
_RETURNS: dict[str, Return] = {
    "minimal": "minimal",
    "representation": "representation",
    "operationoutcome": "OperationOutcome",
}


def refuse_other_formats(accept: str, format_: str | None, *, lines: bool = False) -> None:
    """Raises Refusal 406 unless JSON of R4 will do. `_format` overrides Accept.  lines: the answer is NDJSON."""
    if lines and any(part.partition(";")[0].strip().lower() in _NDJSON for part in accept.split(",")):
        return
    if format_ is not None:
        # A plus that was not encoded arrives as a space.
        acceptable = _is_json(format_.replace(" ", "+"), _FORMATS)
    else:
        acceptable = not accept or _accepts(accept)
    if not acceptable:
        raise Refusal(HTTPStatus.NOT_ACCEPTABLE, error("not-supported", "this server writes application/fhir+json"))


@lru_cache(maxsize=256)
def _accepts(accept: str) -> bool:
    return any(_is_json(part, _JSON) for part in accept.split(","))


def _is_json(media: str, known: frozenset[str]) -> bool:
    name, *parameters = (part.strip().lower() for part in media.split(";"))
    given = dict(part.partition("=")[::2] for part in parameters)
    version = given.get("fhirversion", _VERSION).strip('"')
    refused = given.get("q", "1").strip("0.") == "" and given.get("q", "1") != ""
    return name in known and (version == _VERSION or version.startswith("4.0.")) and not refused


@lru_cache(maxsize=256)
def refuse_other_content(content_type: str, *, patch: bool = False, search: bool = False) -> None:
    """Raises Refusal 415 for a body that is not JSON.

    patch: JSON Patch is a format, too.  search: nothing but a form is; passed over, a body would widen the search.
    """
    if search:
        said = "the parameters of a search come in the address or as application/x-www-form-urlencoded"
        raise Refusal(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, error("not-supported", said))
    if not content_type or (_is_json(content_type, _FORMATS) and _charset(content_type) in {"", "utf-8", "utf8"}):
        return
    if patch and content_type.partition(";")[0].strip().lower() == JSON_PATCH:
        return
    raise Refusal(
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        error("not-supported", "this server reads application/fhir+json" + (f" and {JSON_PATCH}" if patch else "")),
    )


def refuse_packed(content_encoding: str) -> None:
    """Raises Refusal 415 for a body that is packed: what it comes to when it is unpacked would have no limit."""
    if content_encoding.strip().lower() not in {"", "identity"}:
        said = "this server reads bodies that are not packed: no Content-Encoding"
        raise Refusal(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, error("not-supported", said))


def _charset(content_type: str) -> str:
    parameters = content_type.lower().partition(";")[2].split(";")
    given = dict(part.strip().partition("=")[::2] for part in parameters)
    return given.get("charset", "").strip('"')


@lru_cache(maxsize=256)
def preference(prefer: str) -> Preference:
    """The header Prefer; what is not understood in it is left aside (RFC 7240, 2)."""
    given: dict[str, str] = {}
    for part in prefer.replace(";", ",").split(","):
        name, _, value = part.strip().partition("=")
        given.setdefault(name.lower(), value.strip('" ').lower())
    return Preference(
        wanted=_RETURNS.get(given.get("return", "")),
        strict=given.get("handling") == "strict",
        lenient=given.get("handling") == "lenient",
        asynchronous="respond-async" in given,
    )
