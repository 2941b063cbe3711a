"""What an organization has, for the contracts about others that are after it."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from pytest_letta import could_not_run, must, not_applicable
from pytest_letta.conformance.checks import status

from .tenants import PARTS, TOOL

if TYPE_CHECKING:
    import httpx

    from pytest_letta import Deployment
    from pytest_letta.ownership import Ledger

    from .tenants import Ask


class Estate:
    """Parts that are made when they are asked for; the same secret is in every text of them.

    `ask` asks as their owner, `fields` are those of a new agent, and `enter` notes what is to be removed one by one.
    Parts that somebody changed are made anew.
    """

    def __init__(
        self,
        ask: Ask,
        deployment: Deployment,
        ledger: Ledger,
        fields: Mapping[str, Any],
        *,
        enter: Callable[[str], None],
    ) -> None:
        self.secret = f"secret-{uuid.uuid4()}"
        self.ask = ask
        self._deployment = deployment
        self._ledger = ledger
        self._fields = fields
        self._enter = enter
        self._parts: dict[str, str] = {}
        self._seen: dict[str, str] = {}

    def __getitem__(self, part: str) -> str:
        """Return the id of a part, or a name."""
        if part not in self._parts:
            needed = self._deployment.capabilities[PARTS[part][0]]
            if not needed.available:
                not_applicable(needed.reason)
            getattr(self, f"_make_{part}")()
            self._seen.clear()
        return self._parts[part]

    def fill(self, text: str, mine: str = "") -> str:
        """Put ids in the place of ``{agent}`` and the like; `mine` is a prefix to those that are meant."""
        text = text.replace(f"{{{mine}secret}}", self.secret)
        for part in PARTS:
            if (written := f"{{{mine}{part}}}") in text:
                text = text.replace(written, self[part])
        return text

    def shown_by(self, answer: httpx.Response, known: str = "") -> str | None:
        """Check that an answer shows nothing but what was asked for, or is `known`. What it shows is not repeated."""
        sent = f"{answer.request.url} {answer.request.content!r} {known}"
        texts = {"secret": self.secret, **self._parts}
        shown = [part for part, text in texts.items() if text in answer.text and text not in sent]
        asked = f"{answer.request.method} {answer.request.url.raw_path.decode()} answered {answer.status_code}"
        return f"{asked} and shows of another organization: {', '.join(shown)}" if shown else None

    def look_at(self, text: str) -> None:
        """Remember the parts that `text` names as they are."""
        for path in self._views(text):
            if path not in self._seen:
                self._seen[path] = self._look(path)

    def changed(self, text: str) -> str | None:
        """Check that the parts that `text` names are what they were."""
        changed = [path for path in self._views(text) if self._look(path) != self._seen[path]]
        if changed:
            self.abandon()
        return f"what its owner sees has changed at {', '.join(changed)}" if changed else None

    def abandon(self) -> None:
        """Have all parts made anew: these are not what they were, or may not be."""
        self._parts.clear()
        self._seen.clear()

    def _views(self, text: str) -> list[str]:
        named = (paths for part, (_, paths) in PARTS.items() if f"{{{part}}}" in text)
        views = [self.fill(path) for paths in named for path in paths]
        spec = self._deployment.spec
        return [path for path in views if spec is None or spec.operation_for("GET", path)]

    def _look(self, path: str) -> str:
        answer = self.ask("GET", path)
        return f"{answer.status_code} {json.dumps(_in_order(answer.json()), sort_keys=True)}"

    def _create(self, path: str, body: Any, *, at: str | None = None) -> Any:
        answer = self.ask("POST", path, body)
        if problem := status(answer):
            could_not_run(f"what others are to be kept from cannot be made: {problem}")
        if at is not None:
            self._enter(f"{at}{answer.json()['id']}")
        return answer.json()

    def _make_agent(self) -> None:
        name, at = self._ledger.name(), "/v1/agents/"
        body = {
            **self._fields,
            "name": name,
            "tags": [*self._ledger.tags, name],
            "description": self.secret,
            "tool_ids": [self["tool"]],
            "memory_blocks": [{"label": name, "value": self.secret}],
        }
        made = self._create(at, body, at=at)
        block = made["memory"]["blocks"][0]["id"]
        self._enter(f"/v1/blocks/{block}")
        self._parts |= {"agent": made["id"], "name": name, "block": block}

    _make_name = _make_block = _make_agent

    def _make_tool(self) -> None:
        name, at = f"tool_{self._ledger.name().replace('-', '_')}", "/v1/tools/"
        made = self._create(at, {"source_code": TOOL.format(name=name, secret=self.secret)}, at=at)
        self._parts |= {"tool": made["id"], "tool_name": name}

    _make_tool_name = _make_tool

    def _make_folder(self) -> None:
        if "embedding" not in self._fields:
            not_applicable("a folder takes an embedding, and the server lists none: give --letta-embedding HANDLE")
        name, at = self._ledger.name(), "/v1/folders/"
        body = {"name": name, "description": self.secret, "embedding": self._fields["embedding"]}
        folder = self._create(at, body, at=at)["id"]
        must(status(self.ask("PATCH", f"/v1/agents/{self['agent']}/folders/attach/{folder}")))
        self._parts |= {"folder": folder, "folder_name": name}

    _make_folder_name = _make_folder

    def _make_passage(self) -> None:
        body = {"text": self.secret, "tags": [self.secret]}
        self._parts["passage"] = self._create(f"/v1/agents/{self['agent']}/archival-memory", body)[0]["id"]
        if self._deployment.capabilities["archives"].available:
            # The server has made an archive for it, which outlives the agent.
            (self._parts["archive"],) = self._ids_at("/v1/archives/?agent_id={agent}")
            self._enter(f"/v1/archives/{self._parts['archive']}")

    _make_archive = _make_passage

    def _make_message(self) -> None:
        said = self._create(f"/v1/agents/{self['agent']}/messages", {"messages": [self._saying]})
        step = next(message["step_id"] for message in said["messages"])
        *_, message = self._ids_at("/v1/agents/{agent}/messages", "user_message")
        *_, run = self._ids_at("/v1/runs/?agent_id={agent}")
        self._parts |= {"message": message, "run": run, "step": step}

    _make_run = _make_step = _make_message

    def _make_conversation(self) -> None:
        body = {"summary": self.secret}
        made = self._create(f"/v1/conversations/?agent_id={self['agent']}", body, at="/v1/conversations/")
        self._create(f"/v1/conversations/{made['id']}/messages", {"messages": [self._saying], "streaming": False})
        self._parts["conversation"] = made["id"]

    @property
    def _saying(self) -> dict[str, str]:
        return {"role": "user", "content": self.secret}

    def _ids_at(self, path: str, kind: str | None = None) -> Iterator[str]:
        answer = self.ask("GET", self.fill(path))
        must(status(answer))
        return (one["id"] for one in answer.json() if kind is None or one["message_type"] == kind)


def _in_order(found: Any) -> Any:
    """Order lists: rows of a database come as it pleases."""
    if isinstance(found, dict):
        return {name: _in_order(value) for name, value in found.items()}
    if isinstance(found, list):
        return sorted((_in_order(value) for value in found), key=lambda value: json.dumps(value, sort_keys=True))
    return found
