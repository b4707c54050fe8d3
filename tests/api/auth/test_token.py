"""A program gets a token with a key of its own, and what it may is what was requested and is allowed."""

from __future__ import annotations

import base64
import hmac
import time
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey

from adapters.jose import assertions as jose
from adapters.jose.keys import public_keys
from api.app import create_app
from api.auth import assertions, token
from domain.errors import Invalid
from rules.scopes import intersection
from store import audit, clients
from tests.api.fhir.conftest import Json, observation
from tests.desk import Desk

RSA = RSAKey.generate_key(2048, {"kid": "rsa"}, private=True)
EC = ECKey.generate_key("P-384", {"kid": "ec"}, private=True)
JWKS = {"keys": [RSA.as_dict(private=False), EC.as_dict(private=False)]}
ENDPOINT = "http://127.0.0.1/auth/token"
TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
SCOPE = "system/Observation.rs"


@dataclass
class Program:
    """A client with its keys, and the ways in which its assertion may be wrong."""

    http: httpx.AsyncClient
    id: str

    def assertion(self, key: Any = RSA, header: Json | None = None, **claims: Any) -> str:
        said = {
            "iss": self.id,
            "sub": self.id,
            "aud": ENDPOINT,
            "exp": int(time.time()) + 240,
            "jti": uuid4().hex,
            **claims,
        }
        said = {name: value for name, value in said.items() if value is not None}
        algorithm = {"RSA": "RS384", "EC": "ES384", "oct": "HS384"}[key.key_type]
        head = {"alg": algorithm, "kid": key.kid, **(header or {})}
        return jwt.encode(head, said, key, algorithms=[head["alg"]])

    async def ask(self, assertion: str | None = None, scope: str = SCOPE, **more: str) -> httpx.Response:
        form = {
            "grant_type": "client_credentials",
            "scope": scope,
            "client_assertion_type": TYPE,
            "client_assertion": assertion or self.assertion(),
            **more,
        }
        return await self.http.post("/auth/token", data={name: value for name, value in form.items() if value})


@pytest.fixture
async def program(client: httpx.AsyncClient, desk: Desk) -> Program:
    id_ = f"{desk.hospital}.loader"
    async with desk.state.database.transaction(desk.hospital) as tx:
        await clients.register(
            tx,
            id_=id_,
            display="Loader",
            keys=JWKS,
            keys_url=None,
            scope="system/Observation.rs system/Patient.cruds",
            token_seconds=300,
            now=desk.state.now(),
        )
    return Program(client, id_)


@pytest.mark.parametrize("key", [RSA, EC], ids=["RS384", "ES384"])
async def test_a_key_opens_what_is_allowed_and_nothing_else(program: Program, desk: Desk, key: Any) -> None:
    answer = await program.ask(program.assertion(key), "system/Observation.cruds system/Encounter.rs")
    assert answer.status_code == 200, answer.text
    given = answer.json()
    assert (given["token_type"], given["expires_in"], given["scope"]) == ("bearer", 300, "system/Observation.rs")
    assert answer.headers["Cache-Control"] == "no-store"
    headers = {"Authorization": f"Bearer {given['access_token']}"}
    base = f"/fhir/{desk.hospital}"
    assert (await program.http.get(f"{base}/Observation", headers=headers)).status_code == 200
    assert (await program.http.get(f"{base}/Patient", headers=headers)).status_code == 403
    written = await program.http.post(f"{base}/Observation", json=observation("Patient/p1"), headers=headers)
    assert written.status_code == 403
    async with desk.state.database.transaction(desk.hospital) as tx:
        noted = [(line.actor, line.outcome) for line in await audit.read(tx) if line.detail == "client-token"]
    assert noted == [(program.id, "allowed")]


async def test_a_client_finds_the_endpoint_by_itself(client: httpx.AsyncClient, desk: Desk) -> None:
    answer = await client.get(f"/fhir/{desk.hospital}/.well-known/smart-configuration")
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json()["token_endpoint"] == ENDPOINT
    assert answer.json()["token_endpoint_auth_signing_alg_values_supported"] == ["RS384", "ES384"]


def confused(claims: str) -> str:
    """Signed with the client's public key as if it were a shared secret (RFC 8725, 2.1)."""
    head = base64.urlsafe_b64encode(b'{"alg":"HS384","kid":"rsa"}').rstrip(b"=").decode()
    mac = hmac.new(RSA.as_pem(private=False), f"{head}.{claims}".encode(), "sha384").digest()
    return f"{head}.{claims}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"


WRONG: dict[str, Json] = {
    "expired": {"exp": int(time.time()) - 1},
    "too long": {"exp": int(time.time()) + 3600},
    "no exp": {"exp": None},
    "exp as text": {"exp": "soon"},
    "another audience": {"aud": "https://elsewhere.example/auth/token"},
    "more audiences": {"aud": [ENDPOINT, "https://elsewhere.example"]},
    "another issuer": {"iss": "hanbit.other"},
    "no jti": {"jti": None},
    "not yet": {"nbf": int(time.time()) + 3600},
}


@pytest.mark.parametrize("claims", WRONG.values(), ids=list(WRONG))
async def test_an_assertion_that_does_not_hold_opens_nothing(program: Program, claims: Json) -> None:
    answer = await program.ask(program.assertion(**claims))
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


async def test_no_other_algorithm_and_no_other_key_opens(program: Program) -> None:
    stranger = RSAKey.generate_key(2048, {"kid": "rsa"}, private=True)
    head, claims, _ = program.assertion().split(".")
    unsigned = f"eyJhbGciOiJub25lIiwia2lkIjoicnNhIn0.{claims}."
    attempts = [
        program.assertion(stranger),
        confused(claims),
        program.assertion(header={"kid": "unknown"}),
        program.assertion(header={"alg": "RS256"}),
        unsigned,
        f"{head}.{claims}.{'A' * 342}",
        "x.y.z",
        "a" * 20_000,
    ]
    for attempt in attempts:
        answer = await program.ask(attempt)
        assert answer.status_code == 401, attempt[:40]
        assert answer.json()["error"] == "invalid_client"


async def test_an_assertion_is_good_once_on_all_servers(program: Program, desk: Desk) -> None:
    assertion = program.assertion()
    assert (await program.ask(assertion)).status_code == 200
    transport = httpx.ASGITransport(create_app(desk.state))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as second:
        answer = await Program(second, program.id).ask(assertion)
    assert answer.status_code == 401
    assert answer.json()["error_description"] == "the assertion was used already"


async def test_a_closed_client_gets_nothing_and_its_tokens_end(program: Program, desk: Desk) -> None:
    secret = (await program.ask()).json()["access_token"]
    async with desk.state.database.transaction(desk.hospital) as tx:
        await clients.disable(tx, program.id)
    assert (await program.ask()).json()["error"] == "invalid_client"
    headers = {"Authorization": f"Bearer {secret}"}
    assert (await program.http.get(f"/fhir/{desk.hospital}/Observation", headers=headers)).status_code == 401


async def test_new_keys_end_the_old_ones(program: Program, desk: Desk) -> None:
    new = ECKey.generate_key("P-384", {"kid": "new"}, private=True)
    async with desk.state.database.transaction(desk.hospital) as tx:
        await clients.rotate(tx, program.id, keys={"keys": [new.as_dict(private=False)]}, keys_url=None)
    assert (await program.ask()).status_code == 401
    assert (await program.ask(program.assertion(new))).status_code == 200


async def test_a_client_of_one_hospital_is_nobody_in_another(program: Program, desk: Desk, other_hospital: str) -> None:
    secret = (await program.ask()).json()["access_token"]
    headers = {"Authorization": f"Bearer {secret}"}
    assert (await program.http.get(f"/fhir/{other_hospital}/Observation", headers=headers)).status_code == 404
    foreign = Program(program.http, f"{other_hospital}.loader")
    assert (await foreign.ask()).json()["error"] == "invalid_client"


REFUSED: dict[str, tuple[Json, str, int]] = {
    "no grant": ({"grant_type": ""}, "invalid_request", 400),
    "another grant": ({"grant_type": "password"}, "unsupported_grant_type", 400),
    "no assertion type": ({"client_assertion_type": ""}, "invalid_client", 401),
    "no scope": ({"scope": ""}, "invalid_scope", 400),
    "scope of nobody's": ({"scope": "system/Encounter.rs"}, "invalid_scope", 400),
    "scope of a person": ({"scope": "user/Observation.rs"}, "invalid_scope", 400),
}


@pytest.mark.parametrize(("more", "code", "status"), REFUSED.values(), ids=list(REFUSED))
async def test_a_refusal_has_the_shape_of_rfc_6749(program: Program, more: Json, code: str, status: int) -> None:
    answer = await program.ask(**more)
    assert (answer.status_code, answer.json()["error"]) == (status, code)
    assert answer.headers["Cache-Control"] == "no-store"


async def test_nothing_is_given_twice_and_json_is_no_form(program: Program) -> None:
    content = "grant_type=client_credentials&grant_type=client_credentials"
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert (await program.http.post("/auth/token", content=content, headers=form)).json()["error"] == "invalid_request"
    assert (await program.http.post("/auth/token", json={})).json()["error"] == "invalid_request"


@pytest.mark.parametrize(
    ("requested", "allowed", "granted"),
    [
        ("system/*.rs", "system/*.cruds", "system/*.rs"),
        ("system/*.read", "system/Observation.cruds system/Patient.r", "system/Observation.rs system/Patient.r"),
        ("system/Observation.cruds", "system/*.rs", "system/Observation.rs"),
        ("system/Observation.rs system/Observation.c", "system/Observation.cr", "system/Observation.cr"),
        ("system/Observation.d", "system/Observation.rs", ""),
        ("user/Observation.rs patient/*.rs openid", "system/*.cruds", ""),
        ("system/*.rs", "user/*.rs", ""),
    ],
)
def test_what_is_granted_was_requested_and_is_allowed(requested: str, allowed: str, granted: str) -> None:
    assert intersection(requested, allowed) == granted


@pytest.mark.parametrize(
    "key",
    [
        RSA.as_dict(private=True),
        OctKey.generate_key(256, {"kid": "k"}).as_dict(private=True),
        {"kty": "RSA", "kid": "k", "e": "AQAB", "n": "w" * 171},
        {"kty": "RSA", "kid": "k", "n": "x"},
        {"kty": "EC", "kid": "k", "crv": "secp256k1", "x": "a", "y": "b"},
        {**EC.as_dict(private=False), "kid": ""},
    ],
    ids=["private", "shared", "small", "broken", "curve", "nameless"],
)
def test_only_public_keys_that_are_strong_enough_are_taken(key: Json) -> None:
    with pytest.raises(Invalid):
        public_keys({"keys": [key]})


async def _once(*_: object) -> bool:
    return True


TEETH: dict[str, tuple[object, str, Any]] = {
    "replay": (clients, "use_assertion", _once),
    "signature": (assertions, "verified", lambda assertion, *_: dict(jose.peek(assertion).claims)),
    "scopes": (token, "intersection", lambda requested, _: requested),
}


@pytest.mark.parametrize("name", TEETH)
async def test_switched_off_the_same_test_fails(
    program: Program, desk: Desk, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    again = {
        "replay": lambda: test_an_assertion_is_good_once_on_all_servers(program, desk),
        "signature": lambda: test_no_other_algorithm_and_no_other_key_opens(program),
        "scopes": lambda: test_a_key_opens_what_is_allowed_and_nothing_else(program, desk, RSA),
    }
    monkeypatch.setattr(*TEETH[name])
    with pytest.raises(AssertionError):
        await again[name]()
