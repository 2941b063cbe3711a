"""Organizations and users: made, renamed and removed, and each organization has its own tools and sandboxes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from pytest_letta import contract, must
from pytest_letta.conformance.checks import echoed, equal, refused, status, unchanged

from ..memory.tenants import User, new_user
from .resources import walked

if TYPE_CHECKING:
    import httpx

    from pytest_letta.ownership import Ledger

    from .asking import Ask

_NEEDS = ["users"]
_ORGS, _USERS, _SANDBOXES = "/v1/admin/orgs/", "/v1/admin/users/", "/v1/sandbox-config/"
_STAMPS = ("updated_at", "last_updated_by_id")
_NOBODY = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def user(letta_client: httpx.Client, letta_ledger: Ledger) -> User:
    """A user of an organization of our own; what is in it goes with it."""
    return new_user(letta_client, letta_ledger)


@pytest.fixture
def ask_there(ask_as: Callable[[User], Ask], stranger: User, user: User) -> Ask:
    """Ask as a user of a new organization, on a server that takes such users for themselves."""
    return ask_as(user)


def _listed(ask: Ask, path: str, id: str) -> dict[str, Any]:
    """Return the one of that id of the list, which must be there."""
    found = {one["id"]: one for one in walked(ask, path)}
    must(None if id in found else f"{id} is not among the {len(found)} of GET {path}")
    return dict(found[id])


@contract(
    "REST-USERS-001", needs=_NEEDS, because="each project of a shared server has its organization and its users"
)
def test_organization_and_user_are_made_listed_and_renamed(ask: Ask, letta_ledger: Ledger, user: User) -> None:
    """A new organization and a user of it are listed; renamed, they have the new names and are else the same."""
    name, ids = letta_ledger.name(), (user.organization, user.id)
    before = [_listed(ask, path, id) for path, id in zip((_ORGS, _USERS), ids, strict=True)]
    must(equal(user.organization, before[1].get("organization_id"), "organization of the user"))

    must(status(ask("PATCH", _ORGS, {"name": name}, org_id=user.organization)))
    must(status(ask("PUT", _USERS, {"id": user.id, "name": name})))

    for path, old in zip((_ORGS, _USERS), before, strict=True):
        new = _listed(ask, path, old["id"])
        must(equal(name, new.get("name"), f"name of {old['id']} in the list"))
        must(unchanged(old, new, f"the new name of {old['id']}", but=["name", *_STAMPS]))


@contract("REST-USERS-002", needs=_NEEDS, because="who left must be gone, and the second removal be told")
def test_deleted_organization_and_user_are_gone(ask: Ask, user: User) -> None:
    """A deleted user or organization is gone from the list, and a second deletion is 404 that names it."""
    for path, key, id in ((_USERS, "user_id", user.id), (_ORGS, "org_id", user.organization)):
        must(status(ask("DELETE", path, **{key: id}), 200, 204))
        must(None if id not in {one["id"] for one in walked(ask, path)} else f"{id} is still listed by GET {path}")
        must(refused(ask("DELETE", path, **{key: id}), 404, naming=id))


@pytest.mark.parametrize(
    ("method", "path", "body", "statuses", "naming"),
    [
        pytest.param("POST", _USERS, {"name": "x"}, (422,), "organization_id", id="user-without-organization"),
        pytest.param(
            "POST",
            _USERS,
            {"name": "x", "organization_id": f"org-{_NOBODY[:-1]}1"},
            (404, 409),
            "organization",
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
    ask: Ask, method: str, path: str, body: Any, statuses: tuple[int, ...], naming: str
) -> None:
    """What names no organization or no user is refused by 4xx that says so."""
    must(refused(ask(method, path, body), *statuses, naming=naming))


@contract(
    "REST-SANDBOX-001", needs=[*_NEEDS, "tools"], because="where tools run is configured once for an organization"
)
def test_sandbox_is_configured(ask_there: Ask) -> None:
    """A sandbox of an organization is made, listed and updated as asked, and gone once deleted."""
    config = {"sandbox_dir": "/tmp/pytest-letta-none", "use_venv": False, "pip_requirements": [{"name": "six"}]}
    made = ask_there("POST", _SANDBOXES, {"config": config})
    must(status(made))
    id = made.json()["id"]
    must(equal([id], [one["id"] for one in ask_there("GET", _SANDBOXES).json()], "sandboxes of a new organization"))

    must(status(ask_there("PATCH", f"{_SANDBOXES}{id}", {"config": {"sandbox_dir": "/tmp/pytest-letta-other"}})))

    read = ask_there("GET", _SANDBOXES).json()
    must(
        equal(["/tmp/pytest-letta-other"], [one["config"].get("sandbox_dir") for one in read], "folders of sandboxes")
    )
    must(status(ask_there("DELETE", f"{_SANDBOXES}{id}"), 200, 204))
    must(equal([], ask_there("GET", _SANDBOXES).json(), "sandboxes after the deletion"))
    must(refused(ask_there("DELETE", f"{_SANDBOXES}{id}"), 404, naming=id))


@contract(
    "REST-SANDBOX-002",
    needs=[*_NEEDS, "tools"],
    because="keys of other services are given to tools by the environment",
)
def test_environment_of_a_sandbox_is_kept(ask_there: Ask) -> None:
    """A variable of a sandbox is made, changed and deleted as asked, and others stay."""
    sandbox = ask_there("POST", f"{_SANDBOXES}local/default")
    must(status(sandbox))
    path = f"{_SANDBOXES}{sandbox.json()['id']}/environment-variable"
    kept, gone = (
        ask_there("POST", path, {"key": key, "value": "1 2", "description": "d"}) for key in ("KEPT", "GONE")
    )
    must(status(kept) or status(gone) or echoed({"key": "KEPT", "description": "d"}, kept.json(), "the variable"))

    one = f"{_SANDBOXES}environment-variable"
    must(status(ask_there("PATCH", f"{one}/{kept.json()['id']}", {"description": "new"})))
    must(status(ask_there("DELETE", f"{one}/{gone.json()['id']}"), 200, 204))

    read = ask_there("GET", path).json()
    must(equal(["KEPT"], [one["key"] for one in read], "variables after the deletion of the other"))
    must(echoed({"value": "1 2", "description": "new"}, read[0], "the variable that stays"))


@contract("REST-SANDBOX-003", needs=[*_NEEDS, "tools"], because="a tool that lacks its key fails where nobody looks")
def test_tool_sees_the_environment_of_its_sandbox(ask_there: Ask) -> None:
    """A tool that is run sees the variables of its organization's sandbox, and what is sent along goes first."""
    # Which of them a server runs its tools in is not told.
    sandboxes = [ask_there("POST", f"{_SANDBOXES}{kind}/default") for kind in ("local", "e2b")]
    must(status(sandboxes[0]))
    for sandbox in sandboxes:
        for key in ("PYTEST_LETTA_KEPT", "PYTEST_LETTA_BOTH") if sandbox.is_success else ():
            path = f"{_SANDBOXES}{sandbox.json()['id']}/environment-variable"
            must(status(ask_there("POST", path, {"key": key, "value": "of the sandbox"})))
    source = (
        'def peek() -> str:\n    """Tell."""\n    import os\n\n'
        '    return os.environ.get("PYTEST_LETTA_KEPT", "?") + ", " + os.environ.get("PYTEST_LETTA_BOTH", "?")\n'
    )

    sent = {"PYTEST_LETTA_BOTH": "of the request"}
    answer = ask_there("POST", "/v1/tools/run", {"source_code": source, "args": {}, "env_vars": sent})

    must(status(answer))
    must(equal("of the sandbox, of the request", answer.json().get("tool_return"), "what the tool saw"))
