"""How an effect on our own PostgreSQL runs."""

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

EFFECT = workflow.LocalActivityConfig(
    # Engine room, 2: one transaction, a few milliseconds. A local activity that lives longer than this is not healthy.
    start_to_close_timeout=timedelta(seconds=5),
    # Beyond this the retry becomes a timer in the history, so that a long outage does not hold a workflow task open.
    local_retry_threshold=timedelta(seconds=5),
    # For ever: the database comes back, and a refusal is not retryable by its type.
    retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=100), maximum_interval=timedelta(seconds=10)),
)
