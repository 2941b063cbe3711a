"""What the live tests ask of a real server and of the machine."""

from __future__ import annotations

from typing import Any

import httpx
import psutil

from pytest_letta.stack.stack import Stack

MODEL = "openai-proxy/gpt-4o-mini"


def call(base_url: str, method: str, path: str, **more: Any) -> Any:
    """Return the JSON of an answer that must be a success; on a connection of its own."""
    answer = httpx.request(method, base_url + path, timeout=30, **more)
    assert answer.is_success, f"{answer.status_code} {answer.text[:500]}"
    return answer.json()


def make_agent(stack: Stack, **fields: Any) -> str:
    """Create an agent with a block ``human`` that says ``Ann`` and return its id."""
    body = {"model": MODEL, "memory_blocks": [{"label": "human", "value": "Ann"}], **fields}
    agent: dict[str, str] = call(stack.url, "POST", "/v1/agents/", json=body)
    return agent["id"]


def block_value(base_url: str, agent: str) -> str:
    value: str = call(base_url, "GET", f"/v1/agents/{agent}/core-memory/blocks/human")["value"]
    return value


def send(base_url: str, agent: str, text: str) -> list[str]:
    """Send a message and return what the agent says."""
    body = {"messages": [{"role": "user", "content": text}]}
    answer = call(base_url, "POST", f"/v1/agents/{agent}/messages", json=body)
    return [one["content"] for one in answer["messages"] if one["message_type"] == "assistant_message"]


def listeners(stack: Stack, service: str) -> set[psutil.Process]:
    """Return the processes that listen at the address of `service`."""
    port = stack.address(service).port
    listening = [one for one in psutil.net_connections("tcp") if one.status == psutil.CONN_LISTEN]
    return {psutil.Process(one.pid) for one in listening if one.laddr.port == port and one.pid is not None}


def server_process(stack: Stack) -> psutil.Process:
    """Return the process of the Letta server."""
    (process,) = listeners(stack, "letta")
    return process
