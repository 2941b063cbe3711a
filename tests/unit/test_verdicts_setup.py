"""What fails while a contract is set up is no verdict on its promise, and not our own error either."""

from __future__ import annotations

import httpx
import pytest

from pytest_letta.conformance.verdicts import ContractViolation, Verdict, judge
from pytest_letta.errors import TargetError


@pytest.mark.parametrize(
    "raised",
    [
        ContractViolation("POST /v1/blocks/ answered 500"),
        httpx.ReadTimeout("60 s"),
        TargetError("no model"),
        pytest.fail.Exception("no stack"),
    ],
    ids=lambda raised: type(raised).__name__,
)
def test_prerequisite_that_fails_could_not_run(raised: BaseException) -> None:
    verdict, cause = judge("setup", raised)

    assert (verdict, cause) == (Verdict.COULD_NOT_RUN, str(raised))


def test_bug_in_a_fixture_is_an_error() -> None:
    verdict, cause = judge("setup", KeyError("id"))

    assert (verdict, cause) == (Verdict.ERROR, "KeyError: 'id'")
