"""What happens around every activity: its hospital is known, its refusals keep their code, its surprises are logged."""

from __future__ import annotations

from typing import Any

import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError, FailureError
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from activities.edge import hospital_here
from domain.errors import PhisError
from workflows.refusals import as_failure

_log = structlog.get_logger(__name__)


class AtTheEdge(Interceptor):
    """Worker interceptor: every activity belongs to a hospital, and errors leave in the house's own form."""

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002
        return _Edge(next)


class _Edge(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002
        info = activity.info()
        try:
            hospital_here()  # refuses a process whose id names no hospital, before anything is opened for it
            return await super().execute_activity(input)
        except FailureError:
            raise
        except PhisError as error:
            if error.retryable:
                _log.warning("activity-delayed", activity=info.activity_type, code=error.code, attempt=info.attempt)
            raise as_failure(error) from None
        except Exception as error:
            # A defect, or a part of the house that fails in a new way: tried again for ever, so that correcting it
            # lets the process go on. Its text may hold a patient's data: the log leaves out
            # every exception's text, and the history is given none.
            _log.exception("activity-failed", activity=info.activity_type, attempt=info.attempt)
            raise ApplicationError(f"unexpected {type(error).__name__}", type="unexpected") from None
