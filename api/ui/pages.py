"""From a view to an answer: pages, parts of pages for htmx, messages, and where to go after a form."""

from __future__ import annotations

from http import HTTPStatus
from urllib.parse import quote, urlencode

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from api.caller import Caller
from api.refusals import Refusal, Shown, refusal_of
from api.state import state_of
from api.ui.language import language_of
from api.ui.reading import names_for_refusal
from api.ui.templating import render
from api.ui.views.frame import Frame, Notice, frame
from api.ui.words import Words, words
from domain.errors import OutOfReach, PhisError
from domain.ids import Reference
from rules.access import Action, may


def words_of(request: Request) -> Words:
    return words(language_of(request))


def caller_of(request: Request) -> Caller | None:
    """The caller that the route's policy found, if it came so far."""
    return getattr(request.state, "caller", None)


def is_part(request: Request) -> bool:
    """Whether htmx asks for a part of the page. A page restored from its history is whole."""
    return request.headers.get("hx-request") == "true" and "hx-history-restore-request" not in request.headers


def here_of(request: Request) -> str:
    """The address of this page, to come back to; a form's page is where its answer is shown."""
    query = f"?{request.url.query}" if request.url.query else ""
    return f"{request.url.path}{query}" if request.method == "GET" else "/"


def frame_of(request: Request, title: str, *, live: bool = False) -> Frame:
    caller = caller_of(request)
    language = words_of(request)
    return frame(
        language,
        caller,
        title=title,
        at=request.url.path,
        here=here_of(request),
        nonce=request.state.nonce,
        hospital=caller.hospital_display.get(language.language.value, "") if caller else "",
        live=live,
    )


def page(
    request: Request,
    template: str,
    title: str,
    *,
    status: int = HTTPStatus.OK,
    live: bool = False,
    notice: Notice | None = None,
    **context: object,
) -> HTMLResponse:
    """A page, or the part that htmx asked for: the template decides by its name, `_part.html` or `page.html`."""
    framed = frame_of(request, title, live=live)
    body = render(words_of(request).language, template, frame=framed, notice=notice, **context)
    return HTMLResponse(body, status, headers={"Vary": "HX-Request, Cookie, Accept-Language"})


def message(request: Request, refusal: Refusal) -> Response:
    """A refusal or failure: a page, or the notice on the page that asked for a part."""
    if is_part(request):
        wrong = " ".join(f"{field.label}: {field.sentence}" for field in refusal.fields)
        notice = Notice("refused", refusal.title, wrong or refusal.detail, refusal.advice)
        body = render(words_of(request).language, "frame/_notice.html", notice=notice)
        return HTMLResponse(body, refusal.status)
    return page(request, "frame/message.html", refusal.title, status=refusal.status, message=refusal)


async def refusal_sentences(request: Request, error: PhisError) -> Refusal:
    """The sentences with the names that this reader may know."""
    language = words_of(request)
    names = await names_for_refusal(state_of(request), caller_of(request), error, language)
    return refusal_of(error, Shown(language, state_of(request).now(), names))


async def refused(request: Request, error: PhisError) -> Response:
    return message(request, await refusal_sentences(request, error))


def sign_in_first(request: Request) -> Response:
    """To the sign-in page, and back afterwards."""
    address = f"/signin?next={quote(here_of(request), safe='')}"
    if is_part(request):
        return Response(status_code=HTTPStatus.UNAUTHORIZED, headers={"HX-Redirect": address})
    return RedirectResponse(address, HTTPStatus.SEE_OTHER)


def door_of(request: Request, caller: Caller, error: OutOfReach) -> Response | None:
    """To the page that says what opens the record, for those who may open it; None for all others."""
    patient, why = error.params.get("patient"), error.params.get("why")
    wanted = Action.BREAK_GLASS if why == "care" else Action.STATE_PURPOSE
    if patient is None or not may(caller.roles, wanted):
        return None
    page = "glass" if why == "care" else "purpose"
    address = f"/patients/{Reference(patient).id}/{page}?next={quote(here_of(request), safe='')}"
    if is_part(request):
        return Response(status_code=HTTPStatus.NO_CONTENT, headers={"HX-Redirect": address})
    return RedirectResponse(address, HTTPStatus.SEE_OTHER)


def go(address: str, **query: str) -> Response:
    """See other: what a form did is shown by a page that can be reloaded."""
    return RedirectResponse(f"{address}?{urlencode(query)}" if query else address, HTTPStatus.SEE_OTHER)


def local_address(address: str) -> str:
    """`address` if it is a path of ours, else the start: a link must not lead people elsewhere after they signed in."""
    ours = address.startswith("/") and not address.startswith(("//", "/\\")) and "\\" not in address
    return address if ours and address.isprintable() else "/"
