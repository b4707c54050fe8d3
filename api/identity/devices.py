"""Devices that have signed in with an account before, so that strangers who fail elsewhere do not hold them up.

A cookie carries signed marks, a few accounts' of a shared computer. A mark proves nothing but this: it gives the device
a count of failures of its own.
"""

from __future__ import annotations

import hmac
import ipaddress
import secrets
from hashlib import sha256

from starlette.requests import Request
from starlette.responses import Response

from api.state import AppState
from domain.errors import SealBroken
from store.attempts import Place
from store.sealing import KeyRing

_MOST = 8
_LASTS = 180 * 24 * 3600  # seconds
_PURPOSE = "device"
_PARTS = 3


def cookie_name(state: AppState) -> str:
    return "__Host-phis-device" if state.secure_cookies else "phis-device"


def place_of(request: Request, state: AppState, keys: KeyRing, hospital: str, account: str) -> Place:
    """Where an attempt with an account comes from: its known device, or its network address."""
    device = known_device(request.cookies.get(cookie_name(state), ""), keys, hospital, account)
    if device is not None:
        return Place(account, f"device:{device}", None)
    address = network_of(request.client.host if request.client else "")
    return Place(account, f"address:{address}", address)


def known_device(cookie: str, keys: KeyRing, hospital: str, account: str) -> str | None:
    """The device's number, if one of the marks is this account's."""
    for mark in cookie.split("~")[:_MOST]:
        parts = mark.split(".")
        if len(parts) == _PARTS:
            key_id, device, given = parts
            try:
                right = _signature(keys, key_id, hospital, account, device)
            except SealBroken:
                continue
            if hmac.compare_digest(right.encode(), given.encode()):
                return device
    return None


def marks_with(cookie: str, keys: KeyRing, hospital: str, account: str) -> str:
    """The cookie's next value: this device has signed in with the account, and with those that it has marks of."""
    present = [mark for mark in cookie.split("~") if mark]
    if known_device(cookie, keys, hospital, account) is None:
        device = secrets.token_urlsafe(12)
        present.insert(0, f"{keys.current}.{device}.{_signature(keys, keys.current, hospital, account, device)}")
    return "~".join(present[:_MOST])


def remember(response: Response, state: AppState, marks: str) -> None:
    response.set_cookie(
        cookie_name(state), marks, max_age=_LASTS, httponly=True, secure=state.secure_cookies, samesite="lax"
    )


def network_of(address: str) -> str:
    """An IPv4 address, or the network of an IPv6 one: a single subscriber has 2^64 of those."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)


def _signature(keys: KeyRing, key_id: str, hospital: str, account: str, device: str) -> str:
    key = keys.derive(key_id, _PURPOSE, hospital)
    return hmac.new(key, f"{account}\n{device}".encode(), sha256).hexdigest()[:43]
