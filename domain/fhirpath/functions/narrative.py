"""What a narrative may contain: XHTML's basic formatting and no more (hl7.org/fhir/R4/narrative.html#xhtml).

Read by expat, with declarations of entities refused: nothing is expanded and nothing is fetched.
"""

from __future__ import annotations

import re
from typing import Any, Final
from xml.parsers import expat

_TAGS: Final = frozenset({
    "a", "abbr", "acronym", "b", "big", "blockquote", "br", "caption", "cite", "code", "col", "colgroup", "dd", "dfn",
    "div", "dl", "dt", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "img", "li", "ol", "p", "pre", "q", "samp",
    "small", "span", "strong", "sub", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "tt", "ul", "var",
})  # fmt: skip
_EVERYWHERE: Final = frozenset({
    "title", "style", "class", "id", "lang", "xml:lang", "dir", "accesskey", "tabindex", "xmlns",
})  # fmt: skip
_OF_TABLES: Final = frozenset({
    "span", "width", "align", "valign", "char", "charoff", "abbr", "axis", "headers", "scope", "rowspan", "colspan",
    "summary", "border", "frame", "rules", "cellspacing", "cellpadding",
})  # fmt: skip
_BY_TAG: Final = {
    "a": frozenset({"name", "href", "charset", "type", "hreflang", "rel", "rev", "shape", "coords"}),
    "img": frozenset({"src", "alt", "longdesc", "height", "width", "usemap", "ismap"}),
    "q": frozenset({"cite"}),
    "blockquote": frozenset({"cite"}),
} | dict.fromkeys(
    ("table", "caption", "col", "colgroup", "thead", "tbody", "tfoot", "tr", "td", "th"),
    _OF_TABLES,
)
_ENTITY: Final = re.compile("[A-Za-z][A-Za-z0-9]{1,30}")


def allowed(div: str) -> bool:
    """One `div` of allowed tags and attributes, well-formed, with something in it to read."""
    reader = _Reader()
    try:
        reader.parser.Parse(div.encode(), True)
    except (expat.ExpatError, _NotAllowed, UnicodeEncodeError):
        return False
    return reader.content


class _NotAllowed(Exception):
    """Ends the reading at the first thing that a narrative must not have."""


class _Reader:
    def __init__(self) -> None:
        self.content = False
        self._depth = 0
        self.parser = expat.ParserCreate("utf-8")
        # HTML's entities (`&nbsp;`) are allowed and not defined in XML: as if a DTD had them, which is never fetched.
        self.parser.UseForeignDTD(True)
        self.parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_ALWAYS)
        self.parser.ExternalEntityRefHandler = self._declarations
        self.parser.SkippedEntityHandler = self._entity
        self.parser.StartDoctypeDeclHandler = self._doctype
        self.parser.EntityDeclHandler = self._refuse
        self.parser.ProcessingInstructionHandler = self._refuse
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text

    def _declarations(self, context: str | None, *_: Any) -> int:
        """The DTD that is as good as there: empty."""
        self.parser.ExternalEntityParserCreate(context).Parse(b"", True)
        return 1

    def _refuse(self, *_: Any) -> None:
        raise _NotAllowed

    def _doctype(self, name: str | None, *_: Any) -> None:
        if name is not None:
            raise _NotAllowed

    def _entity(self, name: str, parameter: bool) -> None:
        self.content = self.content or _ENTITY.fullmatch(name) is not None

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        if self._depth == 0 and tag != "div":
            raise _NotAllowed
        self._depth += 1
        names = _EVERYWHERE | _BY_TAG.get(tag, frozenset())
        # A link of a narrative must not run anything when somebody follows it.
        runs = any(value.strip().lower().startswith("javascript:") for value in attributes.values())
        if tag not in _TAGS or not attributes.keys() <= names or runs:
            raise _NotAllowed
        self.content = self.content or tag == "img"

    def _end(self, _tag: str) -> None:
        self._depth -= 1

    def _text(self, data: str) -> None:
        self.content = self.content or not data.isspace()
