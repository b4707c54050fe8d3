"""Code systems, value sets and concept maps as they are asked: looked up, validated, expanded, translated.

Pure: whoever asks brings a `Library`, in which everything that a question needs has been found.
hl7.org/fhir/R4/terminology-module.html
"""

from domain.terminology.canonicals import Canonical, newest
from domain.terminology.concept_maps import ConceptMap, Match
from domain.terminology.concepts import CodeSystem, Concept
from domain.terminology.expansion import Expanded, Member, Wanted, expand
from domain.terminology.grammars import grammar
from domain.terminology.languages import Languages
from domain.terminology.library import Library, Pinned, Shelves
from domain.terminology.membership import Verdict, contains
from domain.terminology.value_sets import Part, ValueSet

__all__ = [
    "Canonical",
    "CodeSystem",
    "Concept",
    "ConceptMap",
    "Expanded",
    "Languages",
    "Library",
    "Match",
    "Member",
    "Part",
    "Pinned",
    "Shelves",
    "ValueSet",
    "Verdict",
    "Wanted",
    "contains",
    "expand",
    "grammar",
    "newest",
]
