"""Finding a patient, and one patient's page."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import uuid4

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import Response

from api.accesses import accessed
from api.caller import Caller
from api.care import refuse_beyond
from api.commands.patients.correcting import coverages
from api.commands.patients.finding import Asked, find, visible
from api.deps import allow
from api.present import present
from api.state import AppState, State
from api.ui import pages
from api.ui.routes.said import notice_of
from api.ui.views.patients import (
    PatientPage,
    PatientRow,
    SearchView,
    changed,
    groups,
    kind_of,
    merge_reasons,
    patient_row,
)
from api.ui.views.times import moment
from api.ui.words import Words
from domain.errors import Invalid, PhisError
from domain.ids import Reference
from domain.matching.finding import LONGEST
from domain.patients import Kind
from domain.resident_numbers import masked, perhaps_in
from rules.access import Action, may, rights
from store import patient_merges, records
from store.audit import AuditAction
from store.database import Transaction
from store.search import parse_query, searching
from store.search.links import survivors
from store.search.sql import everything

router = APIRouter(include_in_schema=False)

_STAYS = 50


@router.get("/patients")
async def show_search(
    request: Request,
    state: State,
    caller: Annotated[Caller, allow(Action.FIND_PATIENT)],
    q: Annotated[str, Query(max_length=LONGEST)] = "",
) -> Response:
    words = pages.words_of(request)
    if not q.strip():
        return await _searched(request, state, caller)
    if perhaps_in(q.encode()):
        # It would stand in the browser's history.
        said = words.gettext(
            "Enter resident numbers in the field made for them: there they do not stay in the address."
        )
        return await _searched(request, state, caller, errors={"q": said})
    return await _searched(request, state, caller, Asked(text=q), values={"q": q})


@router.post("/patients")
async def search_by_number(
    request: Request,
    state: State,
    caller: Annotated[Caller, allow(Action.FIND_PATIENT)],
    resident_number: Annotated[str, Form(max_length=20)] = "",
) -> Response:
    return await _searched(request, state, caller, Asked(resident_number=resident_number or "-"))


async def _searched(
    request: Request,
    state: AppState,
    caller: Caller,
    asked: Asked | None = None,
    *,
    values: dict[str, str] | None = None,
    errors: dict[str, str] | None = None,
) -> Response:
    words = pages.words_of(request)
    rows: tuple[PatientRow, ...] = ()
    more, wrong = False, dict(errors or {})
    if asked is not None:
        try:
            found = await find(state, caller, asked)
            rows = tuple(patient_row(words, each, body, state.now()) for each, body in found.bodies.items())
            more = found.more
        except Invalid as refused:
            shown = not rights(caller.roles, small=caller.small).masked  # the field for numbers
            name = "resident_number" if shown and refused.params["field"] != "text" else "q"
            wrong[name] = _needs(words, name)
    view = SearchView(
        values=values or {},
        errors=wrong,
        asked=asked is not None and not wrong,
        rows=rows,
        count=words.ngettext("{count} patient", "{count} patients", len(rows)).format(count=len(rows)),
        more=words.gettext("There are more. Add a date of birth or the last digits of the telephone.") if more else "",
        may_register=may(caller.roles, Action.REGISTER_PATIENT),
        sees_numbers=not rights(caller.roles, small=caller.small).masked,
        register_href="/patients/new",
    )
    return pages.page(
        request, "patients/search.html", words.gettext("Patients"), status=422 if wrong else 200, view=view
    )


def _needs(words: Words, name: str) -> str:
    _ = words.gettext
    if name == "q":
        return _("Enter part of a name, a number, a telephone number or a date of birth.")
    return _("Enter the thirteen digits as on the document.")


@router.get("/patients/{patient_id}")
async def show_patient(
    request: Request,
    state: State,
    patient_id: str,
    caller: Annotated[Caller, allow(Action.FIND_PATIENT)],
    said: str = "",
) -> Response:
    words = pages.words_of(request)
    view = await patient_page(request, state, caller, Reference.to("Patient", patient_id))
    return pages.page(request, "patients/show.html", view.row.view.name, notice=notice_of(words, said), view=view)


async def patient_page(
    request: Request,
    state: AppState,
    caller: Caller,
    who: Reference,
    *,
    values: dict[str, str] | None = None,
    errors: dict[str, str] | None = None,
) -> PatientPage:
    """Everything about who somebody is that the caller may see. Raises NotFound, OutOfReach."""
    words = pages.words_of(request)
    async with state.database.transaction(caller.hospital) as tx:
        at = await present(tx, state)
        kept = await records.read(tx, who)
        await refuse_beyond(tx, caller, Action.FIND_PATIENT, who, at.now)
        versions = await records.history(tx, who)
        covers = [(await records.read(tx, each)).body for each in await coverages(tx, who)]
        stays = await _stays(tx, words, who) if may(caller.roles, Action.READ_STAY) else ()
        waiting = await patient_merges.open_of(tx, who)
        now_is = (await survivors(tx, [who]))[who]
        await accessed(tx, caller, AuditAction.READ, "patient-page", at=at.real, entities=[who], patients=[who])
    seen = [visible(caller, each.body) for each in versions]
    in_use = now_is == who
    history = tuple(
        (moment(words, version.last_updated, at.now), changed(words, body, older))
        for version, body, older in zip(versions, seen, [*seen[1:], None], strict=True)
    )
    body = masked(visible(caller, kept.body))  # whoever stands behind the desk reads along
    return PatientPage(
        row=patient_row(words, who, body, at.now),
        version=kept.version,
        groups=groups(words, body, covers),
        stays=stays,
        history=history,
        waiting=words.gettext("A merge of this record with another waits for a decision.") if waiting else "",
        replaced_by="" if in_use else f"/patients/{now_is.id}",
        may_correct=in_use and may(caller.roles, Action.CORRECT_PATIENT),
        may_merge=in_use and not waiting and may(caller.roles, Action.REQUEST_MERGE),
        may_admit=in_use and may(caller.roles, Action.REQUEST_ADMISSION),
        may_register=in_use
        and body.get("gender") != "male"
        and kind_of(body) is not Kind.NEWBORN
        and may(caller.roles, Action.REGISTER_PATIENT),
        reasons=merge_reasons(words),
        key=uuid4().hex,
        values=values or {},
        errors=errors or {},
    )


async def _stays(tx: Transaction, words: Words, who: Reference) -> tuple[tuple[str, str, str], ...]:
    _ = words.gettext
    query = parse_query("Encounter", [("patient", str(who))])
    found = await searching.references(tx, query, scope=everything, limit=_STAYS)
    said = {
        "planned": _("planned"),
        "in-progress": _("in hospital"),
        "finished": _("finished"),
        "cancelled": _("cancelled"),
    }
    told = []
    for each in found:
        body = (await records.read(tx, each)).body
        start = str(body.get("period", {}).get("start", ""))[:10]
        told.append((f"/stays/{each.id}", start, said.get(str(body.get("status")), _("recorded"))))
    return tuple(sorted(told, key=lambda each: each[1], reverse=True))


async def rows_of(
    request: Request, state: AppState, caller: Caller, references: list[Reference]
) -> tuple[PatientRow, ...]:
    """Patients by reference, as rows, for whoever looks at likely duplicates. It is an access."""
    words = pages.words_of(request)
    rows = []
    async with state.database.transaction(caller.hospital) as tx:
        at = await present(tx, state)
        for each in references:
            body: dict[str, Any] | None
            try:
                await refuse_beyond(tx, caller, Action.FIND_PATIENT, each, at.now)
                body = visible(caller, (await records.read(tx, each)).body)
            except PhisError:
                body = None
            rows.append(patient_row(words, each, body, at.now))
        await accessed(tx, caller, AuditAction.QUERY, "likely-duplicates", at=at.real, patients=references)
    return tuple(rows)
