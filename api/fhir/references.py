"""References between the entries of a transaction, made references to what is kept.

hl7.org/fhir/R4/http.html#transaction-references: elements of type Reference, uri, url, oid and uuid, and links in
narrative, that say an entry's fullUrl; hl7.org/fhir/R4/bundle.html#references: relative ones, by the entry's own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from domain.errors import Invalid

_URI_NAMES = ("uri", "url", "Uri", "Url", "Oid", "Uuid", "Canonical", "instantiatesUri")
_HREF = re.compile(r'((?:href|src)\s*=\s*["\'])([^"\'#]+)')
_BASE = re.compile(r"(https?://.+)/[A-Z][A-Za-z]+/[A-Za-z0-9\-.]{1,64}")
_CONDITION = re.compile(r"[A-Z][A-Za-z]{1,63}\?.+")


def conditions_in(resource: Any) -> Iterator[str]:
    """Every conditional reference, such as `Practitioner?identifier=system|value`."""
    pending = [resource]
    while pending:
        node = pending.pop()
        if isinstance(node, dict):
            said = node.get("reference")
            if isinstance(said, str) and _CONDITION.fullmatch(said):
                yield said
            pending.extend(value for value in node.values() if isinstance(value, dict | list))
        else:
            pending.extend(value for value in node if isinstance(value, dict | list))


def place_of(resource: Any, said: str) -> str:
    """JSON Pointer to the first element that says so, `/subject/reference`; '/reference' where none does."""
    pending: list[tuple[str, Any]] = [("", resource)]
    while pending:
        where, node = pending.pop(0)
        below = node.items() if isinstance(node, dict) else enumerate(node)
        for name, value in below:
            if value == said and name == "reference":
                return f"{where}/{name}"
            if isinstance(value, dict | list):
                pending.append((f"{where}/{name}", value))
    return "/reference"


def rewrite(resource: dict[str, Any], full_url: str, known: Mapping[str, str]) -> None:
    """Replace in place whatever names an entry or a condition in `known`.

    Raises Invalid for a `urn:uuid:` reference to nothing in the Bundle: nobody could ever follow it.
    """
    base = _BASE.fullmatch(full_url)
    root = f"{base[1]}/" if base else ""
    pending: list[Any] = [resource]
    while pending:
        node = pending.pop()
        if isinstance(node, list):
            pending.extend(value for value in node if isinstance(value, dict | list))
            continue
        for name, value in node.items():
            if isinstance(value, dict | list):
                pending.append(value)
            elif isinstance(value, str):
                if name == "reference":
                    node[name] = _reference(value, root, known, resource)
                elif name == "div":
                    node[name] = _HREF.sub(lambda link: link[1] + known.get(link[2], link[2]), value)
                elif name.endswith(_URI_NAMES):
                    node[name] = known.get(value, value)


def _reference(said: str, root: str, known: Mapping[str, str], resource: dict[str, Any]) -> str:
    found = known.get(said)
    if found is None and root and not said.startswith("#"):
        found = known.get(root + said)
    if found is None and said.startswith(("urn:uuid:", "urn:oid:")):
        where = place_of(resource, said)
        raise Invalid("the Bundle holds no entry with the fullUrl that a reference names", field=where)
    return said if found is None else found
