"""FHIR's own functions of FHIRPath (hl7.org/fhir/R4/fhirpath.html#functions)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from domain import fhir
from domain.fhirpath.evaluation import Run
from domain.fhirpath.functions import narrative
from domain.fhirpath.functions.registry import eager, single, text_of
from domain.fhirpath.lexer import refused
from domain.fhirpath.model import known_type, named_types
from domain.fhirpath.navigation import member
from domain.fhirpath.nodes import Node, Nodes, literal, node_of, truth

_DEFINITIONS: Final = "http://hl7.org/fhir/StructureDefinition/"
_LITERAL: Final = re.compile(
    r"(?:https?://[^\s#?|]+/)?([A-Z][A-Za-z]+)/([A-Za-z0-9\-.]{1,64})(?:/_history/[A-Za-z0-9\-.]{1,64})?"
)

_extensions = member("extension")
_modifiers = member("modifierExtension")
_reference = member("reference")
_target_type = member("type")


@eager("extension", 1)
def extension(_run: Run, focus: Nodes, arguments: Sequence[Nodes], at: int) -> Nodes:
    url = text_of(arguments[0], at)
    return [node for node in _extensions(focus) if node.value.__class__ is dict and node.value.get("url") == url]


@eager("hasValue")
def has_value(_run: Run, focus: Nodes, _arguments: Sequence[Nodes], _at: int) -> Nodes:
    return truth(len(focus) == 1 and focus[0].system is not None and focus[0].value.__class__ is not dict)


@eager("getValue")
def get_value(_run: Run, focus: Nodes, _arguments: Sequence[Nodes], _at: int) -> Nodes:
    value = focus[0].system if len(focus) == 1 and focus[0].value.__class__ is not dict else None
    return [] if value is None else [literal(value)]


@eager("checkModifiers", 0, 50)
def check_modifiers(_run: Run, focus: Nodes, arguments: Sequence[Nodes], at: int) -> Nodes:
    """The input, unless one of it is changed in meaning by an extension that is not named."""
    known = {text_of(argument, at) for argument in arguments}
    for node in _modifiers(focus):
        if node.value.__class__ is not dict or node.value.get("url") not in known:
            raise refused("a modifier extension that is not known", at)
    return focus


@eager("htmlChecks")
def html_checks(_run: Run, focus: Nodes, _arguments: Sequence[Nodes], _at: int) -> Nodes:
    """Whether it is a narrative as invariants txt-1 and txt-2 ask for."""
    return truth(all(isinstance(node.value, str) and narrative.allowed(node.value) for node in focus)) if focus else []


@eager("conformsTo", 1)
def conforms_to(run: Run, focus: Nodes, arguments: Sequence[Nodes], at: int) -> Nodes:
    """HL7's own types are known; any other profile is asked of whoever evaluates."""
    node, url = single(focus, at), text_of(arguments[0], at)
    if node is None or url is None:
        return []
    base = url.partition("|")[0]
    if base.startswith(_DEFINITIONS) and (types := named_types(f"FHIR.{base.removeprefix(_DEFINITIONS)}")):
        return truth(node.type.is_a(types[0]))
    if run.conforms_to is None:
        raise refused("the profile is not known here", at)
    return truth(run.conforms_to(node.value, url))


@eager("memberOf", 1)
def member_of(run: Run, focus: Nodes, arguments: Sequence[Nodes], at: int) -> Nodes:
    """By HL7's enumerated value sets, or by whoever evaluates. Empty where nobody knows the set."""
    node, url = single(focus, at), text_of(arguments[0], at)
    if node is None or url is None:
        return []
    if run.member_of is not None:
        return truth(run.member_of(node.value, url))
    codes = fhir.value_set_codes(url.partition("|")[0])
    return [] if codes is None else truth(_is_one_of(node.value, codes))


def _is_one_of(value: Any, codes: Mapping[str, frozenset[str]]) -> bool:
    if isinstance(value, str):
        return any(value in each for each in codes.values())
    if not isinstance(value, dict):
        return False
    if isinstance(codings := value.get("coding"), list):
        return any(_is_one_of(each, codes) for each in codings)
    return isinstance(value.get("code"), str) and value["code"] in codes.get(str(value.get("system")), ())


@eager("resolve")
def resolve(run: Run, focus: Nodes, _arguments: Sequence[Nodes], _at: int) -> Nodes:
    """What references point at: contained resources, entries of the bundle, then whatever `resolve` finds.

    With nobody to ask, a literal reference gives a resource that has its type and id and nothing else: enough for
    `subject.where(resolve() is Patient)`, which is how R4's search parameters ask for the type.
    """
    run.spend(len(focus))
    found: Nodes = []
    for node in focus:
        target = _resolved(run, node)
        if target is not None:
            found.append(target)
    return found


def _resolved(run: Run, node: Node) -> Node | None:
    url: str | None
    if isinstance(node.value, str):
        url, declared = node.value, None
    else:
        url, declared = _first_text(_reference([node])), _first_text(_target_type([node]))
    if url is None:
        return Node({"resourceType": declared}, known_type(declared)) if declared in fhir.resource_types() else None
    if url.startswith("#"):
        return _contained(run, url[1:])
    if (entry := _entry(run, url)) is not None:
        return entry
    if run.resolve is not None:
        resource = run.resolve(url)
        return None if resource is None else node_of(resource)
    match = _LITERAL.fullmatch(url)
    if match is not None and match.group(1) in fhir.resource_types():
        stub = {"resourceType": match.group(1), "id": match.group(2)}
        return Node(stub, known_type(match.group(1)))
    return Node({"resourceType": declared}, known_type(declared)) if declared in fhir.resource_types() else None


def _first_text(nodes: Nodes) -> str | None:
    return nodes[0].value if nodes and isinstance(nodes[0].value, str) else None


def _contained(run: Run, anchor: str) -> Node | None:
    resource = run.root.value
    if not isinstance(resource, dict):
        return None
    if not anchor:
        return run.root
    contained = resource.get("contained")
    for each in contained if isinstance(contained, list) else ():
        if isinstance(each, dict) and each.get("id") == anchor:
            return node_of(each)
    return None


def _entry(run: Run, url: str) -> Node | None:
    """A resource of the bundle itself, by its fullUrl (hl7.org/fhir/R4/bundle.html#references)."""
    bundle = run.root.value
    if not isinstance(bundle, dict) or bundle.get("resourceType") != "Bundle":
        return None
    entries = bundle.get("entry")
    for entry in entries if isinstance(entries, list) else ():
        run.spend(1)
        if isinstance(entry, dict) and entry.get("fullUrl") == url and isinstance(entry.get("resource"), dict):
            return node_of(entry["resource"])
    return None
