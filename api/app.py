"""The application: routes, guards, and the refusal to start with a route that nobody thought about."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import structlog
from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

from api import document, health, problems
from api.auth import token
from api.commands import accounts as account_commands
from api.commands import (
    admissions,
    care,
    duty_tables,
    numbers,
    patients,
    rules,
    security,
    setup,
    status,
    stays,
    worklist,
)
from api.commands import duty as duty_commands
from api.commands import people as people_commands
from api.deps import refuse_routes_without_policy
from api.fhir.server import PREFIX, FhirServer
from api.guards import Guards, Limits
from api.state import AppState
from api.ui.routes import (
    account,
    delegations,
    design,
    events,
    home,
    kept,
    patient_forms,
    patient_merges,
    session,
    sign_on,
    signing_in,
    step_up,
)
from api.ui.routes import accounts as account_screens
from api.ui.routes import admissions as admission_screens
from api.ui.routes import calendar as calendar_screens
from api.ui.routes import care as care_screens
from api.ui.routes import patients as patient_screens
from api.ui.routes import people as people_screens
from api.ui.routes import rosters as roster_screens
from api.ui.routes import security as security_screens
from api.ui.routes import setup as setup_screens
from api.ui.routes import stays as stay_screens
from api.ui.routes import worklist as worklist_screens
from api.ui.templating import STATIC, asset
from api.ui.words import Language, words

log = structlog.get_logger(__name__)

_ROUTERS = (
    health.router,
    home.router,
    session.router,
    setup_screens.router,  # before the links of new accounts, /setup/{secret}
    signing_in.router,
    sign_on.router,
    step_up.router,
    account.router,
    token.router,
    worklist_screens.router,
    stay_screens.router,
    admission_screens.router,
    patient_forms.router,
    patient_merges.router,
    patient_screens.router,  # last of the three: it takes any id
    care_screens.router,
    delegations.router,
    security_screens.router,
    account_screens.router,
    design.router,
    roster_screens.router,
    calendar_screens.router,
    people_screens.router,
    kept.router,
    events.router,
    admissions.router,
    care.router,
    patients.router,
    worklist.router,
    stays.router,
    rules.router,
    setup.router,
    numbers.router,
    security.router,
    account_commands.router,
    duty_tables.router,
    duty_commands.router,
    people_commands.router,
    status.router,  # last: it takes any key under /commands
)


class PublicFiles(StaticFiles):
    """Our styles, scripts and fonts: the same for everybody. Under their content's hash they never change."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        answer = await super().get_response(path, scope)
        hashed = b"v=" in scope.get("query_string", b"")
        answer.headers["Cache-Control"] = "public, max-age=31536000, immutable" if hashed else "public, max-age=3600"
        return answer


class House(FastAPI):
    """Screens and commands by FastAPI, and FHIR beside it: there each microsecond of a read counts."""

    def openapi(self) -> dict[str, Any]:
        """Made when it is first asked for."""
        if self.openapi_schema is None:
            self.openapi_schema = document.completed(super().openapi(), self.routes)
        return self.openapi_schema

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith(PREFIX):
            scope["app"] = self
            await self.state.fhir(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


def create_app(state: AppState) -> FastAPI:
    """Raises Misconfigured for a route without a policy, or when set-up has not compiled the translations."""
    app = House(
        title="P-HIS",
        version=state.version,
        docs_url=None,  # their pages load scripts from elsewhere
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
    )
    app.state.phis = state
    app.state.fhir = FhirServer(state)
    for router in _ROUTERS:
        app.include_router(router)
    app.mount("/static", PublicFiles(directory=STATIC), name="static")
    problems.register(app)
    app.add_middleware(Limits, gate=state.gate)
    app.add_middleware(Guards, secure=state.secure_cookies, largest=state.largest_request)
    refuse_routes_without_policy(app.routes, PublicFiles)
    for language in Language:
        words(language)
    if not asset("vendor/htmx/htmx.min.js"):
        log.warning("assets missing", hint="run `make setup`; screens work, without live changes")
    return app


def routes() -> Iterator[tuple[str, str]]:
    """Method and path of every route, for the documentation's test."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    for router in _ROUTERS:
        app.include_router(router)
    for context in iter_route_contexts(app.routes):
        if isinstance(context.original_route, APIRoute) and context.path_format is not None:
            for method in sorted(context.methods or ()):
                yield method, context.path_format
