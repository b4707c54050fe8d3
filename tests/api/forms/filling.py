"""Every form of the screens, found in the routes themselves, and what people, scripts and broken browsers put into it.

A form begins as a person fills it in (`tests.api.matrix.routes`); one that nobody has described yet begins with words
in all its fields. Then some fields are taken away, given twice, or filled with what does not belong there.
"""

from __future__ import annotations

from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlencode

from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts
from hypothesis import strategies as st

from api import app
from api.strict import fields_of
from tests.api.matrix.routes import _fields as as_people_fill_it
from tests.api.matrix.world import Targets

Form = list[tuple[str, str]]

PROGRAMS = ("/commands", "/auth")
"""Addresses that no form leads to."""

HOSTILE = (
    "", " ", "\x00", "\u202e", "\ud83d\ude00", "0", "-1", "9" * 40, "1e999", "NaN", "null", "[]", "true", "|",
    "9999-12-31T23:59", "0001-01-01T00:00", "2026-11-24T10:00+99:00", "../../etc/passwd", "Patient/", "/", "\t",
    "a" * 300, "가" * 4000, "<script>alert(1)</script>", "{{7*7}}", "${7*7}", "%s%n", "'; drop table account; --", "@",
    "\r\nSet-Cookie: a=b", "=cmd()", "nurse@nowhere", "00000000-0000-0000-0000-000000000000", "x@y@z", "\\",
    "Location/..", "2026-02-30T99:99",
)  # fmt: skip


@dataclass(frozen=True)
class Found:
    """A form's route and the names of its fields."""

    path: str
    fields: frozenset[str]


def forms() -> list[Found]:
    """Of every route of a screen that changes something, as they are served now: a new one appears by itself."""
    served = FastAPI()
    for router in app._ROUTERS:
        served.include_router(router)
    found = []
    for context in iter_route_contexts(served.routes):
        route = context.original_route
        path = context.path_format or ""
        if (
            isinstance(route, APIRoute)
            and "POST" in (context.methods or ())
            and not path.startswith(("/commands", "/auth"))
        ):
            found.append(Found(path, fields_of(route)))
    return found


def filled(form: Found, of: Targets, now: Any) -> dict[str, Any]:
    """Each field as somebody would fill it in."""
    known = as_people_fill_it(("POST", form.path), of, now)
    return {name: known.get(name, "words") for name in form.fields if name in known or name not in _OPTIONAL}


_OPTIONAL = frozenset({"csrf", "show", "next", "again", "remark", "for"})


def spoilt(good: dict[str, Any], names: list[str]) -> st.SearchStrategy[Form]:
    """The form with some of it wrong."""
    texts = st.one_of(st.sampled_from(HOSTILE), st.text(max_size=60))
    change = st.tuples(st.sampled_from(names or ["nothing"]), st.sampled_from(("drop", "replace", "twice")), texts)

    def apply(changes: list[tuple[str, str, str]]) -> Form:
        fields = {name: [str(value)] for name, value in good.items()}
        for name, how, text in changes:
            match how:
                case "drop":
                    fields.pop(name, None)
                case "replace":
                    fields[name] = [text]
                case _:
                    fields.setdefault(name, []).append(text)
        return [(name, value) for name, values in fields.items() for value in values]

    return st.lists(change, min_size=1, max_size=3).map(apply)


def encoded(form: Form) -> bytes:
    return urlencode(form, errors="surrogatepass").encode()


class Said(HTMLParser):
    """What a page says is wrong: fields that are marked, with the sentence that they name; sentences of a message."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.described: set[str] = set()
        self.sentences: dict[str, str] = {}
        self._in: str | None = None
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.described.update((given.get("aria-describedby") or "").split())
        if "error" in (given.get("class") or "").split():
            named = given.get("data-field")
            if named is None and given.get("role") == "alert":
                named = "head of the form"
            self._in = f"field {named}" if named is not None else given.get("id") or "nowhere"
            self.sentences.setdefault(self._in, "")
        elif tag == "td" and given.get("data-label") == "Why":  # a table that was taken in names row, column and reason
            self._in = "field of a row"
            self.sentences.setdefault(self._in, "")

    def handle_endtag(self, tag: str) -> None:
        if tag in {"p", "td"}:
            self._in = None

    def handle_data(self, data: str) -> None:
        if self._in is not None:
            self.sentences[self._in] += data.strip()

    @property
    def beside_a_field(self) -> bool:
        """Whether a sentence stands beside a field, names it, or stands at the head of the form as an alert."""
        return any(
            text and (where in self.described or where.startswith("field ")) for where, text in self.sentences.items()
        )
