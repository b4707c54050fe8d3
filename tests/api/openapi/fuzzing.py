"""What Schemathesis makes of our document: requests that fit it and requests that do not, and what is said of answers.

Its requests alone would end at "no such thing": ids of the path are replaced, in most cases, by those of records that
are there, so that they come further in.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded
from hypothesis import strategies as st
from schemathesis import APIOperation, Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    ignored_auth,
    missing_required_header,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
    negative_data_rejection,
    missing_required_header,
    unsupported_method,
    ignored_auth,
]
EXPECTED = {"checks": {"negative_data_rejection": {"expected-statuses": ["4xx", "5xx"]}}}
"""A text that is too long may make the body too large: 413 refuses it as well."""

READY = "/readyz"
"""503 while nobody works, as here: that is its answer."""


@dataclass
class Fuzzing:
    """known: ids of what is there, by parameter.  headers: who asks."""

    document: dict[str, Any]
    address: str
    headers: Mapping[str, str]
    known: Mapping[str, str]
    seen: Counter[int] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def operations(self) -> list[APIOperation[Any, Any]]:
        schema = schemathesis.openapi.from_dict(self.document, config=schemathesis.Config.from_dict(EXPECTED))
        return [found.ok() for found in schema.get_all_operations()]

    def run(self, operation: APIOperation[Any, Any], *, examples: int, seed: int) -> None:
        """So many requests of one operation, half of them wrong on purpose."""
        modes = [operation.as_strategy(generation_mode=GenerationMode.POSITIVE)]
        if operation.body or any(operation.iter_parameters()):
            modes.append(operation.as_strategy(generation_mode=GenerationMode.NEGATIVE))
        how = settings(
            max_examples=examples,
            deadline=None,
            database=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )

        @seeded(seed)
        @how
        @given(case=st.one_of(modes), inside=st.integers(0, 3))
        def ask(case: Case, inside: int) -> None:
            if inside:
                self._come_in(case)
            self._ask(case)

        ask()

    def _come_in(self, case: Case) -> None:
        for name in case.path_parameters or {}:
            if name in self.known:
                case.path_parameters[name] = self.known[name]

    def _ask(self, case: Case) -> None:
        answer = case.call(base_url=self.address, headers=dict(self.headers))
        self.seen[answer.status_code] += 1
        checks = [each for each in CHECKS if each is not not_a_server_error] if case.path == READY else CHECKS
        try:
            case.validate_response(
                answer, checks=checks, headers=dict(self.headers), transport_kwargs={"base_url": self.address}
            )
        except FailureGroup as group:
            told = "; ".join(f"{each.title}: {each.message}" for each in group.exceptions)
            self.wrong.append(f"{case.method} {case.formatted_path} {case.body!r:.300}: {told}\n{answer.text[:600]}")
