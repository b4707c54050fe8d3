"""The key ring of the recorded histories. Everybody can read it here, so it protects nothing and seals nothing else."""

from __future__ import annotations

from store.sealing import KeyRing

KEYS = KeyRing("replay", {"replay": bytes(range(32))})
