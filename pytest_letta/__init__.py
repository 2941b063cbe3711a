"""Contract tests and pytest fixtures for Letta deployments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytest_letta.conformance.contract import contract
    from pytest_letta.conformance.verdicts import could_not_run, must, not_applicable
    from pytest_letta.deployment import Deployment
    from pytest_letta.errors import PytestLettaError

#: Public name -> the module that holds it. Resolved at first use: importing the package imports nothing else.
_HOMES = {
    "Deployment": "pytest_letta.deployment",
    "PytestLettaError": "pytest_letta.errors",
    "contract": "pytest_letta.conformance.contract",
    "could_not_run": "pytest_letta.conformance.verdicts",
    "must": "pytest_letta.conformance.verdicts",
    "not_applicable": "pytest_letta.conformance.verdicts",
}

__all__ = ["Deployment", "PytestLettaError", "contract", "could_not_run", "must", "not_applicable"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
