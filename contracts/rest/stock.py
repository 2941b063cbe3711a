"""What calls of the deprecated operations are about: one of each kind, made when it is first asked for."""

from __future__ import annotations

import json
from string import Template
from typing import TYPE_CHECKING, Any

from pytest_letta import must, not_applicable
from pytest_letta.conformance.checks import status
from pytest_letta.telling import answered

if TYPE_CHECKING:
    import httpx

    from pytest_letta.handles import Handles
    from pytest_letta.ownership import Ledger

#: What an operation that is no longer served answers: the path is gone, or the method of it.
NO_LONGER = (404, 405, 410)

#: What a word of the table stands for, by the request that makes it.
_MADE = {
    "agent": ("/v1/agents/", {"name": "$name", "include_base_tools": False}),
    "source": ("/v1/folders/", {"name": "$name"}),
    "group": ("/v1/groups/", {"agent_ids": ["$agent"], "description": "One."}),
    "identity": ("/v1/identities/", {"identifier_key": "$name", "name": "$name", "identity_type": "user"}),
    "block": ("/v1/blocks/", {"label": "$name", "value": "Spare."}),
}


class Stock(dict[str, str]):
    """Gives what a word stands for; all that is made for it is deleted with the ledger."""

    def __init__(self, client: httpx.Client, handles: Handles, ledger: Ledger) -> None:
        super().__init__()
        self.client, self._handles, self._ledger = client, handles, ledger

    def __missing__(self, word: str) -> str:
        if word == "name":
            return self._ledger.name()  # another one each time
        self[word] = self._make(word)
        return self[word]

    def _make(self, word: str) -> str:
        if word == "embedding":
            return self._handles.embedding or ""
        if word == "source_name":
            return str(self._json("GET", f"/v1/folders/{self['source']}")["name"])
        if word == "file":
            return str(self.upload(f"/v1/folders/{self['source']}/upload").json()["id"])
        if word == "message":
            return str(self._json("GET", f"/v1/agents/{self['agent']}/messages")[0]["id"])
        if word == "step":
            turn = {"messages": [{"role": "user", "content": "Hi."}]}
            return str(self._json("POST", f"/v1/agents/{self['agent']}/messages", turn)["messages"][0]["step_id"])
        path, body = _MADE[word]
        filled = json.loads(Template(json.dumps(body)).substitute(self))
        if word == "agent":
            filled |= {"tags": self._ledger.tags, **self._handles.fields()}
        if word == "source":
            filled |= self._handles.embedding_fields()
        return self.note(path, self._json("POST", path, filled))

    def note(self, path: str, made: Any) -> str:
        """Note what was made for deletion, and give its id."""
        self._ledger.enter(f"{path}{made['id']}")
        return str(made["id"])

    def upload(self, path: str) -> httpx.Response:
        """Send a small file with a name of its own."""
        return self.client.post(path, files={"file": (f"{self['name']}.txt", b"Otters.", "text/plain")})

    def _json(self, method: str, path: str, body: Any = None) -> Any:
        answer = self.client.request(method, path, json=body)
        if answer.status_code in NO_LONGER:
            not_applicable(f"there is nothing to call it with: {answered(answer)}")
        must(status(answer))
        return answer.json()
