"""TLS: the certificate of a stack holds for its clients alone, and each contract of TLS fails for its own reason."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from killing import assert_killed, without_case

from pytest_letta.client import open_client
from pytest_letta.faults.catalogue.network_tls import FAULTS
from pytest_letta.faults.tls import TlsFault, of_another_host, with_tls_fault
from pytest_letta.stack.stack import Stack


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_fault_of_tls_is_caught(judge: Any, live_stack: Stack, fault: TlsFault) -> None:
    keyword = " or ".join(sorted({without_case(id) for id in fault.kills}))
    with with_tls_fault(live_stack, fault) as faulty:
        assert_killed(judge("network", keyword, healthy=faulty), fault)


def test_client_takes_the_certificate_of_its_authority(live_stack: Stack) -> None:
    with open_client(str(live_stack.tls_url), ca_file=live_stack.ca_file) as client:
        assert client.get("/v1/health/").status_code == 200


def test_client_refuses_a_certificate_that_nobody_vouches_for(live_stack: Stack) -> None:
    with (
        open_client(str(live_stack.tls_url)) as client,
        pytest.raises(httpx.ConnectError, match="unable to get local issuer certificate"),
    ):
        client.get("/v1/health/")


def test_client_refuses_the_certificate_of_another_host(live_stack: Stack) -> None:
    fault = TlsFault("other-host", kills=(), reason="", certificate=of_another_host)
    with (
        with_tls_fault(live_stack, fault) as faulty,
        open_client(str(faulty.tls_url), ca_file=faulty.ca_file) as client,
        pytest.raises(httpx.ConnectError, match="mismatch"),
    ):
        client.get("/v1/health/")
