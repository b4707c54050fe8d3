"""What the server was started with, as routes see it. Built by `runtime`, never here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Literal, cast

from fastapi import Depends
from starlette.requests import HTTPConnection
from temporalio.client import Client

from adapters.notify.gateway import Gateway, NoGateway
from adapters.oidc.provider import Provider
from adapters.outgoing import Outgoing
from api.accesses import Shown
from api.commands.dispatch import Dispatcher
from api.events import EventHub
from api.passwords import Passwords
from api.pressure import Gate
from domain.manifest import AdvisoryState, ManifestState
from rules.bundle import RuleBook
from rules.engine import RuleEngine
from store.database import Database
from store.terminology import Compiled

ReferenceChecks = Literal["off", "types", "exist"]
"""How far references of records that come over FHIR are looked at (`api.fhir.integrity`)."""


def _real_now() -> datetime:
    return datetime.now(UTC)


def _no_advisories(_: date) -> AdvisoryState | None:
    return None


@dataclass(frozen=True)
class AppState:
    """temporal: None while Temporal cannot be reached at start; `/readyz` says so and screens go on.

    public_url: origin under which browsers see us, e.g. `https://phis.example.org`.
    secure_cookies: False only on plain http, for a machine of one's own.
    largest_bundle: bytes of a FHIR request: a transaction brings up to 5,000 resources.
    compiled: code systems and their kin of all hospitals, as this process has asked them lately.
    providers: the sign-on of a hospital that has its own.
    gate: how many requests are at work at once, and for how long.
    outgoing: which other systems may be asked: published keys, a hospital's own sign-on.
    gateway: what brings messages to pagers and telephones.
    rule_engine, rule_book: rules compiled, and the rules of hospitals as this process has asked for them lately.
    export_lifetime: how long the files of a finished export may be had.
    manifest: whether the installed files are those that were signed, as last looked at.
    advisories: what is known of what is installed, on a day; None where nothing is.
    now: the real present; domain times come from the hospital's clock over it.
    """

    database: Database
    temporal: Client | None
    task_queue: str
    dispatcher: Dispatcher
    events: EventHub
    public_url: str
    secure_cookies: bool
    version: str
    session_length: timedelta = timedelta(hours=12)
    metrics: bool = True
    largest_request: int = 2 * 1024 * 1024
    largest_bundle: int = 32 * 1024 * 1024
    export_lifetime: timedelta = timedelta(hours=24)
    reference_checks: ReferenceChecks = "off"
    shown: Shown = field(default_factory=Shown)
    passwords: Passwords = field(default_factory=Passwords)
    compiled: Compiled = field(default_factory=Compiled)
    gate: Gate = field(default_factory=Gate)
    providers: Mapping[str, Provider] = field(default_factory=dict)
    rule_engine: RuleEngine = field(default_factory=RuleEngine)
    rule_book: RuleBook = field(default_factory=RuleBook)
    outgoing: Outgoing = field(default_factory=lambda: Outgoing(()))
    gateway: Gateway = field(default_factory=NoGateway)
    manifest: Callable[[], ManifestState] = ManifestState
    advisories: Callable[[date], AdvisoryState | None] = _no_advisories
    now: Callable[[], datetime] = _real_now


def state_of(connection: HTTPConnection) -> AppState:
    return cast("AppState", connection.app.state.phis)


State = Annotated[AppState, Depends(state_of)]
