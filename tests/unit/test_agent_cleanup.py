"""What is cleaned up after an agent when its server cannot be asked any more."""

from __future__ import annotations

import httpx

from pytest_letta.agent import AgentMaker
from pytest_letta.handles import Handles
from pytest_letta.ownership import Ledger

_AGENT = {"id": "agent-1", "memory": {"blocks": []}}


def test_an_agent_of_a_server_that_is_away_is_told_as_left_behind() -> None:
    is_away = False

    def serve(request: httpx.Request) -> httpx.Response:
        if is_away:
            raise httpx.ConnectError("refused", request=request)
        return httpx.Response(200, json=_AGENT)

    client = httpx.Client(transport=httpx.MockTransport(serve), base_url="http://letta.test")
    leftovers: list[str] = []
    ledger = Ledger("run", leftovers)
    maker = AgentMaker(client, Handles(model="m", embedding=None), ledger, {})
    maker()
    is_away = True

    maker.note_archives()
    ledger.clear(client)

    assert leftovers == ["/v1/agents/agent-1: ConnectError: refused"]
