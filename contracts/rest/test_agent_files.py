"""Files of agents: what is in an attached folder is seen by the agent, open or closed, found, and gone with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pytest_letta import contract, must
from pytest_letta.conformance.checks import contains, equal, lacks, status
from pytest_letta.llm import call_tool, say

from .files import stored

if TYPE_CHECKING:
    import httpx

    from pytest_letta.agent import Agent
    from pytest_letta.llm import ModelControl

_NEEDS = ["folders", "agents"]
_ASKED = "an agent that holds a folder is asked about its files"
_SEEN = "Otters hold hands"


def _id(folder: str) -> str:
    return folder.rpartition("/")[2]


def _attach(agent: Agent, folder: str) -> None:
    must(status(agent.client.patch(f"{agent.path}/folders/attach/{_id(folder)}")))


def _got(client: httpx.Client, path: str) -> Any:
    answer = client.get(path)
    must(status(answer))
    return answer.json()


def _seen_by(agent: Agent) -> list[dict[str, Any]]:
    return list(_got(agent.client, f"{agent.path}/files")["files"])


@contract("REST-FILES-004", needs=_NEEDS, because=_ASKED)
def test_agent_sees_the_files_of_its_folder(letta_client: httpx.Client, letta_agent: Agent, folder: str) -> None:
    """An agent to which a folder is attached has its files, open ones with their text; detached, it has none."""
    file = stored(letta_client, folder)

    _attach(letta_agent, folder)

    seen = _seen_by(letta_agent)
    must(equal([file["id"]], [one["file_id"] for one in seen], "files of the agent"))
    must(contains(seen[0].get("visible_content") or "", _SEEN, "what the agent sees of the file"))
    must(equal([letta_agent.id], _got(letta_client, f"{folder}/agents"), "agents of the folder"))

    must(status(letta_client.patch(f"{letta_agent.path}/folders/detach/{_id(folder)}")))
    must(equal([], _seen_by(letta_agent), "files of the agent after the detachment"))
    must(equal([], _got(letta_client, f"{folder}/agents"), "agents of the folder after the detachment"))


@contract("REST-FILES-005", needs=_NEEDS, because="open files fill the prompt; closing them must free it")
def test_agent_opens_and_closes_files(letta_client: httpx.Client, letta_agent: Agent, folder: str) -> None:
    """A file of an agent is open or closed as asked for, alone or with all others."""
    file = stored(letta_client, folder)
    _attach(letta_agent, folder)

    for ending, is_open in ((f"{file['id']}/close", False), (f"{file['id']}/open", True), ("close-all", False)):
        must(status(letta_client.patch(f"{letta_agent.path}/files/{ending}")))
        states = [one["is_open"] for one in _seen_by(letta_agent)]
        must(equal([is_open], states, f"whether the file is open after {ending.rpartition('/')[2]}"))


@contract("REST-FILES-013", needs=_NEEDS, because="whoever uploads into a folder does not know who holds it")
def test_later_upload_reaches_the_agent(letta_client: httpx.Client, letta_agent: Agent, folder: str) -> None:
    """A file that is uploaded into an attached folder is among those of the agent; a deleted one is not."""
    _attach(letta_agent, folder)

    file = stored(letta_client, folder)

    must(equal([file["id"]], [one["file_id"] for one in _seen_by(letta_agent)], "files of the agent"))
    must(status(letta_client.delete(f"{folder}/{file['id']}"), 200, 204))
    must(equal([], _seen_by(letta_agent), "files of the agent after the deletion of the file"))


@contract("REST-FILES-014", needs=_NEEDS, because="a deleted folder that agents still name breaks their turns")
def test_deleted_folder_leaves_its_agents(letta_client: httpx.Client, letta_agent: Agent, folder: str) -> None:
    """A deleted folder is gone from its agents with its files, and they can still be read."""
    stored(letta_client, folder)
    _attach(letta_agent, folder)

    must(status(letta_client.delete(folder), 200, 204))

    must(equal([], _got(letta_client, f"{letta_agent.path}/folders"), "folders of the agent"))
    must(equal([], _seen_by(letta_agent), "files of the agent"))
    must(status(letta_client.get(letta_agent.path)))


@pytest.mark.parametrize(
    ("tool", "args"),
    [
        pytest.param("grep_files", {"pattern": "hold h[a-z]+ while"}, id="by-pattern"),
        pytest.param("semantic_search_files", {"query": "Do otters sleep?"}, id="by-meaning"),
    ],
)
@contract("REST-FILES-015", needs=[*_NEEDS, "messages", "llm"], because=_ASKED)
def test_agent_finds_what_is_in_its_files(
    letta_client: httpx.Client,
    letta_agent: Agent,
    letta_llm: ModelControl,
    folder: str,
    tool: str,
    args: dict[str, Any],
) -> None:
    """An agent with a folder finds the text of its files by pattern and by meaning."""
    stored(letta_client, folder)
    _attach(letta_agent, folder)
    must(status(letta_client.patch(f"{letta_agent.path}/files/close-all")))
    # Agents of Letta 0.11 end their turn with the call of a tool unless they ask to go on; later ones drop the word.
    script = letta_llm.script(call_tool(tool, {**args, "request_heartbeat": True}), say("Found."))

    letta_agent.send(script.prompt())

    told = [one for one in letta_llm.requests(script)[-1].body["messages"] if one["role"] == "tool"]
    must(contains(str(told[-1:]), f"{_SEEN} while", "what the model was told of the call"))


@contract("REST-FILES-016", needs=[*_NEEDS, "messages", "llm"], because="a file that is open is one that is read")
def test_open_file_is_in_the_prompt(
    letta_client: httpx.Client, letta_agent: Agent, letta_llm: ModelControl, folder: str
) -> None:
    """The text of an open file is in what the model is asked in the next turn, and that of a closed one is not."""
    file = stored(letta_client, folder)
    _attach(letta_agent, folder)
    for action, check in (("open", contains), ("close", lacks)):
        must(status(letta_client.patch(f"{letta_agent.path}/files/{file['id']}/{action}")))
        script = letta_llm.script(say("Seen."))

        letta_agent.send(script.prompt())

        asked = str(letta_llm.requests(script)[-1].body["messages"])
        must(check(asked, _SEEN, f"what the model was asked after {action}"))
