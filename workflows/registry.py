"""Which processes exist, as code outside of them starts them from their rows and speaks to them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from domain import admission, rule_impact
from workflows.admission import Admission
from workflows.rule_impact import RuleImpact


@dataclass(frozen=True)
class Update:
    """The models of what an Update takes and answers."""

    arg: type[Any]
    result: type[Any]


@dataclass(frozen=True)
class Process:
    """definition: the workflow's class, for workers.  state: the model of its row.  updates: by name."""

    definition: type
    state: type[Any]
    updates: Mapping[str, Update] = field(default_factory=dict)

    @property
    def workflow(self) -> Callable[..., Awaitable[Any]]:
        """What a client starts."""
        run: Callable[..., Awaitable[Any]] = self.definition.run  # type: ignore[attr-defined]  # every workflow has one
        return run


PROCESSES: Mapping[str, Process] = MappingProxyType(
    {
        admission.PROCESS: Process(
            definition=Admission,
            state=admission.AdmissionState,
            updates={
                "assign_bed": Update(arg=admission.AssignBed, result=admission.BedAssigned),
                "cancel": Update(arg=admission.CancelAdmission, result=admission.Cancelled),
            },
        ),
        rule_impact.PROCESS: Process(definition=RuleImpact, state=rule_impact.ImpactState),
    }
)
"""By the process part of a workflow id."""
