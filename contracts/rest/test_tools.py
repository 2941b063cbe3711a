"""Tools: described by their source, run where the server runs them, the same by name, and given to agents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pytest_letta import contract, must
from pytest_letta.conformance.checks import contains, echoed, equal, lacks, refused, same_set, status, unchanged

if TYPE_CHECKING:
    from pytest_letta.agent import Agent, AgentMaker
    from pytest_letta.ownership import Ledger

    from .conftest import Ask

_NEEDS = ["tools"]
_SOURCE = '''
from typing import Optional

def {name}(text: str, times: int = 2, loud: Optional[bool] = None) -> str:
    """
    Repeat a text.

    Args:
        text (str): What to repeat.
        times (int): How often.
        loud (Optional[bool]): Whether to shout.

    Returns:
        str: The repeated text.
    """
    return (text.upper() if loud else text) * times
'''
_FAILING = '''
def {name}() -> str:
    """Fail."""
    raise ValueError("no good")
'''
_PEEKING = '''
def {name}() -> str:
    """Tell what is in the environment."""
    import os

    print("looked")
    return os.environ.get("PYTEST_LETTA_TOLD", "nothing")
'''
_PARAMETERS = {"text": "string", "times": "integer", "loud": "boolean"}


@pytest.fixture
def name(letta_ledger: Ledger) -> str:
    """A name for a tool that no other one has."""
    return letta_ledger.name().replace("-", "_")


def _make(ask: Ask, name: str, source: str = _SOURCE, **fields: Any) -> dict[str, Any]:
    answer = ask("POST", "/v1/tools/", {"source_code": source.format(name=name), **fields})
    must(status(answer))
    return dict(answer.json())


def _schema_problem(schema: dict[str, Any], name: str) -> str | None:
    """Say what of the signature and the docstring of the source is not in the schema that models are given."""
    parameters = schema.get("parameters") or {}
    properties = parameters.get("properties") or {}
    return (
        equal(name, schema.get("name"), "name in the schema")
        or equal("Repeat a text.", schema.get("description"), "description in the schema")
        or equal(_PARAMETERS, {key: one.get("type") for key, one in properties.items()}, "types of the parameters")
        or equal("What to repeat.", properties["text"].get("description"), "description of a parameter")
        or equal(["text"], parameters.get("required"), "parameters that must be given")
    )


@contract(
    "REST-TOOLS-001", needs=_NEEDS, because="a model calls a tool by its schema; what is wrong there is never called"
)
def test_schema_is_made_of_signature_and_docstring(ask: Ask, name: str) -> None:
    """The schema of a new tool has the name, the texts, the types and the duties of its Python source."""
    tool = _make(ask, name)

    must(equal(name, tool.get("name"), "name of the tool"))
    must(_schema_problem(tool.get("json_schema") or {}, name))


@contract("REST-TOOLS-002", needs=_NEEDS, because="editors show the schema before the tool is kept")
def test_schema_is_previewed_as_it_will_be(ask: Ask, name: str) -> None:
    """POST /v1/tools/generate-schema gives the schema that such a tool has; what is no Python is refused."""
    answer = ask("POST", "/v1/tools/generate-schema", {"code": _SOURCE.format(name=name)})

    must(status(answer) or _schema_problem(answer.json(), name))
    must(refused(ask("POST", "/v1/tools/generate-schema", {"code": "def (:"}), 400, 422, naming="syntax"))


@contract(
    "REST-TOOLS-003", needs=_NEEDS, because="deploy scripts put their tools again and again; twins confuse agents"
)
def test_put_updates_the_tool_of_that_name(ask: Ask, name: str) -> None:
    """PUT of a tool whose name exists updates that tool: the same id, the new fields, once in the list."""
    tool = _make(ask, name)
    source = _SOURCE.format(name=name).replace("Repeat a text.", "Say it again.")

    put = ask("PUT", "/v1/tools/", {"source_code": source, "return_char_limit": 99})

    must(status(put) or equal(tool["id"], put.json().get("id"), "id of the tool after the PUT"))
    read = ask("GET", f"/v1/tools/{tool['id']}")
    must(status(read) or echoed({"source_code": source, "return_char_limit": 99}, read.json(), "the tool after PUT"))
    must(equal("Say it again.", read.json()["json_schema"].get("description"), "description after the PUT"))
    listed = ask("GET", "/v1/tools/", name=name)
    must(status(listed) or equal([tool["id"]], [one["id"] for one in listed.json()], "tools of that name"))


@contract(
    "REST-TOOLS-004", needs=_NEEDS, because="a description that is edited must not make the tool slower or unsafe"
)
def test_update_leaves_parallel_execution_as_it_is(ask: Ask, name: str) -> None:
    """Updating the description of a tool that may run in parallel leaves it so."""
    tool = _make(ask, name, enable_parallel_execution=True)
    path = f"/v1/tools/{tool['id']}"

    must(status(ask("PATCH", path, {"description": "Another."})))

    must(
        unchanged(
            tool,
            ask("GET", path).json(),
            "the update of description",
            but=["description", "metadata_", "json_schema"],
        )
    )


@pytest.mark.parametrize(
    ("source", "args", "more", "outcome", "told"),
    [
        pytest.param(_SOURCE, {"text": "\U0001f9a6\n\"'"}, {}, "success", "\U0001f9a6\n\"'" * 2, id="with-arguments"),
        pytest.param(
            _PEEKING, {}, {"env_vars": {"PYTEST_LETTA_TOLD": "a b"}}, "success", "a b", id="with-environment"
        ),
        pytest.param(_FAILING, {}, {}, "error", "ValueError: no good", id="failing"),
    ],
)
@contract("REST-TOOLS-005", needs=_NEEDS, because="a tool is tried out before an agent gets it")
def test_source_is_run(
    ask: Ask, name: str, source: str, args: dict[str, Any], more: dict[str, Any], outcome: str, told: str
) -> None:
    """POST /v1/tools/run runs a source with its arguments and environment, and gives what it returns or raises."""
    answer = ask("POST", "/v1/tools/run", {"source_code": source.format(name=name), "args": args, **more})

    must(status(answer))
    returned = answer.json()
    must(equal(outcome, returned.get("status"), f"status of the run, which returned {returned.get('tool_return')!r}"))
    if outcome == "success":
        must(equal(told, returned.get("tool_return"), "what the tool returned"))
    else:
        must(contains(str(returned.get("tool_return")), told, "what the failing tool told"))


@contract("REST-TOOLS-006", needs=_NEEDS, because="SDKs send the name of the tool that they try out")
def test_source_is_run_by_its_name(ask: Ask, name: str) -> None:
    """POST /v1/tools/run with the name of the function runs it as without."""
    body = {"source_code": _SOURCE.format(name=name), "args": {"text": "ab"}, "name": name}

    answer = ask("POST", "/v1/tools/run", body)

    must(status(answer) or equal("abab", answer.json().get("tool_return"), "what the tool returned"))


@contract("REST-TOOLS-007", needs=["tools", "agents"], because="operators try a tool as the agent would call it")
def test_agent_runs_its_tool(ask: Ask, letta_agent: Agent, name: str) -> None:
    """A tool that an agent has is run in its name, with what it returns and prints."""
    tool = _make(ask, name, _PEEKING)
    must(status(ask("PATCH", f"{letta_agent.path}/tools/attach/{tool['id']}")))

    answer = ask("POST", f"{letta_agent.path}/tools/{name}/run", {"args": {}})

    must(status(answer))
    must(echoed({"status": "success", "func_return": "nothing"}, answer.json(), "the run"))
    must(equal("looked", "".join(answer.json().get("stdout") or []).strip(), "what the tool printed"))


@contract("REST-TOOLS-008", needs=["tools", "agents"], because="agents are given tools, and must lose them again")
def test_tool_is_given_and_taken(ask: Ask, make_letta_agent: AgentMaker, name: str) -> None:
    """An attached tool is among those of the agent, twice attached once; a detached one is not, and exists still."""
    tool, agent = _make(ask, name), make_letta_agent()
    before = _tools_of(ask, agent)

    for _ in range(2):
        must(status(ask("PATCH", f"{agent.path}/tools/attach/{tool['id']}")))
    must(same_set([*before, tool["id"]], _tools_of(ask, agent), "tools of the agent after the attachment"))

    must(status(ask("PATCH", f"{agent.path}/tools/detach/{tool['id']}")))
    must(same_set(before, _tools_of(ask, agent), "tools of the agent after the detachment"))
    must(status(ask("GET", f"/v1/tools/{tool['id']}")))


@contract(
    "REST-TOOLS-009", needs=["tools", "agents"], because="a deleted tool that agents still name breaks their turns"
)
def test_deleted_tool_leaves_its_agents(ask: Ask, make_letta_agent: AgentMaker, name: str) -> None:
    """A deleted tool is gone from the agents that had it, and they can still be read."""
    tool = _make(ask, name)
    agent = make_letta_agent(tool_ids=[tool["id"]])

    must(status(ask("DELETE", f"/v1/tools/{tool['id']}"), 200, 204))

    must(lacks(_tools_of(ask, agent), tool["id"], "tools of the agent"))
    must(status(ask("GET", agent.path)))


@contract("REST-TOOLS-010", needs=["tools"], because="what Letta brings along must be there, and not twice")
def test_base_tools_are_added_once(ask: Ask) -> None:
    """Adding the base tools gives them by name, and again gives the same ids."""
    first, second = ask("POST", "/v1/tools/add-base-tools"), ask("POST", "/v1/tools/add-base-tools")

    must(status(first) or status(second))
    names = {one["name"] for one in first.json()}
    must(None if {"send_message", "conversation_search"} <= names else f"base tools: {sorted(names)}")
    must(same_set([one["id"] for one in first.json()], [one["id"] for one in second.json()], "ids of the base tools"))


def _tools_of(ask: Ask, agent: Agent) -> list[str]:
    answer = ask("GET", f"{agent.path}/tools", limit=200)
    must(status(answer))
    return [str(one["id"]) for one in answer.json()]
