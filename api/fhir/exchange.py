"""What an interaction is asked and what it answers, whether over HTTP or as an entry of a Bundle."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from api.caller import Caller
from api.fhir.text import Json
from api.state import AppState
from domain.clock import HospitalClock
from domain.errors import FilesChanged, Forbidden, Invalid
from rules.access import Rights
from rules.scopes import Grants, Letter
from store.care.circle import Circle

Return = Literal["minimal", "representation", "OperationOutcome"]

MEDIA_TYPE = b"application/fhir+json; charset=utf-8"
JSON_PATCH = "application/json-patch+json"


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks, what scopes and roles allow, and the clock of the hospital that both belong to."""

    caller: Caller
    grants: Grants
    clock: HospitalClock
    rights: Rights | None = None  # a person's; None for a client, which its scopes alone limit


@dataclass(frozen=True, slots=True)
class Preference:
    """Header Prefer (hl7.org/fhir/R4/http.html#ops and #handling).

    wanted: None when the client did not say: the resource for one write, nothing for the writes of a Bundle.
    strict, lenient: neither when the client did not say.  asynchronous: `respond-async` (RFC 7240, 4.1).
    """

    wanted: Return | None = None
    strict: bool = False
    lenient: bool = False
    asynchronous: bool = False


@dataclass(frozen=True, slots=True)
class Address:
    """What a method and a path name: an interaction, and what it is about."""

    interaction: str
    type: str = ""
    id: str = ""
    version: str = ""
    operation: str = ""
    compartment: str = ""  # the type whose compartment is searched; `id` is then its id


@dataclass(slots=True)
class Call:
    """One interaction asked for. `base`: absolute, no slash at its end. `real`: real time, `now` the hospital's.

    url: the whole address, where there was one.  by_post: a search whose parameters were kept out of its address.
    """

    state: AppState
    asker: Asker
    base: str
    address: Address
    real: datetime
    params: Sequence[tuple[str, str]] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    preference: Preference = Preference()
    body: bytes = b""
    resource: Json | None = None
    url: str = ""
    by_post: bool = False
    circle: Circle | None = None  # of the person who asks, once it is known

    @property
    def hospital(self) -> str:
        return self.asker.caller.hospital

    @property
    def now(self) -> datetime:
        return self.asker.clock.at(self.real)

    def first(self, name: str) -> str | None:
        """The first value of a parameter of the address."""
        return next((value for key, value in self.params if key == name), None)

    def require(self, letter: Letter, resource_type: str) -> None:
        """Raises Forbidden unless scopes and roles allow this for resources of the type."""
        if not self.asker.grants.allow(letter, resource_type):
            raise Forbidden("scopes or roles do not allow this", action=f"{resource_type}.{letter}")
        if letter in "cud" and self.state.manifest().refuses_writes:
            raise FilesChanged("installed files are not as they were signed")

    def sent(self) -> Json:
        """The resource that was sent. Raises Invalid when none was."""
        if self.resource is None:
            raise Invalid("the request has no body; it needs a resource", field="")
        return self.resource


@dataclass(slots=True)
class Answer:
    """`body`: JSON text, empty for none.  etag: the version.  location: absolute.

    stream: the body in parts instead, of `length` bytes together.
    """

    status: int
    body: bytes = b""
    etag: int | None = None
    last_modified: datetime | None = None
    location: str | None = None
    headers: Sequence[tuple[bytes, bytes]] = ()
    outcome: Json | None = None  # what a Bundle's entry says besides
    media_type: bytes = MEDIA_TYPE
    stream: AsyncIterator[bytes] | None = None
    length: int = 0
