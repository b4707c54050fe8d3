"""The XHTML of a narrative: formatting only, nothing that runs or loads (https://hl7.org/fhir/R4/narrative.html#xhtml).

Invariants txt-1 and txt-2, and our own refusal of addresses that a browser would execute. The parser is expat without
any document type, so there are no entities to expand. Whoever shows a narrative hands it to a browser as HTML, which
ends a CDATA section, an instruction and some comments at their first `>`: what is text here would be elements there.
"""

from __future__ import annotations

import re
from typing import Any
from xml.parsers import expat

NAMESPACE = "http://www.w3.org/1999/xhtml"
_ELEMENTS = (
    "a abbr acronym address area b bdo big blockquote br caption cite code col colgroup dd dfn div dl dt em h1 h2 h3 h4"
    " h5 h6 hr i img kbd li map ol p pre q s samp small span strong sub sup table tbody td tfoot th thead tr tt u ul"
    " var"
)
_ATTRIBUTES = (
    "abbr accesskey align alt axis border cellpadding cellspacing char charoff charset cite class clear cols colspan"
    " compact coords dir frame headers height href hreflang hspace id ismap lang longdesc name nowrap rel rev rows"
    " rowspan rules scope shape span src start style summary tabindex title type usemap valign value vspace width"
    " xml:lang xml:space xmlns"
)
ELEMENTS, ATTRIBUTES = frozenset(_ELEMENTS.split()), frozenset(_ATTRIBUTES.split())
_ADDRESSES = {"href", "src", "cite", "longdesc"}
_HARMLESS = re.compile(
    r"\s*(?:(?:https?|mailto|tel|ftp):|cid:|data:image/(?:png|gif|jpeg);|#|[^:]*(?:[/?#]|$))", re.IGNORECASE
)
_RUNS = re.compile(r"expression\s*\(|javascript:|url\s*\(|image-set\s*\(|@import|behavior\s*:|\\", re.IGNORECASE)


DEEPEST = 200
"""Elements in elements. The parser keeps each that is open, so that a few bytes take a hundred."""


class Unfit(Exception):
    """The narrative holds something that it may not."""


class Reader:
    """Follows the XML and raises `Unfit` at the first thing that has no place in it."""

    def __init__(self) -> None:
        self.depth = 0
        self.says_something = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if self.depth == 0 and name != "div":
            raise Unfit("its outermost element must be `div`")
        if name not in ELEMENTS:
            raise Unfit("it has an element that is not for formatting")
        self.depth += 1
        if self.depth > DEEPEST:
            raise Unfit(f"its elements nest deeper than {DEEPEST} levels")
        self.says_something |= name == "img"
        for attribute, value in attributes.items():
            check_attribute(attribute, value)

    def end(self, _: str) -> None:
        self.depth -= 1

    def text(self, data: str) -> None:
        if not self.says_something and not data.isspace():
            self.says_something = True


def check_attribute(name: str, value: str) -> None:
    if name not in ATTRIBUTES:
        raise Unfit("it has an attribute that is not for formatting")
    if name == "xmlns" and value != NAMESPACE:
        raise Unfit(f"its namespace must be {NAMESPACE}")
    if name in _ADDRESSES and not _HARMLESS.match(value):
        raise Unfit("it has an address that a browser would run")
    if name == "style" and _RUNS.search(value):
        raise Unfit("it has a style that a browser would run or load")


def wrong(div: str) -> str | None:
    """What is wrong with the content of `Narrative.div`; None if it is right."""
    reader = Reader()
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    parser.StartDoctypeDeclHandler = refuse_doctype
    parser.StartCdataSectionHandler = refuse_section
    parser.ProcessingInstructionHandler = refuse_section
    parser.CommentHandler = refuse_ending
    try:
        parser.Parse(div, True)
    except expat.ExpatError as error:
        return f"is not well-formed XHTML: {expat.ErrorString(error.code)} (line {error.lineno})"
    except Unfit as found:
        return f"is not a narrative: {found}"
    except UnicodeEncodeError:
        return "is not text"
    return None if reader.says_something else "is not a narrative: it says nothing"


def refuse_section(*_: Any) -> None:
    raise Unfit("it has a CDATA section or an instruction, which browsers read otherwise: write &lt; for a bracket")


def refuse_ending(comment: str) -> None:
    if comment.startswith((">", "->")):
        raise Unfit("it has a comment that ends early where browsers read it")


def refuse_doctype(*_: Any) -> None:
    raise Unfit("it declares a document type")


def fits(div: str) -> bool:
    """The same as the format of a JSON schema asks."""
    return wrong(div) is None
