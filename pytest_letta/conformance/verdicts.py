"""Verdicts, and the exceptions and calls by which a contract reaches one."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, NoReturn

import pytest

from pytest_letta.capabilities import READ_ONLY
from pytest_letta.errors import PytestLettaError, ReadOnlyError

#: What `pytest.skip` raises: a run without our verdicts takes ours for skips.
_Skipped: Any = pytest.skip.Exception


class Verdict(StrEnum):
    """What a run says of one contract."""

    PASS = "pass"
    FAIL = "fail"
    KNOWN = "known"
    NOT_APPLICABLE = "not-applicable"
    COULD_NOT_RUN = "could-not-run"
    ERROR = "error"


class ContractViolation(AssertionError):
    """The deployment broke the promise; the text says what was seen."""


class NotApplicable(_Skipped):  # type: ignore[misc]
    """The deployment does not claim what the contract is about."""


class CouldNotRun(_Skipped):  # type: ignore[misc]
    """The harness lacked something that the contract needs; such a run is never green."""


def must(problem: str | None) -> None:
    """Fail the contract with `problem`; ``None`` means that nothing is wrong."""
    __tracebackhide__ = True
    if problem is not None:
        raise ContractViolation(problem)


def not_applicable(reason: str) -> NoReturn:
    """End the contract: the deployment does not claim this. Say how to make it applicable."""
    raise NotApplicable(reason)


def could_not_run(reason: str) -> NoReturn:
    """End the contract: the harness lacks something. Say what, and the remedy."""
    raise CouldNotRun(reason)


def judge(when: str, raised: BaseException | None) -> tuple[Verdict, str]:
    """Return the verdict and the cause of one phase ("setup", "call" or "teardown") of a contract.

    A prerequisite that fails during setup is no statement about the promise: the contract could not run.
    """
    if raised is None:
        return Verdict.PASS, ""
    text = str(raised) or type(raised).__name__
    if isinstance(raised, ReadOnlyError):
        return Verdict.NOT_APPLICABLE, READ_ONLY  # whatever it was, so that it is told once
    if isinstance(raised, NotApplicable):
        return Verdict.NOT_APPLICABLE, text
    if isinstance(raised, pytest.skip.Exception):
        return Verdict.COULD_NOT_RUN, text
    if when == "call" and (isinstance(raised, AssertionError) or _is_of_the_deployment(raised)):
        return Verdict.FAIL, _with_notes(raised, text)
    unmet = isinstance(raised, pytest.fail.Exception | ContractViolation) or _is_of_the_deployment(raised)
    if when == "setup" and unmet:
        return Verdict.COULD_NOT_RUN, _with_notes(raised, text)
    return Verdict.ERROR, _with_notes(raised, f"{type(raised).__name__}: {text}")


def _is_of_the_deployment(raised: BaseException) -> bool:
    """Tell whether the deployment caused `raised`: it broke the connection, timed out, or broke a grammar."""
    import httpx

    return isinstance(raised, httpx.TransportError | httpx.HTTPStatusError | PytestLettaError)


def _with_notes(raised: BaseException, text: str) -> str:
    return "\n".join([text, *getattr(raised, "__notes__", ())])
