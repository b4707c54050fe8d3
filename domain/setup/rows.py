"""Rows of a table as entries, and entries as rows.

A kind's columns are the fields of its content between `code` and the columns that every kind has: from when, to when,
and where it comes from. Dates are days in Korea; `valid_to` is the last day. Order sets and forms have a row for each
line, with the head repeated.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

from pydantic import BaseModel, ValidationError

from domain.setup.contents import MODELS, said
from domain.setup.kinds import CODE, Basis, Content, Kind
from domain.setup.sheets import Form, OrderLine, OrderSet, Question

KOREA = timezone(timedelta(hours=9))
"""Without summer time since 1988."""

_FRAME = ("valid_from", "valid_to", "basis", "source")
_LINES: Mapping[Kind, type[BaseModel]] = {Kind.ORDER_SET: OrderLine, Kind.FORM: Question}


@dataclass(frozen=True)
class RowError:
    """`row` as a spreadsheet counts; `field`: the column, empty for the whole row."""

    row: int
    code: str
    field: str
    reason: str


@dataclass(frozen=True)
class Wanted:
    """An entry as a table asks for it. `row`: its first. since None: from now on, or as the import says."""

    row: int
    kind: Kind
    code: str
    content: Content
    since: datetime | None
    until: datetime | None
    basis: Basis
    source: str


def columns(kind: Kind) -> tuple[str, ...]:
    """The head of a kind's table."""
    own = [name for name in MODELS[kind].model_fields if name != "lines"]
    line = list(_LINES[kind].model_fields) if kind in _LINES else []
    texts = [name for name in line if name.startswith("text_")]
    rest = [name for name in line if not name.startswith("text_")]
    return ("code", *own, *rest, *texts, *_FRAME)


def unknown(kind: Kind, head: Sequence[str]) -> list[RowError]:
    """What is wrong with a head: columns that nobody knows, and such as are missing."""
    known = columns(kind)
    errors = [RowError(1, "", name, "no such column") for name in head if name not in known]
    needed = ["code", *(name for name, field in MODELS[kind].model_fields.items() if field.is_required())]
    missing = [name for name in needed if name not in head and name != "lines"]
    return errors + [RowError(1, "", name, "this column is missing") for name in missing]


def read(kind: Kind, rows: Iterable[tuple[int, Mapping[str, str]]]) -> tuple[list[Wanted], list[RowError]]:
    """Every entry that can be read, and every row that cannot, each with its first reason."""
    wanted: list[Wanted] = []
    errors: list[RowError] = []
    seen: dict[tuple[str, datetime | None], int] = {}
    for group in _grouped(kind, rows, errors):
        number, code = group[0][0], group[0][1]["code"]
        found = _one(kind, group)
        if isinstance(found, RowError):
            errors.append(found)
            continue
        if (first := seen.setdefault((code, found.since), number)) != number:
            errors.append(RowError(number, code, "code", f"row {first} says it already"))
            continue
        wanted.append(found)
    return wanted, sorted(errors, key=lambda error: error.row)


def written(kind: Kind, code: str, content: Content, frame: Mapping[str, str]) -> list[list[str]]:
    """The rows of an entry, in the order of `columns`. `frame`: the columns that every kind has."""
    head = {name: _cell(getattr(content, name)) for name in type(content).model_fields if name != "lines"}
    lines = getattr(content, "lines", ()) if isinstance(content, (OrderSet, Form)) else (None,)
    made = []
    for line in lines:
        cells = {"code": code, **head, **frame}
        if line is not None:
            cells |= {name: _cell(getattr(line, name)) for name in type(line).model_fields}
        made.append([cells.get(name, "") for name in columns(kind)])
    return made


def day(at: datetime) -> str:
    return at.astimezone(KOREA).date().isoformat()


def frame_of(since: datetime | None, until: datetime | None, basis: Basis, source: str) -> dict[str, str]:
    """`valid_to` is the last day that is wholly within."""
    last = day(until - timedelta(microseconds=1)) if until else ""
    return {"valid_from": day(since) if since else "", "valid_to": last, "basis": basis.value, "source": source}


def _grouped(
    kind: Kind, rows: Iterable[tuple[int, Mapping[str, str]]], errors: list[RowError]
) -> list[list[tuple[int, Mapping[str, str]]]]:
    """Rows by entry, in order; for kinds with lines the rows of one code stand together."""
    groups: list[list[tuple[int, Mapping[str, str]]]] = []
    for number, cells in rows:
        code = cells.get("code", "")
        if not CODE.fullmatch(code):
            errors.append(RowError(number, code[:50], "code", "letters, digits, '-' and '.', 50 at most"))
        elif kind in _LINES and groups and groups[-1][0][1]["code"] == code:
            groups[-1].append((number, cells))
        else:
            groups.append([(number, cells)])
    return groups


def _one(kind: Kind, group: Sequence[tuple[int, Mapping[str, str]]]) -> Wanted | RowError:
    number, cells = group[0]
    code = cells["code"]
    raw: dict[str, Any] = _given(MODELS[kind], cells)
    if line := _LINES.get(kind):
        raw["lines"] = [_given(line, each) for _, each in group]
        for later, each in group[1:]:
            if _given(MODELS[kind], each) != {name: value for name, value in raw.items() if name != "lines"}:
                return RowError(later, code, "", f"the head differs from that of row {number}")
    try:
        content = MODELS[kind].model_validate(raw)
    except ValidationError as wrong:
        field, reason = said(wrong)
        at, _, inner = field.removeprefix("lines/").partition("/")
        if field.startswith("lines/") and at.isdigit():
            return RowError(group[int(at)][0], code, inner, reason)
        return RowError(number, code, field, reason)
    return _framed(kind, number, code, content, cells)


def _framed(kind: Kind, number: int, code: str, content: Content, cells: Mapping[str, str]) -> Wanted | RowError:
    days: dict[str, date | None] = {}
    for name in ("valid_from", "valid_to"):
        try:
            days[name] = date.fromisoformat(cells[name]) if cells.get(name) else None
        except ValueError:
            return RowError(number, code, name, "write a day as 2026-12-31")
    since, last = days["valid_from"], days["valid_to"]
    if since and last and last < since:
        return RowError(number, code, "valid_to", "it ends before it begins")
    basis = cells.get("basis") or Basis.OWN
    if basis not in set(Basis):
        return RowError(number, code, "basis", f"one of {', '.join(Basis)}")
    source = cells.get("source", "")
    if basis == Basis.SOURCED and not source:
        return RowError(number, code, "source", "what is sourced names its source")
    begins = midnight(since) if since else None
    ends = midnight(last + timedelta(days=1)) if last else None
    return Wanted(number, kind, code, content, begins, ends, Basis(basis), source)


def midnight(of: date) -> datetime:
    """The beginning of a day in Korea."""
    return datetime(of.year, of.month, of.day, tzinfo=KOREA)


def _given(model: type[BaseModel], cells: Mapping[str, str]) -> dict[str, Any]:
    """The cells that say something: an empty one leaves its field to the default."""
    return {name: cells[name] for name in model.model_fields if name != "lines" and cells.get(name)}


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Decimal):
        return format(value, "f")
    return "" if value is None else str(value)
