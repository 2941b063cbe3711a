"""An organization of our own with what requests need: made when it is asked for, and again once it was changed."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from pytest_letta import could_not_run
from pytest_letta.telling import answered

if TYPE_CHECKING:
    import httpx

    from pytest_letta.conformance.fuzz.scope import Target

#: Of all kinds: the part of an id that tells resources apart, and that none has.
NOBODY = "00000000-0000-4000-8000-000000000000"

#: The beginning of ids whose parameters do not say it.
_PREFIXES = {"run_id": "run", "step_id": "step", "job_id": "job", "conversation_id": "conv", "memory_id": "passage"}


#: Collections of which only those of a parent are counted: others may be broken.
_LISTED_BY = {"/v1/conversations/": "agent_id"}


class Estate:
    """What is ours on a server, by the names of path parameters.

    `owner` is the user that owns it; None: the one that the server takes us for, of whom nothing is made or changed.
    `fields` are those that choose the models of agents.
    """

    def __init__(self, client: httpx.Client, owner: str | None, fields: Mapping[str, Any]) -> None:
        self._client = client
        self._headers = {} if owner is None else {"user_id": owner}
        self.fields = fields
        self._made: dict[str, str] = {}
        self._rows: dict[str, int | None] = {}
        self._numbers = itertools.count(1)
        self._makers: Mapping[str, Callable[[], str]] = {} if owner is None else self._all_makers()
        self.requests = 0

    def request(self, method: str, path: str, **args: Any) -> httpx.Response:
        """Send a request as the owner."""
        self.requests += 1
        headers = {**args.pop("headers", {}), **self._headers}
        return self._client.request(method, path, headers=headers, **args)

    @property
    def is_owned(self) -> bool:
        """Whether it is of an owner of our own, so that it can be changed."""
        return bool(self._headers)

    def known(self) -> Mapping[str, Any]:
        """Return the values of fields by their names that no schema tells."""
        return _Known(self) if self.is_owned else {}

    def filled(self, target: Target, bad: Mapping[str, str]) -> tuple[str, list[str]]:
        """Return the path of a request, and the parameters that are ids of ours; deletions are of what is not."""
        used: list[str] = []
        path = target.operation.path
        for parameter in target.parameters:
            name = parameter["name"]
            if parameter["in"] != "path":
                continue
            if name in bad:
                value = bad[name]
            elif name in self._makers and target.operation.method != "DELETE":
                value = self[name]
                used.append(name)
            else:
                value = _nobody(parameter)
            path = path.replace(f"{{{name}}}", value)
        return path, used

    def __getitem__(self, name: str) -> str:
        if name not in self._made:
            self._made[name] = self._makers[name]()
        return self._made[name]

    def changed(self, used: list[str]) -> None:
        """Note that a write was done: what it was on is not used again, and rows are to be counted anew."""
        self._rows.clear()
        for name in used:
            self._made.pop(name, None)

    def broken(self) -> None:
        """Note that a write ended in a server error: it may have been done, and what it was on is not used again."""
        self.changed(list(self._made))

    def rows(self, template: str) -> int | None:
        """Return how many resources a collection has, or ``None`` when it does not tell."""
        return self._rows[template] if template in self._rows else self.counted(template)

    def counted(self, template: str) -> int | None:
        """Count the resources of a collection anew."""
        if not self._headers or not re.fullmatch(r"/v1/[a-z-]+/", template):
            return None
        counted = self.request("GET", f"{template}count")
        if counted.status_code == 200 and isinstance(counted.json(), int):
            self._rows[template] = int(counted.json())
            return self._rows[template]
        owner = _LISTED_BY.get(template)
        answer = self.request("GET", template, params={"limit": 1000, **({owner: self[owner]} if owner else {})})
        listed = answer.json() if answer.status_code == 200 else None
        self._rows[template] = len(listed) if isinstance(listed, list) else None
        return self._rows[template]

    def _all_makers(self) -> Mapping[str, Callable[[], str]]:
        def agent() -> str:
            block = {"label": "human", "value": "x"}
            return self._make("agents", {**self.fields, "include_base_tools": False, "memory_blocks": [block]})

        return {
            "agent_id": agent,
            "archive_id": lambda: self._make("archives", {"name": "x", **self._embedding()}),
            "block_id": lambda: self._make("blocks", {"label": "human", "value": "x"}),
            "block_label": lambda: "human",
            "conversation_id": lambda: self._make(f"conversations/?agent_id={self['agent_id']}", {}),
            "folder_id": lambda: self._make("folders", {"name": self.name(), **self._embedding()}),
            "message_id": self._message,
            "sandbox_config_id": lambda: self._make("sandbox-config/local/default", None),
            "tool_id": lambda: self._make("tools", {"source_code": self.source()}),
        }

    def _embedding(self) -> dict[str, Any]:
        return {name: value for name, value in self.fields.items() if name.startswith("embedding")}

    def name(self) -> str:
        """Return a name that nothing of the estate has yet."""
        return f"fuzz_{next(self._numbers)}"

    def source(self) -> str:
        """Return the text of a tool that there is not yet."""
        return f'def {self.name()}():\n    """Do."""\n'

    def _make(self, where: str, body: Any) -> str:
        path = f"/v1/{where}" if "/" in where else f"/v1/{where}/"
        answer = self.request("POST", path, json=body)
        made = answer.json().get("id") if answer.is_success else None
        if made is None:
            could_not_run(f"nothing to work on could be made: {answered(answer)}")
        return str(made)

    def _message(self) -> str:
        answer = self.request("GET", f"/v1/agents/{self['agent_id']}/messages", params={"limit": 1})
        return str(json.loads(answer.text)[0]["id"])


class _Known(Mapping[str, Any]):
    """Fields whose values are ours, or cannot be guessed."""

    def __init__(self, estate: Estate) -> None:
        self._estate = estate
        self._made: Mapping[str, Callable[[], Any]] = {
            **{name: partial(_itself, value) for name, value in estate.fields.items()},
            "include_base_tools": lambda: False,
            "name": estate.name,
            "source_code": estate.source,
            "agent_id": lambda: estate["agent_id"],
        }

    def __getitem__(self, name: str) -> Any:
        return self._made[name]()

    def __iter__(self) -> Iterator[str]:
        return iter(self._made)

    def __len__(self) -> int:
        return len(self._made)


def _itself(value: Any) -> Any:
    return value


def _nobody(parameter: Mapping[str, Any]) -> str:
    """Return an id that is of the documented form and that nothing has."""
    schema, name = parameter.get("schema", {}), parameter["name"]
    pattern = re.match(r"\^([a-z_]+)-", schema.get("pattern", ""))
    prefix = pattern[1] if pattern else _PREFIXES.get(name, name.removesuffix("_id"))
    return f"{prefix}-{NOBODY}" if name.endswith("_id") else "no_such_name"
