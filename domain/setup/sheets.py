"""Order sets, forms and documents: several lines under one name."""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from domain.setup.kinds import Code, Content, Kind, Ref

Text = Annotated[str, StringConstraints(min_length=1, max_length=300)]

_ORDERED = {"laboratory": Kind.LABORATORY, "imaging": Kind.IMAGING, "medicine": Kind.MEDICINE}
_OPTION = re.compile(r"(?P<code>[a-z0-9][a-z0-9-]{0,30})=(?P<ko>[^/;=]{1,60})/(?P<en>[^/;=]{1,60})")

FIELDS = frozenset(
    {"hospital.name", "hospital.phone", "hospital.address", "hospital.agency_number"}
    | {"patient.name", "patient.number", "patient.birth_date", "patient.age", "patient.sex", "patient.allergies"}
    | {"stay.ward", "stay.bed", "stay.admitted", "stay.discharged", "stay.physician", "stay.department"}
    | {"order.name", "order.specimen", "order.collected_at", "order.medicines"}
    | {"bill.lines", "bill.total", "bill.paid", "summary.text", "document.date", "document.number"}
)
"""What a document's template may name between braces."""

_FIELD = re.compile(r"\{([^{}]*)\}")


class Line(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    text_ko: Text
    text_en: Text


class OrderLine(Line):
    """`item`: the code of what is ordered; for care a word of its own."""

    item_kind: Literal["laboratory", "imaging", "medicine", "care"]
    item: Code


class OrderSet(Content):
    """What is usually ordered together, for an admission or a visit."""

    kind: Literal["admission", "visit"]
    lines: Annotated[tuple[OrderLine, ...], Field(min_length=1, max_length=200)]

    @model_validator(mode="after")
    def _once(self) -> Self:
        named = [(line.item_kind, line.item) for line in self.lines]
        if len(set(named)) != len(named):
            raise ValueError("an order stands in a set once")
        return self

    def needs(self) -> tuple[Ref, ...]:
        return tuple(Ref("item", kind, line.item) for line in self.lines if (kind := _ORDERED.get(line.item_kind)))


class Question(Line):
    """`options`: `code=한국어/English`, separated by semicolons, for a choice."""

    item: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,40}$")]
    type: Literal["boolean", "integer", "decimal", "date", "string", "text", "choice"]
    required: bool = False
    options: Annotated[str, StringConstraints(max_length=1000)] = ""

    @model_validator(mode="after")
    def _choices(self) -> Self:
        if (self.type == "choice") != bool(self.options):
            raise ValueError("options: a choice has them, nothing else does")
        codes = [code for code, _, _ in self.choices]
        if len(set(codes)) != len(codes):
            raise ValueError("options: two have the same code")
        return self

    @property
    def choices(self) -> tuple[tuple[str, str, str], ...]:
        """Code, Korean, English."""
        found = []
        for part in filter(None, (each.strip() for each in self.options.split(";"))):
            read = _OPTION.fullmatch(part)
            if read is None:
                raise ValueError(f"options: write {part[:40]} as code=한국어/English")
            found.append((read["code"], read["ko"], read["en"]))
        return tuple(found)


class Form(Content):
    """A form that patients or nurses fill in."""

    use: Literal["admission", "visit", "record", "check", "discharge", "handover"]
    lines: Annotated[tuple[Question, ...], Field(min_length=1, max_length=200)]

    @model_validator(mode="after")
    def _once(self) -> Self:
        named = [line.item for line in self.lines]
        if len(set(named)) != len(named):
            raise ValueError("two questions have the same item")
        return self


class Document(Content):
    """A template of something printed. Names between braces are filled in; which there are, `FIELDS` says."""

    use: Literal["wristband", "label", "prescription", "receipt", "summary", "certificate", "referral", "consent"]
    width_mm: Annotated[int, Field(ge=20, le=420)]
    height_mm: Annotated[int, Field(ge=10, le=594)]
    text_ko: Annotated[str, StringConstraints(min_length=1, max_length=10_000)]
    text_en: Annotated[str, StringConstraints(min_length=1, max_length=10_000)]

    @model_validator(mode="after")
    def _fillable(self) -> Self:
        for text in (self.text_ko, self.text_en):
            if strange := sorted(set(_FIELD.findall(text)) - FIELDS):
                raise ValueError(f"nothing is known that is called {{{strange[0][:40]}}}")
            if "{" in _FIELD.sub("", text) or "}" in _FIELD.sub("", text):
                raise ValueError("a brace stands alone")
        return self
