"""Links by canonical URL, for `_include` and `_revinclude`: a questionnaire of an answer, a profile's base.

hl7.org/fhir/R4/references.html#canonical. Search rows of such a link hold the hash of a URL, which is no resource's
key: what it names is looked up by the URLs in the bodies.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from uuid import UUID

from domain.terminology.canonicals import Canonical, newest
from store.fhir.versions import Version
from store.search.keyed import target_key
from store.search.places import Parameter, Place, parameter
from store.search.sql import Sql, both, one_of
from store.search.values import uri_key

_TYPES = frozenset({"canonical", "uri", "url"})


@dataclass(frozen=True)
class _Dated:
    """What `newest` asks of a version of something with a URL."""

    number: int
    version: str
    status: str
    date: str


def places(references: Iterable[Parameter]) -> list[Place]:
    """Where such links stand, among the places of reference parameters."""
    return [place for each in references for place in each.places if place.fhir_type in _TYPES]


def named(versions: Iterable[Version], at: Collection[Place]) -> set[Canonical]:
    """The canonicals that resources name at these places."""
    return {Canonical.of(text) for version in versions for text in _texts(version, at)}


def of_urls(canonicals: Collection[Canonical], types: Iterable[str]) -> Sql | None:
    """Rows of `search_string` (x) by which resources of the types with these URLs are found; None for none."""
    defined = [parameter(kind, "url") for kind in types]
    numbers = [number for each in defined if each is not None and each.kind == "uri" for number in each.numbers]
    if not canonicals or not numbers:
        return None
    urls = sorted({uri_key(each.url) for each in canonicals})
    return both(one_of("x.parameter", "int8", numbers), one_of("x.value", "text", urls))


def meant(canonicals: Collection[Canonical], found: Iterable[tuple[int, Version]]) -> set[int]:
    """The numbers of those that the canonicals mean: of the version named, or the newest."""
    by_url: dict[str, list[_Dated]] = {}
    for number, version in found:
        said = [str(version.body.get(name, "")) for name in ("url", "version", "status", "date")]
        by_url.setdefault(said[0], []).append(_Dated(number, *said[1:]))
    chosen = (newest(by_url.get(each.url, ()), each.version) for each in canonicals)
    return {each.number for each in chosen if each is not None}


def keys(versions: Iterable[Version]) -> set[UUID]:
    """What search rows of links to resources with a URL hold, for any version of it."""
    urls = {version.body.get("url") for version in versions}
    return {target_key(url) for url in urls if isinstance(url, str)}


def links_to(version: Version, targets: Iterable[Version], at: Collection[Place]) -> bool:
    """Whether a resource names one of the targets: by its URL without a version, or with that which it has."""
    given = named([version], at)
    return any(
        Canonical(str(each.body.get("url", "")), each_version) in given
        for each in targets
        for each_version in ("", str(each.body.get("version", "")))
    )


def _texts(version: Version, at: Collection[Place]) -> Iterator[str]:
    for place in at:
        yield from (each for each in place.values(version.body) if isinstance(each, str) and each)
