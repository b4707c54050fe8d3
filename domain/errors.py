"""Errors raised on purpose, in one tree.

    PhisError
    ├── Refused                     the request cannot be done as it stands; asking again changes nothing
    │   ├── Invalid                 its content is wrong, `field` says where
    │   ├── NotSignedIn             nobody is known to be asking
    │   ├── Forbidden               somebody is, and may not
    │   │   └── OwnAccount              a colleague has to do this: it is the asker's own account
    │   ├── NotFound                no such thing, or it belongs to another hospital
    │   │   ├── Deleted             it was here and was deleted; its history stays
    │   │   └── OutOfReach          it is there, and not for the caller: said as if it were not
    │   ├── Conflict                true a moment ago, not any more
    │   │   ├── StaleRevision       the thing has changed since it was read
    │   │   ├── AlreadyClaimed      somebody else owns the task
    │   │   ├── AlreadyDone         the task or process has ended
    │   │   ├── NotOwner            the task must be claimed first
    │   │   ├── BedTaken            the bed has an occupant at that time
    │   │   ├── ActiveStayExists    the patient already has an inpatient stay
    │   │   ├── LikelyDuplicate     somebody who may be the same person is registered already
    │   │   ├── NotSetUp            the hospital's set-up lacks what the process needs
    │   │   └── ProcessOwned        a process owns this state: a command changes it, a write does not
    │   ├── MultipleMatches         a condition that should name one thing names several
    │   ├── SignOnRefused               the hospital's own sign-on did not let the person in
    │   │   └── NoAccountHere           it did, and there is no account for the person
    │   ├── ProofNeeded                 somebody is signed in, and must prove anew to be still there
    │   ├── TooManyAttempts             proofs failed too often from there; after a pause the next may come
    │   ├── TooCostly               it would take more than anybody may ask for at once
    │   └── KeyReused               the idempotency key was used with another body
    ├── Unavailable                 a part of the house does not answer; the same call succeeds later
    │   └── FilesChanged            installed files are not what was signed, so nothing is written
    ├── SealBroken                  encrypted content cannot be opened: wrong key, wrong place or changed bytes
    ├── RuleUnusable                a rule document is not one that can be evaluated
    └── Misconfigured               the installation's own settings or surroundings are wrong

An error knows nothing of HTTP. Each edge has one function that renders it: `api/problems.py`, a screen,
`activities/edge.py` for Temporal.
"""

from __future__ import annotations

from typing import ClassVar


class PhisError(Exception):
    """Base of every error raised on purpose.

    `code` is public and stable. The message and `params` never contain personal data: references, codes, times and
    account names only, because both travel to logs and histories.
    """

    code: ClassVar[str] = "error"
    retryable: ClassVar[bool] = False  # would the same call succeed later, with nothing else changed?

    def __init__(self, message: str = "", /, **params: str) -> None:
        super().__init__(message or self.code)
        self.params = params


class Refused(PhisError):
    """The request cannot be done as it stands."""

    code = "refused"


class Invalid(Refused):
    """The content is wrong. `field` is a JSON Pointer or a name."""

    code = "invalid"


class NotSignedIn(Refused):
    code = "not-signed-in"


class Forbidden(Refused):
    code = "forbidden"


class OwnAccount(Forbidden):
    """Nobody gives themselves roles, and nobody locks themselves out by accident."""

    code = "own-account"


class NotFound(Refused):
    code = "not-found"


class Deleted(NotFound):
    """Params: `reference`, `version` (of the deletion)."""

    code = "deleted"


class OutOfReach(NotFound):
    """Params: `reference`; `patient` where a broken glass would open it. FHIR clients hear NotFound."""

    code = "out-of-reach"


class Conflict(Refused):
    """True a moment ago, not any more."""

    code = "conflict"


class StaleRevision(Conflict):
    """Params: `expected`, `actual`."""

    code = "stale-revision"


class AlreadyClaimed(Conflict):
    """Params: `by` (account), `at` (ISO instant)."""

    code = "already-claimed"


class AlreadyDone(Conflict):
    """Params: `by` (account, absent for the system), `at` (ISO instant), `status`."""

    code = "already-done"


class NotOwner(Conflict):
    """Params: `by` (account), absent when nobody has claimed the task."""

    code = "not-owner"


class BedTaken(Conflict):
    """Params: `bed` (reference)."""

    code = "bed-taken"


class ActiveStayExists(Conflict):
    """Params: `encounter` (reference)."""

    code = "active-stay-exists"


class LikelyDuplicate(Conflict):
    """Params: `patients` (references, comma-separated, the likeliest first)."""

    code = "likely-duplicate"


class NotSetUp(Conflict):
    """Params: `gap` (code of `domain.setup.sentences`), `page` that mends it, `entries`, sentences `ko` and `en`."""

    code = "not-set-up"


class ProcessOwned(Conflict):
    """Params: `reference`, `elements` (comma-separated), `command` (what changes them)."""

    code = "process-owned"


class MultipleMatches(Refused):
    """Params: `reference` or `criteria`, where they hold nothing personal."""

    code = "multiple-matches"


class SignOnRefused(Refused):
    code = "sign-on-refused"


class NoAccountHere(SignOnRefused):
    code = "no-account-here"


class ProofNeeded(Refused):
    """Params: `action`."""

    code = "step-up-required"


class TooManyAttempts(Refused):
    """Params: `seconds`, how long the pause is."""

    code = "too-many-attempts"


class TooCostly(Refused):
    """Params: `limit`."""

    code = "too-costly"


class KeyReused(Refused):
    code = "idempotency-key-reused"


class Unavailable(PhisError):
    """Params: `part`, one of `database`, `engine`, `disk`."""

    code = "unavailable"
    retryable = True


class FilesChanged(Unavailable):
    code = "files-changed"


class SealBroken(PhisError):
    code = "seal-broken"


class RuleUnusable(PhisError):
    """Params: `pointer`, the JSON Pointer of what is wrong, where known."""

    code = "rule-unusable"


class Misconfigured(PhisError):
    """The message is a sentence that says what to do."""

    code = "misconfigured"
