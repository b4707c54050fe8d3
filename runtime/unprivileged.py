"""PostgreSQL refuses to run as root: which other account takes its place, and what that account can reach."""

from __future__ import annotations

import hashlib
import os
import pwd
import shutil
import stat
from pathlib import Path

from domain.errors import Misconfigured
from runtime.children import Account

OURS = Path("/var/lib/phis")
"""Where root keeps what an unprivileged account must reach, when the usual places are closed to it."""


def account_for(data: Path) -> Account | None:
    """The account that runs a server over `data`: None when we are not root, and then the server runs as we do.

    An existing folder keeps its owner, so that a user added to the system later changes nothing.
    """
    if os.geteuid() != 0:
        return None
    if data.exists() and (owner := data.stat().st_uid) != 0:
        try:
            return _account(pwd.getpwuid(owner))
        except KeyError:
            message = f"{data} belongs to user {owner}, whom this system does not know: give it back its owner."
            raise Misconfigured(message) from None
    for name in ("postgres", "nobody"):
        try:
            return _account(pwd.getpwnam(name))
        except KeyError:
            continue
    raise Misconfigured("As root, PostgreSQL needs an unprivileged user to run as: add one named postgres.")


def can_reach(path: Path, account: Account) -> bool:
    """Whether every folder down to `path` lets the account pass. What does not exist yet is ours to make reachable."""
    path = path.resolve()
    return all(_may_pass(folder, account) for folder in (path, *path.parents) if folder.exists())


def reachable_copy(folders: list[Path], account: Account) -> Path:
    """The common parent of `folders`: where they are if the account can reach it, else a copy of ours, made once.

    The copy belongs to root and is named by the digest of its content, so it is never half made, old or altered.
    """
    parent = folders[0].parent
    if all(can_reach(folder, account) for folder in folders):
        return parent
    digest = _digest(parent, folders)
    copy = OURS / "programs" / digest
    if copy.exists() and _digest(copy, [copy / folder.name for folder in folders]) == digest:
        return copy
    draft = copy.with_name(f".{digest}.{os.getpid()}")
    for folder in (OURS, copy.parent, draft):
        if not folder.exists():  # a folder that an administrator made keeps the rights it was given
            folder.mkdir()
            folder.chmod(0o755)
    for folder in folders:
        shutil.copytree(folder, draft / folder.name, symlinks=True)
    for made in (draft, *draft.rglob("*")):
        if not made.is_symlink():
            made.chmod(0o755 if made.is_dir() or made.stat().st_mode & stat.S_IXUSR else 0o644)
    shutil.rmtree(copy, ignore_errors=True)
    draft.rename(copy)
    return copy


def _account(entry: pwd.struct_passwd) -> Account:
    return Account(uid=entry.pw_uid, gid=entry.pw_gid, name=entry.pw_name)


def _may_pass(folder: Path, account: Account) -> bool:
    found = folder.stat()
    if found.st_uid == account.uid:
        return bool(found.st_mode & stat.S_IXUSR)
    if found.st_gid == account.gid:
        return bool(found.st_mode & stat.S_IXGRP)
    return bool(found.st_mode & stat.S_IXOTH)


def _digest(parent: Path, folders: list[Path]) -> str:
    whole = hashlib.sha256()
    for file in sorted(file for folder in folders for file in folder.rglob("*") if file.is_file()):
        whole.update(f"{file.relative_to(parent)}\0{file.stat().st_size}\0".encode())
        with file.open("rb") as content:
            whole.update(hashlib.file_digest(content, "sha256").digest())
    return whole.hexdigest()[:32]
