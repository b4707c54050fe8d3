"""What is sealed opens with its key, in its place, unchanged, and not otherwise."""

from __future__ import annotations

import base64

import pytest

from domain.errors import Misconfigured, SealBroken
from store.sealing import KeyRing, Sealed, open_, place, seal

OLD = base64.b64encode(b"o" * 32).decode()
NEW = base64.b64encode(b"n" * 32).decode()


def test_what_is_sealed_opens_again_and_shows_nothing_of_itself() -> None:
    ring = KeyRing.generate()
    sealed = seal(ring, "김하나".encode(), b"here")
    assert open_(ring, sealed, b"here") == "김하나".encode()
    assert "김하나".encode() not in sealed.data
    assert len(sealed.data) == len("김하나".encode()) + 12 + 16


def test_the_same_content_is_sealed_differently_each_time() -> None:
    ring = KeyRing.generate()
    assert seal(ring, b"x", b"").data != seal(ring, b"x", b"").data


@pytest.mark.parametrize("harm", ["place", "byte", "short", "purpose", "hospital", "ring", "unknown key"])
def test_anything_else_breaks_the_seal(harm: str) -> None:
    ring = KeyRing.generate()
    sealed = seal(ring, b"content", b"here", purpose="body", hospital="hanbit")
    data = sealed.data
    if harm == "byte":
        data = data[:20] + bytes([data[20] ^ 1]) + data[21:]
    if harm == "short":
        data = data[:5]
    with pytest.raises(SealBroken):
        open_(
            KeyRing.generate() if harm == "ring" else ring,
            Sealed("k9" if harm == "unknown key" else sealed.key_id, data),
            b"there" if harm == "place" else b"here",
            purpose="temporal" if harm == "purpose" else "body",
            hospital="saebom" if harm == "hospital" else "hanbit",
        )


def test_after_a_rotation_the_old_key_still_opens_what_it_sealed() -> None:
    before = KeyRing.parse(f"2025:{OLD}")
    sealed = seal(before, b"content", b"here")
    after = KeyRing.parse(f"2026:{NEW},2025:{OLD}")
    assert open_(after, sealed, b"here") == b"content"
    assert seal(after, b"more", b"").key_id == "2026"
    with pytest.raises(SealBroken):
        open_(KeyRing.parse(f"2026:{NEW}"), sealed, b"here")


def test_a_ring_is_read_as_it_is_written() -> None:
    ring = KeyRing.parse(f"2026:{NEW},2025:{OLD}")
    assert KeyRing.parse(ring.text) == ring
    assert ring.text == f"2026:{NEW},2025:{OLD}"


def test_keys_are_not_shown_by_accident() -> None:
    assert NEW not in repr(KeyRing.parse(f"2026:{NEW}"))
    assert "nnnn" not in repr(KeyRing.parse(f"2026:{NEW}"))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026",
        "2026:",
        "2026:!!!",
        f"2026:{NEW},2026:{OLD}",
        f"a key:{NEW}",
        "2026:" + base64.b64encode(b"short").decode(),
    ],
)
def test_a_ring_that_is_none_is_refused_without_showing_it(text: str) -> None:
    with pytest.raises(Misconfigured) as refused:
        KeyRing.parse(text)
    assert NEW not in str(refused.value)
    assert "!!!" not in str(refused.value)


def test_each_purpose_and_hospital_has_a_key_of_its_own() -> None:
    ring = KeyRing.generate()
    derived = {
        ring.derive("k1", purpose, hospital) for purpose in ("body", "temporal") for hospital in ("hanbit", "saebom")
    }
    assert len(derived) == 4
    assert all(len(key) == 32 for key in derived)


def test_no_two_places_share_one_spelling() -> None:
    assert place("ab", "c") != place("a", "bc")
    assert place("a", "") != place("a")
