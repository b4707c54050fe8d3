"""The desk's form: registering a person, with likely duplicates shown before anything is written, and correcting."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any
from uuid import uuid4

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from api.caller import Caller
from api.care import refuse_beyond
from api.commands.patients.correcting import coverages, submit_correction
from api.commands.patients.finding import visible
from api.commands.patients.registering import submit_registration
from api.commands.patients.shapes import Correction, Registration, lacking
from api.deps import allow
from api.present import present
from api.state import AppState, State
from api.ui import pages
from api.ui.routes.patients import rows_of
from api.ui.views.patient_form import patient_form
from api.ui.views.patients import kind_of
from api.ui.words import ZONE
from domain.errors import Invalid, LikelyDuplicate
from domain.ids import Reference
from domain.patients import Kind
from rules.access import Action
from store import records
from store.search.links import survivors

router = APIRouter(include_in_schema=False)


class Typed(BaseModel):
    """What was typed, as it was typed: it comes back with what is wrong beside each field."""

    model_config = ConfigDict(str_strip_whitespace=True, str_max_length=400)

    key: Annotated[str, Field(pattern=r"^[\x21-\x7e]{1,80}$")]
    csrf: str = ""
    version: int = 0
    kind: Kind = Kind.RESIDENT
    mother: str = ""
    none_of: list[str] = []  # pydantic copies it
    name: str = ""
    latin_name: str = ""
    gender: str = ""
    birth_date: str = ""
    age: str = ""
    born_at: str = ""
    order_of_birth: str = ""
    resident_number: str = ""
    passport: str = ""
    nationality: str = ""
    phone: str = ""
    address: str = ""
    contact_name: str = ""
    contact_relationship: str = ""
    contact_phone: str = ""
    cover_insurance: str = ""
    cover_subscriber: str = ""
    cover_since: str = ""

    @property
    def values(self) -> dict[str, str]:
        return self.model_dump(exclude={"key", "csrf", "none_of", "version", "kind"})

    def as_details(self) -> dict[str, Any]:
        """As the commands want it; what was left empty is left out."""
        plain = ("name", "latin_name", "gender", "birth_date", "age", "order_of_birth", "resident_number", "address")
        told = {name: value for name in (*plain, "nationality", "phone") if (value := self.values[name])}
        details: dict[str, Any] = told | {"kind": self.kind}
        if self.passport:
            details["passport"] = self.passport.upper()
        if self.born_at:
            details["born_at"] = _aware(self.born_at)
        if self.contact_name or self.contact_relationship or self.contact_phone:
            contact = {"name": self.contact_name, "relationship": self.contact_relationship}
            details["contact"] = contact | {"phone": self.contact_phone}
        if self.cover_insurance or self.cover_subscriber or self.cover_since:
            cover = {"insurance": self.cover_insurance, "subscriber": self.cover_subscriber}
            details["cover"] = cover | {"since": self.cover_since}
        return details


def _aware(typed: str) -> str:
    """A time as `datetime-local` gives it, which is the hospital's; anything else as it is, to be refused."""
    try:
        return datetime.fromisoformat(typed).replace(tzinfo=ZONE).isoformat()
    except ValueError:
        return typed


@router.get("/patients/new")
async def show_form(
    request: Request,
    state: State,
    caller: Annotated[Caller, allow(Action.REGISTER_PATIENT)],
    kind: Kind = Kind.RESIDENT,
    mother: Annotated[str, Query(max_length=80)] = "",
) -> Response:
    return await _new(request, state, caller, kind, {"mother": mother})


@router.post("/patients/new")
async def send_form(
    request: Request,
    state: State,
    caller: Annotated[Caller, allow(Action.REGISTER_PATIENT)],
    typed: Annotated[Typed, Form()],
) -> Response:
    told = typed.as_details() | {"none_of": typed.none_of} | ({"mother": typed.mother} if typed.mother else {})
    try:
        body = Registration.model_validate(told)
        outcome = await submit_registration(state, caller, typed.key, body)
    except ValidationError as invalid:
        return await _new(request, state, caller, typed.kind, typed.values, wrong=_wrong(invalid) | lacking(told))
    except Invalid as refused:
        wrong = {refused.params["field"]} | lacking(told)
        return await _new(request, state, caller, typed.kind, typed.values, wrong=wrong)
    except LikelyDuplicate as likely:
        found = [Reference(each) for each in likely.params["patients"].split(",")]
        return await _new(request, state, caller, typed.kind, typed.values, duplicates=found, none_of=typed.none_of)
    return pages.go(f"/patients/{Reference(outcome.answer['patient']).id}", said="registered")


@router.get("/patients/{patient_id}/correct")
async def show_correction(
    request: Request, state: State, patient_id: str, caller: Annotated[Caller, allow(Action.CORRECT_PATIENT)]
) -> Response:
    who = Reference.to("Patient", patient_id)
    async with state.database.transaction(caller.hospital) as tx:
        at = await present(tx, state)
        kept = await records.read(tx, who)
        await refuse_beyond(tx, caller, Action.CORRECT_PATIENT, who, at.now)
        covers = [(await records.read(tx, each)).body for each in await coverages(tx, who)]
        now_is = (await survivors(tx, [who]))[who]
    if now_is != who:
        return pages.go(f"/patients/{now_is.id}")
    body = visible(caller, kept.body)
    return _correction(request, at.now, who, kind_of(body), _known(body, covers), kept.version)


@router.post("/patients/{patient_id}/correct")
async def send_correction(
    request: Request,
    state: State,
    patient_id: str,
    caller: Annotated[Caller, allow(Action.CORRECT_PATIENT)],
    typed: Annotated[Typed, Form()],
) -> Response:
    who, wrong = Reference.to("Patient", patient_id), set[str]()
    try:
        body = Correction.model_validate(typed.as_details() | {"version": typed.version})
        await submit_correction(state, caller, typed.key, who, body)
    except ValidationError as invalid:
        wrong = _wrong(invalid) | lacking(typed.as_details())
    except Invalid as refused:
        wrong = {refused.params["field"]} | lacking(typed.as_details())
    if not wrong:
        return pages.go(f"/patients/{who.id}", said="corrected")
    return _correction(request, state.now(), who, typed.kind, typed.values, typed.version, wrong)


def _wrong(invalid: ValidationError) -> set[str]:
    """The form's fields for places in the command: `contact.phone` is `contact_phone`."""
    found = set()
    for error in invalid.errors(include_input=False, include_context=False):
        names = [str(part) for part in error["loc"] if isinstance(part, str)]
        found.add("_".join(names) if names else "name")
    return found


async def _new(  # as many sides as the form has
    request: Request,
    state: AppState,
    caller: Caller,
    kind: Kind,
    values: Mapping[str, str],
    *,
    wrong: set[str] | None = None,
    duplicates: list[Reference] | None = None,
    none_of: list[str] | None = None,
) -> Response:
    words = pages.words_of(request)
    async with state.database.transaction(caller.hospital) as tx:
        at = await present(tx, state)
    mother = None
    if kind is Kind.NEWBORN and values.get("mother"):
        try:
            mother = (await rows_of(request, state, caller, [Reference(values["mother"])]))[0]
        except Invalid:
            wrong = {*(wrong or ()), "mother"}
    looked_at = [Reference(each) for each in none_of or ()]
    likely = await rows_of(request, state, caller, [*looked_at, *duplicates]) if duplicates else ()
    form = patient_form(
        words,
        kind=kind,
        key=uuid4().hex,
        today=at.now.astimezone(ZONE).date(),
        values=values,
        wrong=wrong,
        mother=mother,
        duplicates=likely,
    )
    status = HTTPStatus.UNPROCESSABLE_ENTITY if wrong else HTTPStatus.CONFLICT if likely else HTTPStatus.OK
    return pages.page(request, "patients/form.html", words.gettext("Register a patient"), status=status, form=form)


def _correction(  # noqa: PLR0917
    request: Request,
    now: datetime,
    who: Reference,
    kind: Kind,
    values: Mapping[str, str],
    version: int,
    wrong: set[str] | None = None,
) -> Response:
    words = pages.words_of(request)
    today = now.astimezone(ZONE).date()
    form = patient_form(
        words,
        kind=kind,
        key=uuid4().hex,
        today=today,
        values=values,
        wrong=wrong,
        correcting=who.id,
        version=version,
    )
    status = HTTPStatus.UNPROCESSABLE_ENTITY if wrong else HTTPStatus.OK
    return pages.page(request, "patients/form.html", words.gettext("Correct the details"), status=status, form=form)


def _known(body: Mapping[str, Any], covers: list[Any]) -> dict[str, str]:
    """What the form shows of a record. Numbers are not shown: a field that stays empty leaves them as they are."""
    names = [str(each.get("text", "")) for each in body.get("name", [])]
    named = not body.get("name") or body["name"][0].get("use") != "temp"
    contact: Mapping[str, Any] = next(iter(body.get("contact", [])), {})
    relations = [one.get("code", "") for kind in contact.get("relationship", []) for one in kind.get("coding", [])]
    codes = [one.get("code", "") for cover in covers[:1] for one in cover.get("type", {}).get("coding", [])]
    nations = [
        one.get("code", "")
        for each in body.get("extension", [])
        for inner in each.get("extension", [])
        for one in inner.get("valueCodeableConcept", {}).get("coding", [])
    ]
    born = str(body.get("birthDate", ""))
    return {
        "name": names[0] if names and named else "",
        "latin_name": names[1] if len(names) > 1 else "",
        "gender": str(body.get("gender", "")),
        "birth_date": born if len(born) == 10 else "",
        "phone": next((str(each.get("value", "")) for each in body.get("telecom", [])), ""),
        "address": next((str(each.get("text", "")) for each in body.get("address", [])), ""),
        "nationality": nations[0] if nations else "",
        "contact_name": str(contact.get("name", {}).get("text", "")),
        "contact_relationship": relations[0] if relations else "",
        "contact_phone": next((str(each.get("value", "")) for each in contact.get("telecom", [])), ""),
        "cover_insurance": codes[0] if codes else "",
        "cover_subscriber": str(covers[0].get("subscriberId", "")) if covers else "",
        "cover_since": str(covers[0].get("period", {}).get("start", "")) if covers else "",
    }
