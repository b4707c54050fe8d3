"""HL7's own value sets: what expands is what is in them, and every set that R4 binds an element to can be asked."""

from __future__ import annotations

import pytest

from domain import fhir
from domain.errors import NotFound
from domain.terminology import Canonical, Shelves, Wanted, contains, expand
from tests.domain.fhir.test_terminology import NOT_ENUMERABLE, all_paths

LIBRARY = Shelves()

# Sets with a hierarchy that stands in properties (`child`, `subsumedBy`): R4's compiled lists follow nesting alone.
WIDER = {
    "http://hl7.org/fhir/ValueSet/detectedissue-category",
    "http://hl7.org/fhir/ValueSet/parent-relationship-codes",
    "http://terminology.hl7.org/ValueSet/v3-ActPharmacySupplyType",
}


def expanded(url: str) -> dict[str, set[str]]:
    value_set = LIBRARY.value_set(Canonical.of(url))
    assert value_set is not None
    found: dict[str, set[str]] = {}
    for member in expand(LIBRARY, value_set).members:
        found.setdefault(member.system, set()).add(member.code)
    return found


def test_every_code_that_an_expansion_gives_is_in_the_value_set() -> None:
    asked = 0
    for url in fhir.published_urls("ValueSet"):
        value_set = LIBRARY.value_set(Canonical(url))
        assert value_set is not None
        try:
            members = expand(LIBRARY, value_set).members
        except NotFound:  # SNOMED CT, LOINC and others that HL7 does not ship
            continue
        asked += len(members[:50])
        for each in members[:50]:
            assert contains(LIBRARY, value_set, each.system, each.code).inside is True, (url, each.code)
            assert contains(LIBRARY, value_set, each.system, f"{each.code}\x00").inside is not True
            assert contains(LIBRARY, value_set, "http://nobody.example", each.code).inside is not True
    assert asked > 10_000


def test_expansions_are_the_lists_that_set_up_compiled() -> None:
    compared = 0
    for url in fhir.published_urls("ValueSet"):
        listed = fhir.value_set_codes(url)
        if listed is None:
            continue
        compared += 1
        compiled = {system: set(codes) for system, codes in listed.items()}
        found = expanded(url)
        if url in WIDER:
            assert all(codes < found[system] for system, codes in compiled.items())
        else:
            assert found == compiled, url
    assert compared > 1000


def test_every_required_binding_of_r4_expands_or_says_what_it_lacks() -> None:
    bound = {
        each.binding[1]
        for name in fhir.types()
        for path in all_paths(name)
        for each in fhir.children(path).values()
        if each.binding and each.binding[0] == "required"
    }
    for url in sorted(bound - NOT_ENUMERABLE):
        assert expanded(url), url
    for url in NOT_ENUMERABLE - {"http://loinc.org/vs/LL379-9"}:
        with pytest.raises(NotFound, match="not known here"):
            expanded(url)


def test_units_and_media_types_are_recognised_though_nobody_lists_them() -> None:
    for url, system, code, inside in (
        ("ucum-units", "http://unitsofmeasure.org", "mg/dL", True),
        ("ucum-units", "http://unitsofmeasure.org", "mg dL", None),
        ("mimetypes", "urn:ietf:bcp:13", "image/png", True),
        ("mimetypes", "urn:ietf:bcp:13", "image", False),
        ("all-languages", "urn:ietf:bcp:47", "ko-KR", True),
        ("all-languages", "urn:ietf:bcp:47", "k", False),
    ):
        value_set = LIBRARY.value_set(Canonical(f"http://hl7.org/fhir/ValueSet/{url}"))
        assert value_set is not None
        assert contains(LIBRARY, value_set, system, code).inside is inside, code


def test_a_filter_of_words_finds_what_a_reader_would() -> None:
    value_set = LIBRARY.value_set(Canonical("http://hl7.org/fhir/ValueSet/encounter-status"))
    assert value_set is not None
    assert [each.code for each in expand(LIBRARY, value_set, Wanted(text="IN error")).members] == ["entered-in-error"]


def test_hl7s_concept_maps_are_found_by_url() -> None:
    urls = fhir.published_urls("ConceptMap")
    assert len(urls) > 20
    assert all(LIBRARY.concept_maps(Canonical(url)) for url in urls)
    assert LIBRARY.concept_maps(Canonical("http://nobody.example")) == []
