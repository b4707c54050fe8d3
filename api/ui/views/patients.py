"""Patients on screens: rows of a search, the form of the desk, one patient's page, requests to merge."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from adapters.fhir.patient import KIND
from api.ui.views.names import Names
from api.ui.views.people import PatientView, patient_view
from api.ui.views.stays import Choice
from api.ui.views.times import Moment, moment
from api.ui.words import Words
from domain import resident_numbers
from domain.ids import Reference
from domain.patients import Insurance, Kin, Kind
from store.patient_merges import Asked, Reason, State

Body = Mapping[str, Any]


@dataclass(frozen=True)
class Mark:
    """A tag beside a name. tone, icon: of the design language."""

    text: str
    tone: str
    icon: str


@dataclass(frozen=True)
class PatientRow:
    """One patient of a list. sensitive: a purpose must be stated first, so that nothing else is shown."""

    reference: str
    href: str
    view: PatientView
    other_name: str
    number: str
    marks: tuple[Mark, ...]
    sensitive: bool = False


@dataclass(frozen=True)
class SearchView:
    """asked: something was searched for.  error: beside the field."""

    values: Mapping[str, str]
    errors: Mapping[str, str]
    asked: bool
    rows: tuple[PatientRow, ...]
    count: str
    more: str
    may_register: bool
    sees_numbers: bool
    register_href: str


@dataclass(frozen=True)
class Line:
    label: str
    text: str


@dataclass(frozen=True)
class PatientPage:
    """groups: what is known, under headings.  stays: their address and what they are."""

    row: PatientRow
    version: int
    groups: tuple[tuple[str, tuple[Line, ...]], ...]
    stays: tuple[tuple[str, str, str], ...]
    history: tuple[tuple[Moment, str], ...]
    waiting: str
    replaced_by: str
    may_correct: bool
    may_merge: bool
    may_admit: bool
    may_register: bool
    reasons: tuple[Choice, ...]
    key: str
    values: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class MergeRow:
    id: str
    source: PatientRow
    target: PatientRow
    reason: str
    asked: str
    asked_at: Moment
    own: bool
    decided: str
    decided_at: Moment | None


def patient_row(words: Words, reference: str, body: Body | None, now: datetime) -> PatientRow:
    _ = words.gettext
    id_ = Reference(reference).id
    if body is None:
        view = PatientView(
            name=_("Sensitive record"), line=_("Say what you need it for, then it opens."), birth="", phone=""
        )
        return PatientRow(reference, f"/patients/{id_}/purpose?next=/patients/{id_}", view, "", "", (), sensitive=True)
    names = [str(each["text"]) for each in body.get("name", []) if each.get("text")]
    view = patient_view(words, body, now)
    other = next((each for each in names if each != view.name), "")
    return PatientRow(reference, f"/patients/{id_}", view, other, number_of(body), tuple(_marks(words, body)))


def number_of(body: Body) -> str:
    """The hospital's own number; empty for none."""
    for each in body.get("identifier", []):
        if any(coding.get("code") == "MR" for coding in each.get("type", {}).get("coding", [])):
            return str(each.get("value", ""))
    return ""


def kind_of(body: Body) -> Kind:
    tags = [each.get("code") for each in body.get("meta", {}).get("tag", []) if each.get("system") == KIND]
    return Kind(tags[0]) if tags and tags[0] in set(Kind) else Kind.RESIDENT


def _marks(words: Words, body: Body) -> Iterable[Mark]:
    _ = words.gettext
    kinds = {
        Kind.FOREIGNER: Mark(_("foreigner"), "info", "foreigner"),
        Kind.NEWBORN: Mark(_("newborn"), "info", "baby"),
        Kind.UNKNOWN: Mark(_("identity unknown"), "soon", "unknown"),
    }
    if (mark := kinds.get(kind_of(body))) is not None:
        yield mark
    if any(each.get("type") == "replaced-by" for each in body.get("link", [])):
        yield Mark(_("merged into another record"), "calm", "merge")
    elif body.get("active") is False:
        yield Mark(_("not in use"), "calm", "hidden")
    if body.get("deceasedBoolean") or body.get("deceasedDateTime"):
        yield Mark(_("deceased"), "calm", "info")


def groups(words: Words, body: Body, covers: Sequence[Body]) -> tuple[tuple[str, tuple[Line, ...]], ...]:
    """What is known, under headings; a heading without a line is left out."""
    _ = words.gettext
    told = {
        _("Identity"): [*_identity(words, body)],
        _("How to reach"): [
            *(Line(_("Telephone"), str(each["value"])) for each in body.get("telecom", []) if "value" in each),
            *(Line(_("Address"), str(each["text"])) for each in body.get("address", []) if each.get("text")),
        ],
        _("Contact"): [*_contacts(words, body)],
        _("Who pays"): [*_covers(words, covers)],
    }
    return tuple((title, tuple(lines)) for title, lines in told.items() if lines)


def _identity(words: Words, body: Body) -> Iterable[Line]:
    _ = words.gettext
    if number := number_of(body):
        yield Line(_("Patient number"), number)
    for each in body.get("identifier", []):
        codes = {coding.get("code") for coding in each.get("type", {}).get("coding", [])}
        old = " " + _("(earlier)") if each.get("use") == "old" else ""
        if resident_numbers.named(each):
            yield Line(_("Resident number"), f"{each.get('value', '')}{old}")
        elif "PPN" in codes:
            yield Line(_("Passport"), f"{each.get('value', '')}{old}")
        elif "MR" in codes and old:
            yield Line(_("Patient number"), f"{each.get('value', '')}{old}")
    for each in body.get("extension", []):
        for inner in each.get("extension", []):
            codings = inner.get("valueCodeableConcept", {}).get("coding", [])
            if str(each.get("url", "")).endswith("patient-nationality") and codings:
                yield Line(_("Nationality"), country(words, str(codings[0].get("code", ""))))


def country(words: Words, code: str) -> str:
    """A country's name in the reader's language; the code where it is none."""
    return str(words.locale.territories.get(code, code))


def _contacts(words: Words, body: Body) -> Iterable[Line]:
    known = dict(kin_names(words))
    for each in body.get("contact", []):
        codes = [coding.get("code") for kind in each.get("relationship", []) for coding in kind.get("coding", [])]
        kin = next((known[Kin(code)] for code in codes if code in set(Kin)), words.gettext("Contact"))
        phones = [str(one["value"]) for one in each.get("telecom", []) if "value" in one]
        yield Line(kin, " · ".join([str(each.get("name", {}).get("text", "")), *phones]))


def _covers(words: Words, covers: Sequence[Body]) -> Iterable[Line]:
    known = dict(insurance_names(words))
    for each in covers:
        codes = [coding.get("code") for coding in each.get("type", {}).get("coding", [])]
        name = next((known[Insurance(code)] for code in codes if code in set(Insurance)), words.gettext("Insurance"))
        since = str(each.get("period", {}).get("start", ""))
        parts = [str(each.get("subscriberId", "")), f"{since} ~" if since else ""]
        yield Line(name, " · ".join(part for part in parts if part) or words.gettext("no number given"))


def kin_names(words: Words) -> list[tuple[Kin, str]]:
    _ = words.gettext
    return [
        (Kin.SPOUSE, _("spouse")),
        (Kin.PARENT, _("parent")),
        (Kin.CHILD, _("child")),
        (Kin.SIBLING, _("brother or sister")),
        (Kin.GUARDIAN, _("guardian")),
        (Kin.FRIEND, _("somebody else")),
    ]


def insurance_names(words: Words) -> list[tuple[Insurance, str]]:
    _ = words.gettext
    return [
        (Insurance.NATIONAL, _("National Health Insurance")),
        (Insurance.AID_1, _("Medical Aid, type 1")),
        (Insurance.AID_2, _("Medical Aid, type 2")),
        (Insurance.WORK, _("industrial accident insurance")),
        (Insurance.CAR, _("car insurance")),
        (Insurance.NONE, _("pays alone")),
    ]


def merge_reasons(words: Words) -> tuple[Choice, ...]:
    _ = words.gettext
    return (
        Choice(Reason.DOCUMENT.value, _("I have seen a document of identity")),
        Choice(Reason.TWICE.value, _("The same person was registered twice by mistake")),
        Choice(Reason.IDENTIFIED.value, _("It is now known who the unknown patient is")),
        Choice(Reason.NEWBORN.value, _("The newborn now has a name and a record of its own")),
    )


def merge_row(
    words: Words, asked: Asked, rows: Mapping[str, PatientRow], names: Names, *, me: str, now: datetime
) -> MergeRow:
    _ = words.gettext
    reasons = {each.value: each.label for each in merge_reasons(words)}
    said = _("merged by {name}") if asked.state is State.MERGED else _("refused by {name}")
    return MergeRow(
        id=str(asked.id),
        source=rows[asked.source],
        target=rows[asked.target],
        reason=reasons[asked.reason.value],
        asked=names.person(asked.asked_by),
        asked_at=moment(words, asked.asked_at, now),
        own=asked.asked_by == me,
        decided=said.format(name=names.person(asked.decided_by)) if asked.decided_by else "",
        decided_at=moment(words, asked.decided_at, now) if asked.decided_at else None,
    )


def changed(words: Words, new: Body, old: Body | None) -> str:
    """What a version changed, in words."""
    _ = words.gettext
    if old is None:
        return _("registered")
    if any(each.get("type") == "replaced-by" for each in new.get("link", [])):
        return _("merged into another record")
    parts = {
        _("name"): ("name",),
        _("numbers"): ("identifier",),
        _("sex"): ("gender",),
        _("date of birth"): ("birthDate", "_birthDate"),
        _("how to reach"): ("telecom", "address"),
        _("contact"): ("contact",),
        _("links to other records"): ("link",),
    }
    told = [name for name, elements in parts.items() if any(new.get(each) != old.get(each) for each in elements)]
    return _("changed: {what}").format(what=", ".join(told)) if told else _("changed")
