"""A deployment with agents of others, judged by its URL alone: theirs stay as they are, and nothing of ours stays."""

from __future__ import annotations

import json
import shlex
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from database_rows import age, copy_agent, rows
from killing import known_ids, without_case
from live_agents import MODEL, call

from pytest_letta.stack.local import LocalStack
from pytest_letta.stack.stack import Stack

_FOREIGN_AGENTS = 200

#: Rows that a server writes by itself, or that no client can remove.
_LEFT_OUT = {
    # Written anew at each start, and whenever a list of tools leaves out a base tool, as each filtered one does.
    "tools": "tool_type LIKE 'letta_%'",
    # Looked up and stored at each start.
    "providers": "true",
    "provider_models": "true",
    # What was sent to a provider for agents that are gone: no route deletes it.
    "provider_traces": "agent_id NOT IN (SELECT id FROM agents)",
}

#: How what can be done to a stack of ours alone says that it is not applicable.
_ONLY_OURS = "use --letta-stack"


@dataclass
class Restarting:
    """Restarts the server of a stack whenever its `command` is run, as a supervisor does."""

    command: str = ""
    count: int = 0


@pytest.fixture(scope="module")
def foreign(cache_dir: Path) -> Iterator[Stack]:
    """A stack of somebody else, in use: agents with memory and history, a tool, another organization."""
    with LocalStack(cache_dir=cache_dir) as stack:
        _furnish(stack)
        yield stack


def _furnish(stack: Stack) -> None:
    def make(path: str, body: Any, **headers: str) -> Any:
        return call(stack.url, "POST", path, json=body, headers=headers)

    tool = make("/v1/tools/", {"source_code": 'def lend():\n    """Lend a book."""\n'})
    blocks = [{"label": label, "value": f"This is {label} number "} for label in ("human", "persona")]
    agent = make(
        "/v1/agents/",
        {
            "name": "librarian",
            "model": MODEL,
            "embedding": "openai/text-embedding-3-small",
            "tags": ["library"],
            "tool_ids": [tool["id"]],
            "memory_blocks": blocks,
        },
    )["id"]
    make(f"/v1/agents/{agent}/archival-memory", {"text": "Opens at nine.", "tags": ["hours"]})
    make(f"/v1/agents/{agent}/messages", {"input": "When do you open?"})
    copy_agent(stack, agent, _FOREIGN_AGENTS - 1)
    make(f"/v1/conversations/?agent_id={agent}", {})
    organization = make("/v1/admin/orgs/", {"name": "library"})
    user = make("/v1/admin/users/", {"name": "reader", "organization_id": organization["id"]})
    make("/v1/blocks/", {"label": "human", "value": "Reads a lot."}, user_id=user["id"])


@pytest.fixture
def restarting(foreign: Stack) -> Iterator[Restarting]:
    """A command that restarts the server, and how often it was run."""
    state = Restarting()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            state.count += 1
            foreign.restart("letta")
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        script = f"import urllib.request as r; r.urlopen('http://127.0.0.1:{server.server_port}', data=b'').close()"
        state.command = shlex.join([sys.executable, "-c", script])
        yield state
        server.shutdown()


def judge(pytester: pytest.Pytester, stack: Stack, *options: str) -> dict[str, dict[str, Any]]:
    """Run the memory suite by the URL; return the records by contract id."""
    result = pytester.runpytest_subprocess(
        *("-p", "no:schemathesis", "-p", "no:cacheprovider", f"--letta-url={stack.url}"),
        *(f"--letta-proxy-url={stack.proxy_url}", f"--letta-llm={stack.llm_url}"),
        *("--letta-suite=memory", "--letta-report=report.json", *options),
    )
    document = json.loads(Path("report.json").read_text())
    assert result.stdout.str().count("left behind") == 0
    return {record["id"]: record for record in document["contracts"]}


def test_agents_of_others_stay_as_they_are_and_nothing_of_ours_stays(
    pytester: pytest.Pytester, foreign: Stack, restarting: Restarting
) -> None:
    assert call(foreign.url, "GET", "/v1/agents/count") == _FOREIGN_AGENTS
    foreign.restart("letta")  # with which the server brings its own rows up to date
    before = rows(foreign, _LEFT_OUT)

    records = judge(pytester, foreign, f"--letta-restart={restarting.command}")

    after = rows(foreign, _LEFT_OUT)
    assert sorted(before - after) == []
    assert sorted(after - before) == []
    verdicts = {id: record["verdict"] for id, record in records.items()}
    not_here = {id for id, record in records.items() if record["verdict"] == "not-applicable"}
    assert [id for id in not_here if _ONLY_OURS not in records[id]["cause"]] == []
    known = known_ids(foreign.version, "MEM-") - not_here
    assert {id for id, verdict in verdicts.items() if verdict == "known"} == known
    assert {id for id, verdict in verdicts.items() if verdict != "pass"} == known | not_here
    assert restarting.count >= len({id for id in records if without_case(id).startswith("MEM-RESTART-")})


def test_without_the_command_contracts_that_restart_say_how_to_enable_them(
    pytester: pytest.Pytester, foreign: Stack
) -> None:
    records = judge(pytester, foreign, "-k=MEM-RESTART or MEM-SENTINEL")

    assert {record["verdict"] for record in records.values()} == {"not-applicable"}
    assert all("--letta-restart" in record["cause"] for record in records.values())


def test_organizations_that_a_killed_run_left_go_at_the_next_start(pytester: pytest.Pytester, foreign: Stack) -> None:
    def make(name: str) -> str:
        organization = call(foreign.url, "POST", "/v1/admin/orgs/", json={"name": name})["id"]
        user = {"name": name, "organization_id": organization}
        call(foreign.url, "POST", "/v1/admin/users/", json=user)
        return str(organization)

    left, theirs = make("pytest-letta-0a1b2c3d-4"), make("pytest-letta-users")
    age(foreign, "organizations", hours=7)
    fresh = make("pytest-letta-0a1b2c3d-5")

    judge(pytester, foreign, "-k=MEM-BLOCK-002")

    kept = {one["id"] for one in call(foreign.url, "GET", "/v1/admin/orgs/")}
    assert kept & {left, theirs, fresh} == {theirs, fresh}
    users = {one["organization_id"] for one in call(foreign.url, "GET", "/v1/admin/users/")}
    assert left not in users
