"""Set-up pages: one page for each table of master data, driven by what the table's kind says of itself."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated
from uuid import uuid4

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import Response
from pydantic import ValidationError
from starlette.convertors import StringConvertor, register_url_convertor

from adapters.csv import writing
from api.caller import Caller
from api.commands.setup.keeping import content_of
from api.commands.setup.standing import standing
from api.commands.setup.tables import Table, submit_table
from api.deps import allow
from api.present import present
from api.state import AppState, State
from api.ui import pages, reading
from api.ui.views.setup import (
    EntryView,
    KindView,
    SetupView,
    Trial,
    display,
    entry_row,
    facts_of,
    gap_rows,
    kind_name,
    table_row,
    trial_of,
    version_row,
)
from domain.errors import Invalid
from domain.setup import rows
from domain.setup.gaps import gaps
from domain.setup.kinds import Kind
from domain.setup.timeline import Version, applying, turns
from rules.access import Action, may
from store.setup import entries

router = APIRouter(include_in_schema=False)

SHOWN = 200


class _OfKind(StringConvertor):
    regex = "|".join(kind.value for kind in Kind)


register_url_convertor("setupkind", _OfKind())  # beside /setup/{secret}, the link of a new account


@router.get("/setup")
async def overview(request: Request, state: State, caller: Annotated[Caller, allow(Action.READ_SETUP)]) -> Response:
    words = pages.words_of(request)
    async with state.database.transaction(caller.hospital) as tx:
        now = (await present(tx, state)).now
        known = await entries.of_kinds(tx)
        lacking = gap_rows(words, gaps(await standing(tx, now)))
    tables = []
    for kind in Kind:
        versions = [found for (of, _), found in known.items() if of is kind]
        current = sum(applying(each, now) is not None for each in versions)
        planned = sum(len(turns(each, now)) for each in versions)
        waiting = sum(one.state == "proposed" for each in versions for one in each)
        tables.append(table_row(words, kind, current, planned, waiting))
    count = len(lacking)
    said = words.ngettext("{count} thing is missing", "{count} things are missing", count).format(count=count)
    view = SetupView(lacking, said if lacking else "", tuple(tables))
    return pages.page(request, "setup/overview.html", words.gettext("Set-up"), view=view)


@router.get("/setup/people")
async def people(caller: Annotated[Caller, allow(Action.READ_SETUP)]) -> Response:
    """Where gaps among people lead: accounts have pages of their own."""
    return pages.go("/admin/accounts")


@router.get("/setup/{kind:setupkind}")
async def show_table(
    request: Request,
    state: State,
    kind: Kind,
    caller: Annotated[Caller, allow(Action.READ_SETUP)],
    q: Annotated[str, Query(max_length=100)] = "",
) -> Response:
    return await _table(request, state, caller, kind, q=q)


@router.post("/setup/{kind:setupkind}")
async def send_table(
    request: Request,
    state: State,
    *,
    kind: Kind,
    caller: Annotated[Caller, allow(Action.WRITE_SETUP)],
    key: Annotated[str, Form(pattern=r"^[\x21-\x7e]{1,80}$")],
    csv: Annotated[str, Form(max_length=4_000_000)] = "",
    since: Annotated[str, Form(max_length=40)] = "",
    reason: Annotated[str, Form(max_length=2000)] = "",
    act: Annotated[str, Form(max_length=10)] = "try",
) -> Response:
    """The table as text: tried, or taken whole."""
    words = pages.words_of(request)
    typed = {"csv": csv, "since": since, "reason": reason}
    needs = {
        "csv": words.gettext("Paste a table with its first line, which names the columns."),
        "since": words.gettext("Enter a day, or leave it empty."),
        "reason": words.gettext("Say why, in three letters or more."),
    }
    trial = _trial(kind, typed)
    told = {"csv": csv, "reason": reason or words.gettext("tried"), "dry_run": act != "take"}
    if act == "take" and not reason.strip():
        return await _table(request, state, caller, kind, trial=_trial(kind, typed, {"reason": needs["reason"]}))
    try:
        body = Table.model_validate(told | ({"since": since} if since else {}))
        outcome = await submit_table(state, caller, key, kind, body)
    except ValidationError as invalid:
        wrong = {str(error["loc"][0]) for error in invalid.errors(include_input=False, include_context=False)}
    except Invalid as refused:
        wrong = {refused.params["field"].strip("/")}
    else:
        return await _table(request, state, caller, kind, trial=trial_of(words, outcome.answer, trial))
    errors = {name: said for name, said in needs.items() if name in wrong} or {"csv": needs["csv"]}
    return await _table(request, state, caller, kind, trial=_trial(kind, typed, errors))


@router.get("/setup/{kind:setupkind}/{code}")
async def show_entry(
    request: Request, state: State, kind: Kind, code: str, caller: Annotated[Caller, allow(Action.READ_SETUP)]
) -> Response:
    words = pages.words_of(request)
    async with state.database.transaction(caller.hospital) as tx:
        now = (await present(tx, state)).now
        versions = await entries.versions(tx, kind, code)
        named = await reading.people(tx, words, [one.recorded_by for one in versions])
    current = applying(versions, now)
    head, lines = rows.columns(kind), _lines(current) if current else []
    last = next((one for one in reversed(versions) if one.content is not None), None)
    view = EntryView(
        kind=kind.value,
        kind_name=kind_name(words, kind),
        code=code,
        name=display(words, last.content) if last and last.content else code,
        facts=facts_of(head, lines),
        versions=tuple(version_row(words, one, named, now) for one in reversed(versions)),
        trial=_trial(kind, {"csv": writing.table([head, *lines])}) if _may_write(caller) and current else None,
    )
    return pages.page(request, "setup/entry.html", view.name, view=view)


async def _table(
    request: Request, state: AppState, caller: Caller, kind: Kind, *, q: str = "", trial: Trial | None = None
) -> Response:
    words, wanted = pages.words_of(request), q.strip().casefold()
    async with state.database.transaction(caller.hospital) as tx:
        now = (await present(tx, state)).now
        found = await entries.at(tx, kind, now)
    listed = [one for one in found if not wanted or _mentions(one, wanted)]
    count = len(listed)
    wrong = trial is not None and bool(trial.errors or trial.rows)
    view = KindView(
        kind=kind.value,
        name=kind_name(words, kind),
        q=q,
        count=words.ngettext("{count} entry", "{count} entries", count).format(count=count),
        entries=tuple(entry_row(words, one) for one in listed[:SHOWN]),
        more=words.gettext("There are more. Search by code or name.") if count > SHOWN else "",
        trial=(trial or _trial(kind)) if _may_write(caller) else None,
    )
    status = HTTPStatus.UNPROCESSABLE_ENTITY if wrong else HTTPStatus.OK
    return pages.page(request, "setup/table.html", view.name, status=status, view=view)


def _trial(kind: Kind, values: Mapping[str, str] | None = None, errors: Mapping[str, str] | None = None) -> Trial:
    return Trial(uuid4().hex, ",".join(rows.columns(kind)), values or {}, errors or {})


def _lines(one: Version) -> list[list[str]]:
    frame = rows.frame_of(None, one.until, one.basis, one.source)
    return rows.written(one.kind, one.code, content_of(one), frame)


def _mentions(one: Version, wanted: str) -> bool:
    content = one.content or {}
    return any(wanted in str(each).casefold() for each in (one.code, content["name_ko"], content["name_en"]))


def _may_write(caller: Caller) -> bool:
    return may(caller.roles, Action.WRITE_SETUP)
