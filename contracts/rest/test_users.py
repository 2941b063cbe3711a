"""Organizations and users: made, renamed and removed, and each organization has its own tools and sandboxes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from pytest_letta import contract, must
from pytest_letta.conformance.checks import contains, echoed, equal, lacks, refused, status

if TYPE_CHECKING:
    import httpx

    from pytest_letta.ownership import Ledger

_NEEDS = ["users"]
_ORGS, _USERS, _SANDBOXES = "/v1/admin/orgs/", "/v1/admin/users/", "/v1/sandbox-config/"
_NOBODY = "00000000-0000-4000-8000-000000000000"

AsUser = Callable[..., "httpx.Response"]


@pytest.fixture
def organization(letta_client: httpx.Client, letta_ledger: Ledger) -> dict[str, Any]:
    """An organization of our own; what is in it goes with it."""
    answer = letta_client.post(_ORGS, json={"name": letta_ledger.name()})
    must(status(answer))
    letta_ledger.enter(f"{_ORGS}?org_id={answer.json()['id']}")
    return dict(answer.json())


@pytest.fixture
def user(letta_client: httpx.Client, letta_ledger: Ledger, organization: dict[str, Any]) -> dict[str, Any]:
    """A user of that organization."""
    body = {"name": letta_ledger.name(), "organization_id": organization["id"]}
    answer = letta_client.post(_USERS, json=body)
    must(status(answer))
    letta_ledger.enter(f"{_USERS}?user_id={answer.json()['id']}")
    return dict(answer.json())


@pytest.fixture
def as_user(letta_client: httpx.Client, user: dict[str, Any]) -> AsUser:
    """Send ``as_user(method, path, body, **query)`` as that user and return the answer."""

    def send(method: str, path: str, body: Any = None, **query: Any) -> httpx.Response:
        return letta_client.request(method, path, json=body, params=query, headers={"user_id": user["id"]})

    return send


def _walked(client: httpx.Client, path: str, wanted: str) -> list[str]:
    """Return the ids of a list that goes by pages, up to the one that is wanted."""
    ids: list[str] = []
    while wanted not in ids:
        answer = client.get(path, params={"limit": 200, **({"after": ids[-1]} if ids else {})})
        must(status(answer))
        page = [one["id"] for one in answer.json() if one["id"] not in ids]
        if not page:
            break
        ids += page
    return ids


@contract(
    "REST-USERS-001", needs=_NEEDS, because="each project of a shared server has its organization and its users"
)
def test_organization_and_user_are_made_listed_and_renamed(
    letta_client: httpx.Client, letta_ledger: Ledger, organization: dict[str, Any], user: dict[str, Any]
) -> None:
    """A new organization and a user of it are listed; renamed, they have the new names and are else the same."""
    must(contains(_walked(letta_client, _ORGS, organization["id"]), organization["id"], "list of organizations"))
    must(contains(_walked(letta_client, _USERS, user["id"]), user["id"], "list of users"))
    name = letta_ledger.name()

    org = letta_client.patch(_ORGS, params={"org_id": organization["id"]}, json={"name": name})
    must(status(org) or echoed({"id": organization["id"], "name": name}, org.json(), "the organization"))
    put = letta_client.put(_USERS, json={"id": user["id"], "name": name})
    must(status(put))
    must(echoed({**{key: user[key] for key in ("id", "organization_id")}, "name": name}, put.json(), "the user"))


@contract("REST-USERS-002", needs=_NEEDS, because="who left must be gone, and the second removal be told")
def test_deleted_organization_and_user_are_gone(
    letta_client: httpx.Client, organization: dict[str, Any], user: dict[str, Any]
) -> None:
    """A deleted user or organization is gone from the list, and a second deletion is 404 that names it."""
    for path, key, id in ((_USERS, "user_id", user["id"]), (_ORGS, "org_id", organization["id"])):
        must(status(letta_client.delete(path, params={key: id}), 200, 204))
        must(lacks(_walked(letta_client, path, id), id, f"list {path} after the deletion"))
        must(refused(letta_client.delete(path, params={key: id}), 404, naming=id))


@pytest.mark.parametrize(
    ("method", "path", "body", "statuses", "naming"),
    [
        pytest.param("POST", _USERS, {"name": "x"}, (422,), "organization_id", id="user-without-organization"),
        pytest.param(
            "POST",
            _USERS,
            {"name": "x", "organization_id": f"org-{_NOBODY[:-1]}1"},
            (404, 409),
            "org",
            id="unknown-organization",
        ),
        pytest.param(
            "PUT", _USERS, {"id": f"user-{_NOBODY[:-1]}1", "name": "x"}, (404,), _NOBODY[:-1], id="unknown-user"
        ),
        pytest.param("DELETE", f"{_USERS}?user_id=nobody", None, (404, 422, 400), "nobody", id="malformed-user"),
    ],
)
@contract("REST-USERS-003", needs=_NEEDS, because="a mistake in an id must not change somebody else")
def test_wrong_user_is_refused(
    letta_client: httpx.Client, method: str, path: str, body: Any, statuses: tuple[int, ...], naming: str
) -> None:
    """What names no organization or no user is refused by 4xx that says so."""
    must(refused(letta_client.request(method, path, json=body), *statuses, naming=naming))


@contract("REST-SANDBOX-001", needs=_NEEDS, because="where tools run is configured once for an organization")
def test_sandbox_is_configured(as_user: AsUser) -> None:
    """A sandbox of an organization is made, listed, updated in what was sent alone, and gone once deleted."""
    config = {"sandbox_dir": "/tmp/pytest-letta-none", "use_venv": False, "pip_requirements": [{"name": "six"}]}
    made = as_user("POST", _SANDBOXES, {"config": config})
    must(status(made))
    id = made.json()["id"]
    must(equal([id], [one["id"] for one in as_user("GET", _SANDBOXES).json()], "sandboxes of a new organization"))

    must(status(as_user("PATCH", f"{_SANDBOXES}{id}", {"config": {"sandbox_dir": "/tmp/pytest-letta-other"}})))

    (read,) = as_user("GET", _SANDBOXES).json()
    must(equal("/tmp/pytest-letta-other", read["config"].get("sandbox_dir"), "folder of the sandbox"))
    must(status(as_user("DELETE", f"{_SANDBOXES}{id}"), 200, 204))
    must(equal([], as_user("GET", _SANDBOXES).json(), "sandboxes after the deletion"))
    must(refused(as_user("DELETE", f"{_SANDBOXES}{id}"), 404, naming=id))


@contract("REST-SANDBOX-002", needs=_NEEDS, because="keys of other services are given to tools by the environment")
def test_environment_of_a_sandbox_is_kept(as_user: AsUser) -> None:
    """A variable of a sandbox is made, changed and deleted as asked, and others stay."""
    sandbox = as_user("POST", f"{_SANDBOXES}local/default")
    must(status(sandbox))
    path = f"{_SANDBOXES}{sandbox.json()['id']}/environment-variable"
    kept, gone = (as_user("POST", path, {"key": key, "value": "1 2", "description": "d"}) for key in ("KEPT", "GONE"))
    must(status(kept) or status(gone) or echoed({"key": "KEPT", "description": "d"}, kept.json(), "the variable"))

    one = f"{_SANDBOXES}environment-variable"
    must(status(as_user("PATCH", f"{one}/{kept.json()['id']}", {"description": "new"})))
    must(status(as_user("DELETE", f"{one}/{gone.json()['id']}"), 200, 204))

    (read,) = as_user("GET", path).json()
    must(echoed({"key": "KEPT", "value": "1 2", "description": "new"}, read, "the variable that stays"))


@contract("REST-SANDBOX-003", needs=[*_NEEDS, "tools"], because="a tool that lacks its key fails where nobody looks")
def test_tool_sees_the_environment_of_its_sandbox(as_user: AsUser) -> None:
    """A tool that is run sees the variables of its organization's sandbox, and what is sent along goes first."""
    sandbox = as_user("POST", f"{_SANDBOXES}local/default")
    must(status(sandbox))
    path = f"{_SANDBOXES}{sandbox.json()['id']}/environment-variable"
    for key in ("PYTEST_LETTA_KEPT", "PYTEST_LETTA_BOTH"):
        must(status(as_user("POST", path, {"key": key, "value": "of the sandbox"})))
    source = (
        'def peek() -> str:\n    """Tell."""\n    import os\n\n'
        '    return os.environ.get("PYTEST_LETTA_KEPT", "?") + ", " + os.environ.get("PYTEST_LETTA_BOTH", "?")\n'
    )

    sent = {"PYTEST_LETTA_BOTH": "of the request"}
    answer = as_user("POST", "/v1/tools/run", {"source_code": source, "args": {}, "env_vars": sent})

    must(status(answer))
    must(equal("of the sandbox, of the request", answer.json().get("tool_return"), "what the tool saw"))
