"""Finds the deployment that the settings and the stack name, and tells a report about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytest_letta.deployment import Deployment
    from pytest_letta.settings import Settings
    from pytest_letta.spec import Spec
    from pytest_letta.stack.stack import Stack


def probe_target(settings: Settings, stack: Stack) -> Deployment:
    """Probe the server of `stack`, with what the settings and the stack add to its capabilities."""
    from pytest_letta.deployment import probe
    from pytest_letta.stack.stack import ACTIONS
    from pytest_letta.tls import tls_address

    llm_url = settings.llm or getattr(stack, "llm_url", None)
    extras: dict[str, bool | str] = {action: stack.can(action) for action in sorted(ACTIONS)}
    extras |= {
        "llm": llm_url or False,
        "origin": settings.origin or False,
        "tls": getattr(tls_address(stack), "url", False),
        "model": settings.model or bool(llm_url),
        "write": not settings.read_only,
    }
    return probe(
        stack.url,
        proxy_url=stack.proxy_url,
        token=settings.token,
        timeout_s=settings.timeout,
        provider=stack.provider,
        extras=extras,
    )


def describe(deployment: Deployment) -> dict[str, Any]:
    """Return what a report says of the deployment, with its documented operations: whether each is deprecated."""
    return {
        "url": deployment.url,
        "proxy_url": deployment.proxy_url,
        "provider": deployment.provider,
        "version": deployment.version,
        "capabilities": {name: one.available for name, one in sorted(deployment.capabilities.items())},
        "warnings": list(deployment.warnings),
        "operations": _operations(deployment.spec) if deployment.spec else {},
    }


def _operations(spec: Spec) -> dict[str, bool]:
    return {key: one.is_deprecated for key, one in sorted(spec.operations.items())}
