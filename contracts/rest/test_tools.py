"""Tools: described by their source, one of each name, and found by what tells them apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pytest_letta import contract, must, not_applicable
from pytest_letta.conformance.checks import contains, echoed, equal, no_repeats, refused, same_set, status, unchanged

from ..memory.tenants import User, must_be_told_apart, new_user
from .tools import REPEATING, make_tool

if TYPE_CHECKING:
    import httpx

    from pytest_letta.ownership import Ledger

    from .asking import Ask

_NEEDS = ["tools"]
_TWINS = "deploy scripts put their tools again and again; twins confuse agents"
_PARAMETERS = {"text": "string", "times": "integer", "loud": "boolean"}


@pytest.fixture
def newcomer(letta_client: httpx.Client, letta_ledger: Ledger) -> User:
    """A user of a new organization, for whom the server takes him."""
    user = new_user(letta_client, letta_ledger)
    must_be_told_apart(user, letta_ledger)
    return user


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
def test_schema_is_made_of_signature_and_docstring(ask: Ask, word: str) -> None:
    """The schema of a new tool has the name, the texts, the types and the duties of its Python source."""
    tool = make_tool(ask, word)

    must(equal(word, tool.get("name"), "name of the tool"))
    must(_schema_problem(tool.get("json_schema") or {}, word))


@contract("REST-TOOLS-002", needs=_NEEDS, because="editors show the schema before the tool is kept")
def test_schema_is_previewed_as_it_will_be(ask: Ask, word: str) -> None:
    """POST /v1/tools/generate-schema gives the schema that such a tool has; what is no Python is refused."""
    answer = ask("POST", "/v1/tools/generate-schema", {"code": REPEATING.format(name=word)})

    must(status(answer) or _schema_problem(answer.json(), word))
    must(refused(ask("POST", "/v1/tools/generate-schema", {"code": "def (:"}), 400, 422, naming="syntax"))


@contract("REST-TOOLS-003", needs=_NEEDS, because=_TWINS)
def test_put_updates_the_tool_of_that_name(ask: Ask, word: str) -> None:
    """PUT of a tool whose name exists updates that tool: the same id, the new fields, once in the list."""
    tool = make_tool(ask, word)
    sent = {"source_code": REPEATING.format(name=word).replace("Repeat a", "Say a"), "return_char_limit": 99}

    put = ask("PUT", "/v1/tools/", sent)

    must(status(put) or equal(tool["id"], put.json().get("id"), "id of the tool after the PUT"))
    read = ask("GET", f"/v1/tools/{tool['id']}")
    must(status(read) or echoed(sent, read.json(), "the tool after the PUT"))
    must(equal("Say a text.", read.json()["json_schema"].get("description"), "description after the PUT"))
    must(_is_alone(ask, word, tool))


@contract(
    "REST-TOOLS-004", needs=_NEEDS, because="a description that is edited must not make the tool slower or unsafe"
)
def test_update_leaves_parallel_execution_as_it_is(ask: Ask, word: str) -> None:
    """Updating the description of a tool that may run in parallel leaves it so."""
    made = ask("POST", "/v1/tools/", {"source_code": REPEATING.format(name=word), "enable_parallel_execution": True})
    if made.status_code == 422 and "extra_forbidden" in made.text:
        not_applicable("this server knows no tools that run in parallel")
    must(status(made))
    tool = made.json()
    path = f"/v1/tools/{tool['id']}"

    must(status(ask("PATCH", path, {"description": "Another."})))

    # The schema has the description, too.
    moves = ["description", "metadata_", "json_schema"]
    must(unchanged(tool, ask("GET", path).json(), "the update of description", but=moves))


@contract("REST-TOOLS-010", needs=[*_NEEDS, "users"], because="what Letta brings along must be there, and not twice")
def test_base_tools_are_added_once(newcomer: User) -> None:
    """Adding the base tools to a new organization gives each once by its name, and again gives the same ids."""
    first, second = (newcomer.ask("POST", "/v1/tools/add-base-tools") for _ in range(2))

    must(status(first) or status(second))
    names = [one["name"] for one in first.json()]
    must(contains(names, "conversation_search", "base tools") or no_repeats(names, "base tools"))
    ids = [one["id"] for one in first.json()]
    must(same_set(ids, [one["id"] for one in second.json()], "ids of the base tools when added again"))


@contract("REST-TOOLS-011", needs=_NEEDS, because=_TWINS)
def test_second_tool_of_a_name_is_no_twin(ask: Ask, word: str) -> None:
    """POST of a tool whose name exists is refused by 409 that says so, or gives that tool with the new source."""
    tool = make_tool(ask, word)
    source = REPEATING.format(name=word).replace("Repeat a", "Say a")

    answer = ask("POST", "/v1/tools/", {"source_code": source})

    if answer.is_success:  # since 0.12
        must(echoed({"id": tool["id"], "source_code": source}, answer.json(), "the second creation"))
    else:
        must(refused(answer, 409, naming="exist"))
    must(_is_alone(ask, word, tool))


@pytest.mark.parametrize("by", ["names", "ids", "part", "kind"])
@contract("REST-TOOLS-012", needs=_NEEDS, because="a filter that takes too much gives agents the tools of others")
def test_filter_of_tools_selects_exactly(ask: Ask, letta_ledger: Ledger, by: str) -> None:
    """Tools listed by their names, their ids or a part of the name are those; of another kind are none of them."""
    names = [f"{letta_ledger.name().replace('-', '_')}_x" for _ in range(3)]
    ids = [make_tool(ask, name)["id"] for name in names]
    part = names[0].removeprefix("pytest_")
    wanted: dict[str, tuple[dict[str, Any], list[str]]] = {
        "names": ({"names": names[:2]}, ids[:2]),
        "ids": ({"tool_ids": ids[:2]}, ids[:2]),
        "part": ({"search": part}, ids[:1]),
        "kind": ({"search": part, "exclude_tool_types": "custom"}, []),
    }
    query, expected = wanted[by]

    answer = ask("GET", "/v1/tools/", limit=50, **query)

    must(status(answer))
    must(same_set(expected, [one["id"] for one in answer.json()], f"tools listed by {by}"))


def _is_alone(ask: Ask, name: str, tool: dict[str, Any]) -> str | None:
    listed = ask("GET", "/v1/tools/", name=name)
    return status(listed) or equal([tool["id"]], [one["id"] for one in listed.json()], "tools of that name")
