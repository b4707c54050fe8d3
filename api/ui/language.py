"""Which language a reader gets: the one chosen on a screen, else what the browser or client asks for."""

from __future__ import annotations

from starlette.requests import HTTPConnection
from starlette.responses import Response

from api.ui.words import Language, preferred

_COOKIE = "phis-language"
_YEAR = 365 * 24 * 3600


def language_of(connection: HTTPConnection) -> Language:
    chosen = connection.cookies.get(_COOKIE, "")
    if chosen in set(Language):
        return Language(chosen)
    return preferred(connection.headers.get("accept-language", ""))


def remember(response: Response, language: Language, *, secure: bool) -> None:
    """Keep the choice in this browser."""
    response.set_cookie(_COOKIE, language.value, max_age=_YEAR, secure=secure, httponly=True, samesite="lax")
