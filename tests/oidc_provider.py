"""A hospital's own sign-on, outside the hospital: an OpenID Connect provider in a process of its own, over HTTP.

It keeps the contract (discovery, code, PKCE, client secret, signed identity token) and, when told so, breaks it in one
way. Run: `python -m tests.oidc_provider`; its first line is its address.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT, SECRET = "phis", "s3cret/with:signs"
KEY = RSAKey.generate_key(2048, {"kid": "sign-on", "use": "sig"}, private=True)
STRANGER = RSAKey.generate_key(2048, {"kid": "sign-on", "use": "sig"}, private=True)


class Provider(ThreadingHTTPServer):
    """mode: how it misbehaves, empty for not at all.  person: whom it signs in.  more: further claims."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.issuer = f"http://127.0.0.1:{self.server_address[1]}"
        self.mode = ""
        self.person = "person-1"
        self.more: dict[str, Any] = {}
        self.codes: dict[str, dict[str, str]] = {}


class Handler(BaseHTTPRequestHandler):
    server: Provider

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """In silence."""

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        given = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if parts.path == "/.well-known/openid-configuration":
            issuer = self.server.issuer
            self._json(
                {
                    "issuer": "https://another.example" if self.server.mode == "describes-another" else issuer,
                    "authorization_endpoint": f"{issuer}/authorize",
                    "token_endpoint": f"{issuer}/token",
                    "jwks_uri": f"{issuer}/keys",
                    "authorization_response_iss_parameter_supported": True,
                }
            )
        elif parts.path == "/keys":
            self._json({"keys": [KEY.as_dict(private=False)]})
        elif parts.path == "/authorize":
            self._authorize(given)
        else:
            self._json({"error": "not found"}, 404)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        if self.path == "/tell":
            told = json.loads(body)
            self.server.mode, self.server.more = told.get("mode", ""), told.get("more", {})
            self.server.person = told.get("person", "person-1")
            self._json({})
            return
        self._token({name: values[0] for name, values in parse_qs(body).items()})

    def _authorize(self, given: dict[str, str]) -> None:
        needed = {"client_id": CLIENT, "response_type": "code", "code_challenge_method": "S256"}
        if any(given.get(name) != value for name, value in needed.items()) or not given.get("code_challenge"):
            self._json({"error": "invalid_request"}, 400)
            return
        code = secrets.token_urlsafe(16)
        self.server.codes[code] = given
        issuer = "https://another.example" if self.server.mode == "mix-up" else self.server.issuer
        answer = {"code": code, "state": given["state"], "iss": issuer}
        if self.server.mode == "nameless":
            del answer["iss"]
        self.send_response(302)
        self.send_header("Location", f"{given['redirect_uri']}?{urlencode(answer)}")
        self.end_headers()

    def _token(self, form: dict[str, str]) -> None:
        asked = self.server.codes.pop(form.get("code", ""), None)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
        basic = base64.b64decode(self.headers.get("Authorization", "Basic ").partition(" ")[2]).decode()
        client, _, secret = basic.partition(":")
        if (
            asked is None
            or form.get("redirect_uri") != asked["redirect_uri"]
            or challenge.rstrip(b"=").decode() != asked["code_challenge"]
            or (unquote(client), unquote(secret)) != (CLIENT, SECRET)
        ):
            self._json({"error": "invalid_grant"}, 400)
            return
        self._json({"access_token": "x", "token_type": "Bearer", "id_token": self._identity(asked["nonce"])})

    def _identity(self, nonce: str) -> str:
        now, mode = int(time.time()), self.server.mode
        claims: dict[str, Any] = {
            "iss": self.server.issuer,
            "aud": CLIENT,
            "sub": self.server.person,
            "exp": now + 300,
            "iat": now,
            "nonce": nonce,
            **self.server.more,
        }
        claims |= {
            "wrong-nonce": {"nonce": "another"},
            "wrong-issuer": {"iss": "https://another.example"},
            "wrong-audience": {"aud": "another"},
            "more-audiences": {"aud": [CLIENT, "another"]},
            "another-party": {"azp": "another"},
            "expired": {"exp": now - 600, "iat": now - 900},
            "old": {"iat": now - 3600},
            "no-exp": {"exp": "never"},
            "nobody": {"sub": ""},
        }.get(mode, {})
        if mode in {"none", "confusion"}:
            return _unsafe(mode, claims)
        key = STRANGER if mode == "other-key" else KEY
        algorithm = "RS384" if mode == "other-algorithm" else "RS256"
        return jwt.encode({"alg": algorithm, "kid": "sign-on"}, claims, key, algorithms=[algorithm])

    def _json(self, content: object, status: int = 200) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _unsafe(mode: str, claims: dict[str, Any]) -> str:
    """Not signed at all, or signed with the public key as a shared secret."""
    head = {"alg": "none" if mode == "none" else "HS256", "kid": "sign-on"}
    text = ".".join(_base64(json.dumps(part).encode()) for part in (head, claims))
    if mode == "none":
        return f"{text}."
    return f"{text}.{_base64(hmac.new(KEY.as_pem(private=False), text.encode(), 'sha256').digest())}"


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


if __name__ == "__main__":
    provider = Provider()
    sys.stdout.write(f"{provider.issuer}\n")
    sys.stdout.flush()
    provider.serve_forever()
