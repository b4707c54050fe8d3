"""What a refusal says to a person: what happened, who and when where known, and what to do instead.

One table for clients (problem+json) and screens. Parameters are shown through `Shown`, because an error carries account
names, references and instants only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from http import HTTPStatus

from api.ui.views.fields import WrongField, wrong_field
from api.ui.words import Words
from domain import errors
from domain.errors import PhisError


def N_(message: str) -> str:  # noqa: N802 - the name that extraction of sentences knows
    """Mark a sentence for translation where it stands in a table."""
    return message


@dataclass(frozen=True)
class Refusal:
    """title: what.  detail: who, when, why; may be empty.  advice: what to do instead.  fields: what is wrong, each."""

    status: int
    code: str
    title: str
    detail: str
    advice: str
    fields: tuple[WrongField, ...] = ()


@dataclass(frozen=True)
class _Said:
    status: HTTPStatus
    title: str
    detail: str
    advice: str


_SAID: dict[type[PhisError], _Said] = {
    errors.Invalid: _Said(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        N_("This cannot be accepted as it stands"),
        "",
        N_("Correct the fields that are named and send it again. Nothing was changed."),
    ),
    errors.NotSignedIn: _Said(
        HTTPStatus.UNAUTHORIZED,
        N_("Nobody is signed in"),
        N_("The session has ended, or the token is not known or has expired."),
        N_("Sign in again."),
    ),
    errors.Forbidden: _Said(
        HTTPStatus.FORBIDDEN,
        N_("Your roles do not allow this"),
        N_("It needs one of these roles: {roles}."),
        N_("Ask a colleague who holds one of them, or the administrator of your hospital. The attempt was recorded."),
    ),
    errors.OwnAccount: _Said(
        HTTPStatus.FORBIDDEN,
        N_("This is your own account"),
        N_("Nobody changes their own rights, so that nobody raises themselves or is locked out by accident."),
        N_("Ask another administrator of your hospital. What is yours to change stands under My account."),
    ),
    errors.SignOnRefused: _Said(
        HTTPStatus.FORBIDDEN,
        N_("The sign-on did not let you in"),
        "",
        N_("Begin anew at the sign-in page. If it happens again, tell the administrator of your hospital."),
    ),
    errors.NoAccountHere: _Said(
        HTTPStatus.FORBIDDEN,
        N_("The sign-on knows you, but you have no account here"),
        "",
        N_("Ask the administrator of your hospital for an account."),
    ),
    errors.ProofNeeded: _Said(
        HTTPStatus.UNAUTHORIZED,
        N_("Please prove once more that it is you"),
        N_("This reaches far, and some minutes have passed since your last proof."),
        N_("Give a code of your authenticator, or your password, at /step-up; then do it again."),
    ),
    errors.TooManyAttempts: _Said(
        HTTPStatus.TOO_MANY_REQUESTS,
        N_("Too many attempts have failed from here"),
        N_("The next one may come in {seconds} s."),
        N_("Wait that long. Browsers that have signed in with this account before are not held up."),
    ),
    errors.NotFound: _Said(
        HTTPStatus.NOT_FOUND,
        N_("There is no such thing here"),
        "",
        N_("The address may be wrong, or it belongs to another hospital."),
    ),
    errors.OutOfReach: _Said(
        HTTPStatus.FORBIDDEN,
        N_("This patient is not in your care"),
        "",
        N_(
            "Ask the ward or the physician in charge. In an emergency clinical staff may open it with a reason. "
            "The attempt was recorded."
        ),
    ),
    errors.StaleRevision: _Said(
        HTTPStatus.CONFLICT,
        N_("This has changed since you opened it"),
        N_("{by}, {at}."),
        N_("Look at it again and then decide. Nothing was changed by you."),
    ),
    errors.AlreadyClaimed: _Said(
        HTTPStatus.CONFLICT,
        N_("{by} has already taken this task"),
        N_("Taken at {at}."),
        N_("Choose another task, or ask {by} to release this one."),
    ),
    errors.AlreadyDone: _Said(
        HTTPStatus.CONFLICT,
        N_("This is already finished"),
        N_("{by}, {at}."),
        N_("There is nothing left to do here. The stay shows what came of it."),
    ),
    errors.NotOwner: _Said(
        HTTPStatus.CONFLICT,
        N_("This task is not yours"),
        N_("{by} has it."),
        N_("Take the task first, then finish it."),
    ),
    errors.BedTaken: _Said(
        HTTPStatus.CONFLICT,
        N_("This bed has just been given to another patient"),
        N_("{bed} is occupied."),
        N_("Choose another bed. The task is still yours."),
    ),
    errors.LikelyDuplicate: _Said(
        HTTPStatus.CONFLICT,
        N_("This person may be registered already"),
        "",
        N_("Look at the patients that are named. Is it none of them, say so for each and send it again."),
    ),
    errors.ActiveStayExists: _Said(
        HTTPStatus.CONFLICT,
        N_("This patient already has an inpatient stay"),
        "",
        N_("Open the stay that is running. A second one cannot begin before it ends."),
    ),
    errors.NotSetUp: _Said(
        HTTPStatus.CONFLICT,
        N_("The hospital is not set up for this yet"),
        N_("What is lacking: {gap} It is mended at {page}."),
        N_("Ask the administrator of your hospital to complete the set-up. Nothing was started."),
    ),
    errors.Conflict: _Said(
        HTTPStatus.CONFLICT,
        N_("This was true a moment ago and is not any more"),
        "",
        N_("Look at it again and then decide."),
    ),
    errors.KeyReused: _Said(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        N_("This key was already used for something else"),
        "",
        N_("Open the form again, or send a new Idempotency-Key. The first command stands as it was."),
    ),
    errors.Refused: _Said(
        HTTPStatus.CONFLICT,
        N_("This cannot be done"),
        "",
        N_("Look at the present state and then decide."),
    ),
    errors.Unavailable: _Said(
        HTTPStatus.SERVICE_UNAVAILABLE,
        N_("A part of the system does not answer at the moment"),
        "",
        N_("Try again in a minute. What was acknowledged before is kept."),
    ),
    errors.FilesChanged: _Said(
        HTTPStatus.SERVICE_UNAVAILABLE,
        N_("Nothing can be changed at the moment"),
        N_("Files of this installation are not as they were signed."),
        N_("Reading goes on. Tell those who run the system; the security page names the files."),
    ),
}

_BROKEN = _Said(
    HTTPStatus.INTERNAL_SERVER_ERROR,
    N_("Something went wrong on our side"),
    "",
    N_("Tell the administrator this number. Nothing was changed by this attempt."),
)

_HTTP: dict[int, _Said] = {
    HTTPStatus.BAD_REQUEST: _Said(
        HTTPStatus.BAD_REQUEST, N_("This request cannot be read"), "", N_("Check that the body is well formed.")
    ),
    HTTPStatus.NOT_FOUND: _SAID[errors.NotFound],
    HTTPStatus.METHOD_NOT_ALLOWED: _Said(
        HTTPStatus.METHOD_NOT_ALLOWED,
        N_("This address does not know that method"),
        "",
        N_("The header Allow names the methods it knows."),
    ),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: _Said(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE, N_("This is too large"), "", N_("Send less at once.")
    ),
}
_HTTP |= {
    status: replace(_HTTP[like], status=status)
    for status, like in (
        (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.BAD_REQUEST),
        (HTTPStatus.UNSUPPORTED_MEDIA_TYPE, HTTPStatus.BAD_REQUEST),
        (HTTPStatus.REQUEST_URI_TOO_LONG, HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
        (HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
    )
}

_HTTP_CODES = {
    400: "malformed",
    404: "not-found",
    405: "method-not-allowed",
    408: "too-slow",
    413: "too-large",
    414: "too-large",
    415: "malformed",
    431: "too-large",
}


@dataclass(frozen=True)
class Shown:
    """How parameters look: people and places by name where the reader may know them, times as clock times."""

    words: Words
    now: datetime | None = None
    names: Mapping[str, str] = field(default_factory=dict)

    def __call__(self, name: str, value: str) -> str:
        if name == "at":
            try:
                instant = datetime.fromisoformat(value)
                return self.words.clock(instant, self.now) if self.now else self.words.exact(instant)
            except ValueError:
                return value
        if name == "roles":
            return ", ".join(self.names.get(role, role) for role in value.split(","))
        return self.names.get(value, value)


def refusal_of(error: PhisError, shown: Shown) -> Refusal:
    """The sentences for an error. One that is ours to mend shows no more than that."""
    said = next((_SAID[kind] for kind in type(error).__mro__ if kind in _SAID), _BROKEN)
    params = {name: shown(name, value) for name, value in error.params.items()}
    if isinstance(error, errors.NotSetUp):
        params["gap"] = error.params.get(shown.words.language, error.params.get("gap", ""))
    fill = _filler(shown.words, params)
    fields = (wrong_field(shown.words, error.params["field"]),) if error.params.get("field") else ()
    return Refusal(said.status, error.code, fill(said.title), fill(said.detail), fill(said.advice), fields)


def http_refusal(status: int, words: Words) -> Refusal:
    """The sentences for what the server itself refuses: no such address, method, size."""
    said = _HTTP.get(status, _SAID[errors.Refused] if status < HTTPStatus.INTERNAL_SERVER_ERROR else _BROKEN)
    code = _HTTP_CODES.get(status, "refused" if status < HTTPStatus.INTERNAL_SERVER_ERROR else "error")
    fill = _filler(words, {})
    return Refusal(status, code, fill(said.title), fill(said.detail), fill(said.advice))


def invalid(words: Words, found: Iterable[tuple[str, str]] = ()) -> Refusal:
    """The sentences for content that does not have the shape of its form. found: field (JSON Pointer) and kind."""
    fill, said = _filler(words, {}), _SAID[errors.Invalid]
    fields = tuple(wrong_field(words, field, kind) for field, kind in found if field)
    return Refusal(said.status, errors.Invalid.code, fill(said.title), "", fill(said.advice), fields)


def broken(words: Words, log_id: str) -> Refusal:
    """An unexpected exception: a number to find it by in the log, and nothing else about it."""
    fill = _filler(words, {})
    detail = words.gettext("Number: {id}").format(id=log_id)
    return Refusal(HTTPStatus.INTERNAL_SERVER_ERROR, "error", fill(_BROKEN.title), detail, fill(_BROKEN.advice))


def _filler(words: Words, params: Mapping[str, str]) -> Callable[[str], str]:
    """Translate and fill in. A sentence whose parameters are not all known is left out, or said without a name."""

    def fill(sentence: str) -> str:
        if not sentence:
            return ""
        known = {"by": words.gettext("somebody"), **params}
        try:
            return words.gettext(sentence).format_map(known)
        except KeyError:
            return ""

    return fill
