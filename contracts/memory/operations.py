"""What a user of another organization may try, as tables: the contracts about tenants go through them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_SAY = {"messages": [{"role": "user", "content": "Hi."}]}
_STOLEN = {"description": "Stolen."}
_A = "/v1/agents/{agent}"
_MINE = "/v1/agents/{my_agent}"
_C = "/v1/conversations"


@dataclass(frozen=True)
class Operation:
    """One request. ``{agent}`` and the like stand for what belongs to others, ``{my_agent}`` for what is one's own.

    `shows` names further parts that the owner finds by it. With `is_allowed` it is no intrusion by itself, such as
    making something that another has by the same name.
    """

    method: str
    path: str
    body: Any = None
    shows: str = ""
    is_allowed: bool = False

    @property
    def text(self) -> str:
        """All that is about the operation, as JSON, ids left open."""
        return json.dumps([self.path, self.body, self.shows])


def _get(path: str, shows: str = "") -> Operation:
    return Operation("GET", path, shows=shows)


#: What shows something of the owner's to whoever may ask.
READS: Mapping[str, Operation] = {
    "agent": _get(_A),
    "context": _get(f"{_A}/context"),
    "core-memory": _get(f"{_A}/core-memory"),
    "blocks-of-agent": _get(f"{_A}/core-memory/blocks"),
    "block-by-label": _get(f"{_A}/core-memory/blocks/{{name}}"),
    "messages-of-agent": _get(f"{_A}/messages"),
    "passages-of-agent": _get(f"{_A}/archival-memory", "{passage}"),
    "search-of-agent": _get(f"{_A}/archival-memory/search?query=secret", "{passage}"),
    "tools-of-agent": _get(f"{_A}/tools"),
    "folders-of-agent": _get(f"{_A}/folders", "{folder}"),
    "export-of-agent": _get(f"{_A}/export"),
    "block": _get("/v1/blocks/{block}"),
    "agents-of-block": _get("/v1/blocks/{block}/agents"),
    "message": _get("/v1/messages/{message}"),
    "run": _get("/v1/runs/{run}"),
    "messages-of-run": _get("/v1/runs/{run}/messages"),
    "steps-of-run": _get("/v1/runs/{run}/steps"),
    "step": _get("/v1/steps/{step}"),
    "messages-of-step": _get("/v1/steps/{step}/messages"),
    "conversation": _get(f"{_C}/{{conversation}}"),
    "messages-of-conversation": _get(f"{_C}/{{conversation}}/messages"),
    # Ways around the id of a conversation, which not every server has.
    "default-conversation": Operation("GET", f"{_C}/default/messages?agent_id={{agent}}", is_allowed=True),
    "conversation-by-agent": Operation("GET", f"{_C}/{{agent}}/messages", is_allowed=True),
    "archive": _get("/v1/archives/{archive}"),
    "agents-of-archive": _get("/v1/archives/{archive}/agents"),
    "tool": _get("/v1/tools/{tool}"),
    "folder": _get("/v1/folders/{folder}"),
    "folder-by-name": _get("/v1/folders/name/{folder_name}"),
    "agents-of-folder": _get("/v1/folders/{folder}/agents"),
    "search-by-agent": Operation(
        "POST", "/v1/passages/search", {"query": "secret", "agent_id": "{agent}"}, "{passage}"
    ),
    "search-by-archive": Operation("POST", "/v1/passages/search", {"query": "secret", "archive_id": "{archive}"}),
}

#: What changes something of the owner's, or takes it over, or has it work.
CHANGES: Mapping[str, Operation] = {
    "update-agent": Operation("PATCH", _A, _STOLEN),
    "delete-agent": Operation("DELETE", _A),
    "edit-block-by-label": Operation("PATCH", f"{_A}/core-memory/blocks/{{name}}", {"value": "Stolen."}),
    "give-block": Operation("PATCH", f"{_A}/core-memory/blocks/attach/{{my_block}}"),
    "take-block": Operation("PATCH", f"{_MINE}/core-memory/blocks/attach/{{block}}"),
    "detach-block": Operation("PATCH", f"{_A}/core-memory/blocks/detach/{{block}}"),
    "give-tool": Operation("PATCH", f"{_A}/tools/attach/{{my_tool}}"),
    "take-tool": Operation("PATCH", f"{_MINE}/tools/attach/{{tool}}"),
    "detach-tool": Operation("PATCH", f"{_A}/tools/detach/{{tool}}"),
    "approve-tool": Operation("PATCH", f"{_A}/tools/approval/{{tool_name}}", {"requires_approval": True}),
    "run-tool": Operation("POST", f"{_A}/tools/{{tool_name}}/run", {"args": {}}),
    "take-folder": Operation("PATCH", f"{_MINE}/folders/attach/{{folder}}"),
    "detach-folder": Operation("PATCH", f"{_A}/folders/detach/{{folder}}"),
    "take-archive": Operation("PATCH", f"{_MINE}/archives/attach/{{archive}}"),
    "detach-archive": Operation("PATCH", f"{_A}/archives/detach/{{archive}}"),
    "insert-passage": Operation("POST", f"{_A}/archival-memory", {"text": "Stolen."}),
    "delete-passage": Operation("DELETE", f"{_A}/archival-memory/{{passage}}"),
    "delete-passage-as-of-mine": Operation("DELETE", f"{_MINE}/archival-memory/{{passage}}"),
    "send-message": Operation("POST", f"{_A}/messages", _SAY),
    "send-stream": Operation("POST", f"{_A}/messages/stream", _SAY),
    "send-async": Operation("POST", f"{_A}/messages/async", _SAY),
    "chat-completion": Operation("POST", "/v1/chat/completions", {"model": "{agent}", "stream": True, **_SAY}),
    "reset-messages": Operation("PATCH", f"{_A}/reset-messages", {}),
    "edit-block": Operation("PATCH", "/v1/blocks/{block}", {"value": "Stolen."}),
    "delete-block": Operation("DELETE", "/v1/blocks/{block}"),
    "update-tool": Operation("PATCH", "/v1/tools/{tool}", _STOLEN),
    "delete-tool": Operation("DELETE", "/v1/tools/{tool}"),
    "tool-of-the-same-name": Operation(
        "PUT", "/v1/tools/", {"source_code": 'def {tool_name}():\n    """Steal."""\n'}, is_allowed=True
    ),
    "update-folder": Operation("PATCH", "/v1/folders/{folder}", _STOLEN),
    "delete-folder": Operation("DELETE", "/v1/folders/{folder}"),
    "update-archive": Operation("PATCH", "/v1/archives/{archive}", _STOLEN),
    "delete-archive": Operation("DELETE", "/v1/archives/{archive}"),
    "insert-into-archive": Operation("POST", "/v1/archives/{archive}/passages", {"text": "Stolen."}),
    "delete-from-archive": Operation("DELETE", "/v1/archives/{archive}/passages/{passage}"),
    "start-conversation": Operation("POST", f"{_C}/?agent_id={{agent}}", {}),
    "update-conversation": Operation("PATCH", f"{_C}/{{conversation}}", {"summary": "Stolen."}),
    "delete-conversation": Operation("DELETE", f"{_C}/{{conversation}}"),
    "fork-conversation": Operation("POST", f"{_C}/{{conversation}}/fork", {}),
    "send-to-conversation": Operation("POST", f"{_C}/{{conversation}}/messages", {**_SAY, "streaming": False}),
    "send-to-default-conversation": Operation(
        "POST", f"{_C}/default/messages", {**_SAY, "agent_id": "{agent}", "streaming": False}
    ),
}

#: What ends something that is under way or over, and leaves nothing else to be seen.
ENDINGS: Mapping[str, Operation] = {
    "cancel": Operation("POST", f"{_A}/messages/cancel", {}),
    "delete-run": Operation("DELETE", "/v1/runs/{run}"),
}

#: Lists and searches that find what the owner has, and that he finds it by.
FILTERED: Mapping[str, Operation] = {
    "agents-by-name": _get("/v1/agents/?name={name}"),
    "agents-by-tag": _get("/v1/agents/?tags={name}"),
    "agents-by-text": _get("/v1/agents/?query_text={name}"),
    "blocks-by-label": _get("/v1/blocks/?label={name}"),
    "blocks-by-value": _get("/v1/blocks/?value_search={secret}", "{block}"),
    "tools-by-name": _get("/v1/tools/?name={tool_name}"),
    "folders-by-name": _get("/v1/folders/?name={folder_name}"),
    "archives-of-agent": _get("/v1/archives/?agent_id={agent}", "{archive}"),
    "conversations-of-agent": _get(f"{_C}/?agent_id={{agent}}", "{conversation}"),
    "messages-of-conversation": _get("/v1/messages/?conversation_id={conversation}"),
    "runs-of-agent": _get("/v1/runs/?agent_id={agent}", "{run}"),
    "passages": Operation("POST", "/v1/passages/search", {"query": "{secret}"}, "{passage} {my_agent}"),
}

#: Lists and counts of all that an organization has, and what the owner has for them to show.
WHOLE: Mapping[str, Operation] = {
    "agents": _get("/v1/agents/?limit=5", "{agent}"),
    "agents-counted": _get("/v1/agents/count", "{agent}"),
    "archives": _get("/v1/archives/?limit=5", "{archive}"),
    "blocks": _get("/v1/blocks/?limit=5", "{block}"),
    "blocks-counted": _get("/v1/blocks/count", "{block}"),
    "conversations": _get(f"{_C}/?limit=5", "{conversation}"),
    "folders": _get("/v1/folders/?limit=5", "{folder}"),
    "folders-counted": _get("/v1/folders/count", "{folder}"),
    "messages": _get("/v1/messages/?limit=5", "{message}"),
    "runs": _get("/v1/runs/?limit=5", "{run}"),
    "tags": _get("/v1/tags/?limit=5", "{agent}"),
}

#: When an agent is given ids of other things, in which field, and of what the owner has.
REFERENCES = (
    ("create", "block_ids", "block"),
    ("create", "tool_ids", "tool"),
    ("create", "source_ids", "folder"),
    ("create", "folder_ids", "folder"),
    ("update", "block_ids", "block"),
    ("update", "tool_ids", "tool"),
    ("update", "source_ids", "folder"),
    ("update", "folder_ids", "folder"),
    ("update", "message_ids", "message"),
)
