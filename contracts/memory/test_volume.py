"""Volume: the database is the state, all of it, and which database it is can be told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_letta import contract, must
from pytest_letta.conformance.checks import equal, refused, status

from .keepsakes import Keepsakes, got
from .sentinels import Sentinels, missing, planted, told

if TYPE_CHECKING:
    import httpx

    from pytest_letta.agent import Agent, AgentMaker
    from pytest_letta.handles import Handles
    from pytest_letta.ownership import Ledger
    from pytest_letta.second import SecondStarter
    from pytest_letta.stack.stack import Stack

#: A cluster is given its identifier when it is made, a database its oid: a restart or a move of its files keeps both.
_IDENTITY = (
    "SELECT 'database ' || datname || ' (' || oid || ') of system ' || system_identifier AS told "
    "FROM pg_control_system(), pg_database WHERE datname = current_database()"
)


@contract(
    "MEM-VOLUME-001",
    needs=["core_memory", "archival", "archival_search", "messages", "llm", "second"],
    because="the memory of years must not depend on the machine that serves it: letta-ai/letta#2354, #2592",
)
def test_new_server_on_the_same_database_serves_the_same_memory(
    keepsakes: Keepsakes, letta_stack: Stack, letta_second: SecondStarter
) -> None:
    """A new server on the database of one that has ended serves the same memory, and the agents go on from there."""
    letta_stack.stop("letta")
    try:
        client = letta_second("same")
        keepsakes.must_be_at(client, "of the new server")
        keepsakes.must_go_on_at(client, "of the new server")
    finally:
        letta_stack.start("letta")


@contract(
    "MEM-VOLUME-002",
    needs=["agents", "blocks", "archival", "messages", "restart", "query"],
    because="'my agents disappeared' mostly means another database, and then a search for lost rows is in vain: "
    "letta-ai/letta#2354, #2592",
)
def test_restarted_services_are_on_the_database_of_before(
    letta_client: httpx.Client, make_letta_agent: AgentMaker, letta_ledger: Ledger, letta_stack: Stack
) -> None:
    """After a restart of database and server all memory is there: the server looks at the database of before."""
    sentinels = planted(letta_client, make_letta_agent, letta_ledger.name())
    before = _identity(letta_stack)

    for service in ("postgres", "letta"):
        letta_stack.restart(service)

    must(_cause(sentinels, missing(letta_client, sentinels), before, letta_stack))


@contract(
    "MEM-VOLUME-003",
    needs=["agents", "blocks", "messages", "second"],
    because="what is kept beside the database is in no backup, and is another customer's on another database",
)
def test_empty_database_knows_of_nothing(
    letta_agent: Agent, letta_handles: Handles, letta_ledger: Ledger, letta_second: SecondStarter
) -> None:
    """A server on an empty database serves no agent and no block of another database, and keeps its own to itself."""
    letta_agent.send("Stand watch.")
    client = letta_second("empty")

    must(refused(client.get(letta_agent.path), 404, naming=letta_agent.id))
    for path in ("/v1/agents/", "/v1/blocks/"):
        must(equal([], got(client, f"{path}?limit=5"), f"{path} of an empty database"))
    made = client.post("/v1/agents/", json={"name": letta_ledger.name(), **letta_handles.fields()})
    must(status(made))
    theirs = letta_agent.client.get(f"/v1/agents/{made.json()['id']}")
    must(refused(theirs, 404, naming=made.json()["id"]))


def _identity(stack: Stack) -> str:
    (row,) = stack.query(_IDENTITY)
    return str(row["told"])


def _cause(sentinels: Sentinels, absent: list[str], before: str, stack: Stack) -> str | None:
    """Tell another database from lost rows; ``None`` when nothing is missing, wherever it is."""
    if not absent:
        return None
    seen = f"{len(absent)} of {len(sentinels)} sentinels are not served after the restart"
    if (now := _identity(stack)) != before:
        return (
            f"different database identity, not lost rows: it was {before}, it is {now}; {seen}. "
            "Compare volume and data folder of Postgres with those of before."
        )
    ids = ", ".join(f"'{id}'" for name, (_, id) in sentinels.items() if name.startswith("agent "))
    if len(absent) == len(sentinels) and stack.query(f"SELECT id FROM agents WHERE id IN ({ids})"):
        return (
            f"different database identity, not lost rows: the rows are still in {now}, and the server looks at "
            f"another database; {seen}. Compare LETTA_PG_URI with that of before."
        )
    return f"rows were lost from {now}, the database of before: {seen}: {told(sentinels, absent)}"
