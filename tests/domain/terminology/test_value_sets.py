"""Membership and expansion of value sets over a small code system: includes, excludes, filters, imports."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import Invalid, NotFound, TooCostly
from domain.terminology import (
    Canonical,
    CodeSystem,
    ConceptMap,
    Languages,
    Pinned,
    Shelves,
    ValueSet,
    Wanted,
    contains,
    expand,
    newest,
)

SYSTEM = "http://example.org/s"


def concept(code: str, *inner: dict[str, Any], **properties: Any) -> dict[str, Any]:
    made: dict[str, Any] = {"code": code, "display": f"The {code}"}
    if inner:
        made["concept"] = [*inner]
    if properties:
        made["property"] = [{"code": name, **value} for name, value in properties.items()]
    return made


def system(*concepts: dict[str, Any], **more: Any) -> CodeSystem:
    base = {"resourceType": "CodeSystem", "url": SYSTEM, "status": "active", "content": "complete"}
    return CodeSystem.of({**base, "concept": [*concepts], **more})


TREE = system(
    concept(
        "a",
        concept("b", concept("d", weight={"valueInteger": 3}), colour={"valueCode": "red"}),
        concept("c", colour={"valueCode": "blue"}, inactive={"valueBoolean": True}),
    ),
    concept("e", parent={"valueCode": "c"}, kind={"valueCoding": {"system": "http://k", "code": "k1"}}),
)


def composed(*include: dict[str, Any], exclude: Any = (), **more: Any) -> ValueSet:
    compose = {"include": [*include], **({"exclude": [*exclude]} if exclude else {}), **more}
    return ValueSet.of({"resourceType": "ValueSet", "url": "http://example.org/v", "compose": compose})


def filtered(name: str, op: str, value: str) -> dict[str, Any]:
    return {"system": SYSTEM, "filter": [{"property": name, "op": op, "value": value}]}


LIBRARY = Shelves(systems={SYSTEM: [TREE]})


def codes(value_set: ValueSet, library: Shelves = LIBRARY, **wanted: Any) -> str:
    found = "".join(each.code for each in expand(library, value_set, Wanted(**wanted)).members)
    if not wanted:
        inside = "".join(code for code in "abcde" if contains(library, value_set, SYSTEM, code).inside)
        assert sorted(found) == sorted(inside)
    return found


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        ({"system": SYSTEM}, "abdce"),
        (filtered("concept", "is-a", "b"), "bd"),
        (filtered("concept", "is-a", "c"), "ce"),  # `e` names its parent in a property
        (filtered("concept", "descendent-of", "a"), "bdce"),
        (filtered("concept", "is-not-a", "b"), "ace"),
        (filtered("concept", "generalizes", "d"), "abd"),
        (filtered("concept", "in", "a, e"), "ae"),
        (filtered("concept", "not-in", "a,e"), "bdc"),
        (filtered("code", "regex", "[ab]"), "ab"),
        (filtered("display", "regex", "The [de]"), "de"),
        (filtered("colour", "=", "red"), "b"),
        (filtered("colour", "exists", "true"), "bc"),
        (filtered("colour", "exists", "false"), "ade"),
        (filtered("colour", "in", "red,blue"), "bc"),
        (filtered("weight", "=", "3"), "d"),
        (filtered("kind", "=", "k1"), "e"),
        (filtered("inactive", "=", "true"), "c"),
        (filtered("parent", "=", "a"), "bc"),
        (filtered("child", "=", "d"), "b"),
        (filtered("concept", "is-a", "unheard-of"), ""),
        (filtered("concept", "is-not-a", "unheard-of"), "abdce"),
        ({"system": SYSTEM, "concept": [{"code": "d"}, {"code": "a"}]}, "da"),
        ({"system": SYSTEM, "version": "7", "concept": [{"code": "d"}]}, "d"),
    ],
)
def test_an_include_brings_what_it_names(part: dict[str, Any], expected: str) -> None:
    assert codes(composed(part)) == expected


def test_filters_of_one_include_are_all_kept_and_includes_add_up() -> None:
    both = {"system": SYSTEM, "filter": [*filtered("concept", "is-a", "a")["filter"], *filtered("colour", "exists", "true")["filter"]]}  # fmt: skip  # noqa: E501
    assert codes(composed(both)) == "bc"
    assert codes(composed(both, filtered("code", "=", "b"), filtered("code", "=", "e"))) == "bce"
    assert codes(composed({"system": SYSTEM}, exclude=[both])) == "ade"


def test_value_sets_named_together_mean_what_is_in_all_of_them() -> None:
    sets = {
        "http://x": [composed(filtered("concept", "is-a", "b"))],
        "http://y": [composed(filtered("code", "in", "d,e"))],
    }
    library = Shelves(systems={SYSTEM: [TREE]}, sets=sets)
    assert codes(composed({"valueSet": ["http://x"]}), library) == "bd"
    assert codes(composed({"valueSet": ["http://x", "http://y"]}), library) == "d"
    assert codes(composed({"system": SYSTEM, "valueSet": ["http://y"]}), library) == "de"
    assert codes(composed({"valueSet": ["http://x"]}, {"valueSet": ["http://y"]}), library) == "bde"
    assert codes(composed({"system": SYSTEM}, exclude=[{"valueSet": ["http://x|"]}]), library) == "ace"


def test_what_is_out_of_use_is_left_out_where_the_set_or_the_asker_says_so() -> None:
    assert codes(composed({"system": SYSTEM}, inactive=False)) == "abde"
    assert codes(composed({"system": SYSTEM}), active_only=True) == "abde"
    assert codes(composed({"system": SYSTEM}), without=(Canonical(SYSTEM),)) == ""
    assert codes(composed({"system": SYSTEM}), text="the D") == "d"


def test_an_expansion_without_a_definition_is_taken_as_it_is() -> None:
    contains_ = [{"system": SYSTEM, "code": "a", "contains": [{"system": SYSTEM, "code": "d"}]}, {"display": "group"}]
    given_ = ValueSet.of({"resourceType": "ValueSet", "expansion": {"contains": contains_}})
    assert codes(given_) == "ad"


@pytest.mark.parametrize(
    ("part", "error"),
    [
        ({"system": "http://nobody.example"}, NotFound),
        ({"valueSet": ["http://nobody.example"]}, NotFound),
        (filtered("code", "like", "x"), Invalid),
        (filtered("colour", "is-a", "x"), Invalid),
        (filtered("colour", "exists", "maybe"), Invalid),
        (filtered("code", "regex", "("), Invalid),
        (filtered("code", "regex", "a" * 1001), TooCostly),
    ],
)
def test_what_cannot_be_expanded_is_refused(part: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        codes(composed(part))


def test_a_pattern_takes_linear_time_whatever_it_is() -> None:
    long = system(concept("a" * 50_000))
    library = Shelves(systems={SYSTEM: [long]})
    assert expand(library, composed(filtered("code", "regex", "(a+)+$x"))).members == []


def test_circles_of_imports_and_of_parents_end() -> None:
    ring = {f"http://r/{n}": [composed({"valueSet": [f"http://r/{(n + 1) % 3}"]})] for n in range(3)}
    deep = {f"http://d/{n}": [composed({"valueSet": [f"http://d/{n + 1}"]})] for n in range(30)}
    library = Shelves(systems={SYSTEM: [TREE]}, sets={**ring, **deep})
    verdict = contains(library, ring["http://r/0"][0], SYSTEM, "a")
    assert (verdict.inside, "imports itself" in verdict.unknown) == (None, True)
    with pytest.raises(NotFound):
        expand(library, ring["http://r/0"][0])
    for ask in (lambda: contains(library, deep["http://d/0"][0], SYSTEM, "a"), lambda: expand(library, deep["http://d/0"][0])):  # fmt: skip  # noqa: E501
        with pytest.raises(TooCostly):
            ask()
    circle = system(concept("a", parent={"valueCode": "b"}), concept("b", parent={"valueCode": "a"}))
    assert codes(composed(filtered("concept", "is-a", "a")), Shelves(systems={SYSTEM: [circle]})) == "ab"


def test_sets_that_import_each_other_many_times_over_are_too_costly() -> None:
    wide = {f"http://w/{n}": [composed(*({"valueSet": [f"http://w/{n + 1}"]} for _ in range(9)))] for n in range(9)} | {
        "http://w/9": [composed({"system": SYSTEM, "concept": [{"code": "z"}]})]
    }
    with pytest.raises(TooCostly):
        contains(Shelves(sets=wide), wide["http://w/0"][0], SYSTEM, "a")


def test_case_says_nothing_where_the_system_says_so() -> None:
    loose = Shelves(systems={SYSTEM: [system(concept("Abc"), caseSensitive=False)]})
    value_set = composed({"system": SYSTEM})
    assert contains(loose, value_set, SYSTEM, "aBC").inside is True
    assert contains(loose, composed({"system": SYSTEM, "concept": [{"code": "Abc"}]}), SYSTEM, "ABC").inside is True
    strict = Shelves(systems={SYSTEM: [system(concept("Abc"))]})
    assert contains(strict, value_set, SYSTEM, "aBC").inside is False


def test_of_a_part_of_a_code_system_only_what_is_there_is_certain() -> None:
    library = Shelves(systems={SYSTEM: [system(concept("a"), content="fragment")]})
    value_set = composed({"system": SYSTEM})
    assert contains(library, value_set, SYSTEM, "a").inside is True
    assert contains(library, value_set, SYSTEM, "b").inside is None


@pytest.mark.parametrize(
    ("versions", "asked", "expected"),
    [
        (["1", "2", "10"], "", "10"),
        (["2.9.1", "2.10.0"], "", "2.10.0"),
        (["2.9.1", "2.10.0"], "2.9", "2.9.1"),
        (["1", "2"], "3", None),
        (["2024-01", "2026-07", "2025-12"], "", "2026-07"),
        ([""], "", ""),
    ],
)
def test_the_newest_version_is_meant_unless_one_is_named(versions: list[str], asked: str, expected: str | None) -> None:
    found = newest([system(version=each) for each in versions], asked)
    assert (found.version if found else None) == expected


def test_an_active_version_goes_before_a_newer_draft() -> None:
    found = newest([system(version="1"), system(version="2", status="draft"), system(version="3", status="retired")])
    assert found is not None
    assert found.version == "1"


def test_versions_can_be_pinned() -> None:
    library = Shelves(systems={SYSTEM: [system(concept("a"), version="1"), system(concept("b"), version="2")]})
    whole, named = composed({"system": SYSTEM}), composed({"system": SYSTEM, "version": "2"})

    def of(value_set: ValueSet, **pins: Any) -> str:
        pinned = Pinned(library, **{name: {SYSTEM: version} for name, version in pins.items()})
        return "".join(each.code for each in expand(pinned, value_set).members)

    assert (of(whole), of(whole, default="1"), of(whole, checked="1")) == ("b", "a", "a")
    assert (of(named, default="1"), of(named, forced="1"), of(named, checked="2")) == ("b", "a", "b")
    with pytest.raises(Invalid, match="uses version 2"):
        of(named, checked="1")


@pytest.mark.parametrize(
    ("header", "tags"),
    [
        ("ko", ("ko",)),
        ("en;q=0.5, ko-KR", ("ko-kr", "en")),
        ("ko;q=0, en", ("en",)),
        ("*", ()),
        (None, ()),
        (";;q=x,,ko;q=abc, en", ("en",)),
    ],
)
def test_languages_are_read_with_their_weights(header: str | None, tags: tuple[str, ...]) -> None:
    assert Languages.of(header).wanted == tags


def test_a_plain_name_goes_before_one_of_special_use() -> None:
    listed = [
        {"language": "ko", "use": {"code": "900000000000013009"}, "value": "동의어"},
        {"language": "ko", "value": "이름"},
    ]
    assert Languages.of("ko").pick("name", "", listed) == "이름"
    assert Languages.of("ko").pick("name", "", listed[:1]) == "동의어"
    assert Languages.of("ko, en").pick("name", "en", []) == "name"


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=40), st.integers(0, 30))
def test_hierarchies_of_any_shape_agree_from_above_and_from_beneath(links: list[tuple[int, int]], root: int) -> None:
    concepts = [
        {
            "code": str(n),
            "property": [{"code": "parent", "valueCode": str(above)} for below, above in links if below == n],
        }
        for n in range(31)
    ]
    made = system(*concepts)
    library = Shelves(systems={SYSTEM: [made]})
    beneath = composed(filtered("concept", "is-a", str(root)))
    listed = {each.code for each in expand(library, beneath).members}
    assert listed == {str(n) for n in range(31) if contains(library, beneath, SYSTEM, str(n)).inside}
    for code in listed:
        above = composed(filtered("concept", "generalizes", code))
        assert contains(library, above, SYSTEM, str(root)).inside


def test_a_map_translates_both_ways_and_says_what_it_does_with_the_rest() -> None:
    targets = [{"code": "x", "equivalence": "narrower"}, {"code": "y", "equivalence": "equal"}]
    group = {
        "source": SYSTEM,
        "target": "http://t",
        "element": [{"code": "a", "target": targets}],
        "unmapped": {"mode": "provided"},
    }
    made = ConceptMap.of({"resourceType": "ConceptMap", "url": "http://m", "group": [group]})
    assert [(each.equivalence, each.code) for each in made.translate(SYSTEM, "a")] == [
        ("narrower", "x"),
        ("equal", "y"),
    ]
    assert [(each.equivalence, each.code) for each in made.translate(SYSTEM, "q")] == [("equal", "q")]
    assert made.translate("http://t", "a") == []
    (back,) = made.translate("http://t", "x", reverse=True)
    assert (back.equivalence, back.system, back.code) == ("wider", SYSTEM, "a")
    assert made.translate(SYSTEM, "a", into="http://elsewhere") == []
