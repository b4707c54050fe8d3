"""Our errors as Temporal failures: the type is the error's code, the one detail its parameters."""

from __future__ import annotations

from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from domain.errors import PhisError, Refused


def as_failure(error: PhisError) -> ApplicationError:
    """What an activity, a validator or a handler raises. Only retryable errors are tried again by Temporal."""
    # A refusal is a normal answer: the engine neither logs nor counts it as a failure.
    benign = ApplicationErrorCategory.BENIGN if isinstance(error, Refused) else ApplicationErrorCategory.UNSPECIFIED
    return ApplicationError(
        str(error), error.params, type=error.code, non_retryable=not error.retryable, category=benign
    )
