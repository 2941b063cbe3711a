"""Two organizations on one server: a user of the one who asks for what belongs to the other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_letta import could_not_run, must, not_applicable
from pytest_letta.conformance.checks import status
from pytest_letta.telling import answered

if TYPE_CHECKING:
    import httpx

    from pytest_letta.ownership import Ledger

#: Ask as somebody: method, path, body as JSON.
Ask = Callable[..., "httpx.Response"]

TOOL = 'def {name}():\n    """Tell it."""\n    return "{secret}"\n'
_NOT_FOR_US = (401, 403, 404, 405)

#: The capability that it takes to make each part, and the paths at which its owner sees it.
PARTS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "agent": (
        "agents",
        (
            "/v1/agents/{agent}",
            "/v1/agents/{agent}/archival-memory",
            "/v1/agents/{agent}/messages",
            "/v1/conversations/?agent_id={agent}",
            "/v1/runs/?agent_id={agent}",
        ),
    ),
    "name": ("agents", ()),
    "block": ("blocks", ("/v1/blocks/{block}",)),
    "tool": ("tools", ("/v1/tools/{tool}",)),
    "tool_name": ("tools", ("/v1/tools/{tool}",)),
    "folder": ("folders", ("/v1/folders/{folder}",)),
    "folder_name": ("folders", ("/v1/folders/{folder}",)),
    "passage": ("archival", ("/v1/agents/{agent}/archival-memory",)),
    "archive": ("archives", ("/v1/archives/{archive}", "/v1/agents/{agent}/archival-memory")),
    "message": ("messages", ("/v1/agents/{agent}/messages",)),
    "run": ("runs", ("/v1/runs/{run}", "/v1/runs/{run}/messages")),
    "step": ("runs", ("/v1/steps/{step}",)),
    "conversation": (
        "conversations",
        ("/v1/conversations/{conversation}", "/v1/conversations/{conversation}/messages"),
    ),
}


@dataclass(frozen=True)
class User:
    """A user of the server, by the header ``user_id``."""

    id: str
    organization: str
    client: httpx.Client

    def ask(self, method: str, path: str, body: Any = None) -> httpx.Response:
        return self.client.request(method, path, json=body, headers={"user_id": self.id})


def new_organization(client: httpx.Client, ledger: Ledger) -> str:
    """Make an organization and return its id; what is in it goes with it."""
    answer = client.post("/v1/admin/orgs/", json={"name": ledger.name()})
    if answer.status_code in _NOT_FOR_US:
        not_applicable(f"no organization can be made here: {answered(answer)}. Give a URL and a password that may.")
    must(status(answer))
    ledger.enter(f"/v1/admin/orgs/?org_id={answer.json()['id']}")
    return str(answer.json()["id"])


def new_user(client: httpx.Client, ledger: Ledger, organization: str | None = None) -> User:
    """Make a user, of a new organization unless one is named."""
    organization = organization or new_organization(client, ledger)
    answer = client.post("/v1/admin/users/", json={"name": ledger.name(), "organization_id": organization})
    must(status(answer))
    ledger.enter(f"/v1/admin/users/?user_id={answer.json()['id']}")
    return User(answer.json()["id"], organization, client)


def must_be_told_apart(user: User, ledger: Ledger) -> None:
    """End the contract unless the server takes `user` for who he is; it says so of what he makes."""
    name = f"tool_{ledger.name().replace('-', '_')}"
    answer = user.ask("POST", "/v1/tools/", {"source_code": TOOL.format(name=name, secret="")})
    must(status(answer))
    maker = answer.json().get("created_by_id")
    if maker == user.id:
        return
    ledger.enter(f"/v1/tools/{answer.json()['id']}")
    if maker is None:
        could_not_run("the server does not say who made a tool, so that it cannot be known whether it reads user_id")
    not_applicable(
        f"users are not told apart here: what {user.id} makes is made by {maker}. A proxy drops the header user_id "
        "(nginx: set `underscores_in_headers on`), or the server does not read it."
    )
