"""Set-up on screens: what is missing, each table, each entry with its history, and a table as text, tried first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from api.ui.views.times import Moment, moment
from api.ui.words import ZONE, Language, Words
from domain.setup.gaps import Gap
from domain.setup.kinds import Basis, Kind
from domain.setup.timeline import State, Version


@dataclass(frozen=True)
class GapRow:
    """stops: the process does not start without it."""

    text: str
    process: str
    href: str
    stops: bool


@dataclass(frozen=True)
class TableRow:
    href: str
    name: str
    entries: str
    planned: str
    waiting: str


@dataclass(frozen=True)
class SetupView:
    gaps: tuple[GapRow, ...]
    summary: str
    tables: tuple[TableRow, ...]


@dataclass(frozen=True)
class EntryRow:
    """tone: of the tag that says where the entry comes from."""

    href: str
    code: str
    name: str
    since: Moment
    basis: str
    tone: str


@dataclass(frozen=True)
class Trial:
    """A table as text and what came of it. tried: the sentence; errors: row, code, field, reason."""

    key: str
    columns: str
    values: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)
    tried: str = ""
    tone: str = "info"
    rows: tuple[tuple[str, str, str, str], ...] = ()


@dataclass(frozen=True)
class KindView:
    kind: str
    name: str
    q: str
    count: str
    entries: tuple[EntryRow, ...]
    more: str
    trial: Trial | None


@dataclass(frozen=True)
class VersionRow:
    number: int
    since: Moment
    until: Moment | None
    state: str
    who: str
    recorded: Moment
    reason: str
    ends: bool


@dataclass(frozen=True)
class EntryView:
    kind: str
    kind_name: str
    code: str
    name: str
    facts: tuple[tuple[str, str], ...]
    versions: tuple[VersionRow, ...]
    trial: Trial | None


def kind_name(words: Words, kind: Kind) -> str:
    _ = words.gettext
    return {
        Kind.HOSPITAL: _("The hospital"),
        Kind.DEPARTMENT: _("Departments"),
        Kind.PLACE: _("Wards, rooms, beds"),
        Kind.SPECIMEN: _("Specimens"),
        Kind.FEE: _("Prices"),
        Kind.LABORATORY: _("Laboratory tests"),
        Kind.IMAGING: _("Imaging"),
        Kind.MEDICINE: _("Medicines"),
        Kind.DIAGNOSIS: _("Diagnoses"),
        Kind.ORDER_SET: _("Order sets"),
        Kind.FORM: _("Forms"),
        Kind.DOCUMENT: _("Documents"),
    }[kind]


def process_name(words: Words, process: str) -> str:
    _ = words.gettext
    known = {
        "set-up": _("set-up"),
        "visit": _("visits"),
        "admission": _("admissions"),
        "orders": _("orders"),
        "claims": _("claims"),
    }
    return known.get(process, process)


def gap_rows(words: Words, found: Iterable[Gap]) -> tuple[GapRow, ...]:
    language = words.language.value
    rows = (GapRow(one.sentence(language), process_name(words, one.process), one.page, one.stops) for one in found)
    return tuple(sorted(rows, key=lambda row: not row.stops))


def table_row(words: Words, kind: Kind, entries: int, planned: int, waiting: int) -> TableRow:
    _, many = words.gettext, words.ngettext
    return TableRow(
        href=f"/setup/{kind.value}",
        name=kind_name(words, kind),
        entries=many("{count} entry", "{count} entries", entries).format(count=entries),
        planned=_("{count} planned").format(count=planned) if planned else "",
        waiting=_("{count} wait for approval").format(count=waiting) if waiting else "",
    )


def display(words: Words, content: Mapping[str, Any]) -> str:
    return str(content["name_ko" if words.language is Language.KO else "name_en"])


def entry_row(words: Words, one: Version) -> EntryRow:
    _ = words.gettext
    basis = {
        Basis.SOURCED: (_("sourced"), "done"),
        Basis.SAMPLE: (_("sample"), "soon"),
        Basis.OWN: (_("own"), "calm"),
    }
    text, tone = basis[one.basis]
    href = f"/setup/{one.kind.value}/{one.code}"
    return EntryRow(href, one.code, display(words, one.content or {}), _day(words, one.since), text, tone)


def _day(words: Words, at: datetime) -> Moment:
    """A day of master data, with its year; what a pack holds for ever begins in 1970."""
    local = at.astimezone(ZONE)
    short = local.date().isoformat() if local.year > 1970 else words.gettext("from the start")
    return Moment(at.isoformat(timespec="seconds"), short, f"{local:%Y-%m-%d %H:%M}")


def version_row(words: Words, one: Version, people: Mapping[str, str], now: datetime) -> VersionRow:
    _ = words.gettext
    states = {
        State.PROPOSED: _("waits for approval"),
        State.APPROVED: _("applies") if one.stands(now) else _("approved"),
        State.WITHDRAWN: _("withdrawn"),
    }
    return VersionRow(
        number=one.version,
        since=_day(words, one.since),
        until=_day(words, one.until) if one.until else None,
        state=states[one.state],
        who=people.get(one.recorded_by, one.recorded_by),
        recorded=moment(words, one.recorded_at, now),
        reason=one.reason,
        ends=one.content is None,
    )


def facts_of(head: Sequence[str], rows: Sequence[Sequence[str]]) -> tuple[tuple[str, str], ...]:
    """The columns of an entry with what stands in them; what repeats in its lines is said once."""
    told = []
    for at, name in enumerate(head):
        values = list(dict.fromkeys(row[at] for row in rows if row[at]))
        if values:
            told.append((name, " · ".join(values)))
    return tuple(told)


def trial_of(words: Words, report: Mapping[str, Any], trial: Trial) -> Trial:
    """What a table came to, tried or taken."""
    _ = words.gettext
    counts = {name: report[name] for name in ("new", "changed", "same")}
    said = _("{new} new, {changed} changed, {same} as they are.").format(**counts)
    if report["errors_found"]:
        told, tone = _("Nothing was taken: {count} rows are wrong.").format(count=report["errors_found"]), "refused"
    elif report["taken"]:
        told, tone = " ".join([_("The table is taken."), said]), "done"
    else:
        told, tone = " ".join([_("The table can be taken as it is."), said]), "info"
    errors = tuple((str(one["row"]), one["code"], one["field"], one["reason"]) for one in report["errors"])
    return Trial(trial.key, trial.columns, trial.values, trial.errors, told, tone, errors)
