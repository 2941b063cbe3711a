"""Backup: what comes out of one is the whole memory, and a server that goes on from there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_letta import contract

if TYPE_CHECKING:
    import httpx

    from pytest_letta.second import SecondStarter

    from .keepsakes import Keepsakes

_NEEDS = ["core_memory", "archival", "archival_search", "messages", "llm", "second"]


@contract(
    "MEM-BACKUP-001",
    needs=_NEEDS,
    because="a backup that gives back default blocks and no history is noticed on the day it is needed: "
    "acertainKnight/project-thoth commits 7a74a68, f17670f, 7f26b9d",
)
def test_restored_dump_is_the_whole_memory(
    keepsakes: Keepsakes, letta_client: httpx.Client, letta_second: SecondStarter
) -> None:
    """A server on what pg_dump and pg_restore give has every agent, block, passage and message, and goes on there."""
    _judge(keepsakes, letta_second("dump"), letta_client, "of the restored dump")


@contract(
    "MEM-BACKUP-002",
    needs=_NEEDS,
    because="the copy of a volume, taken while Postgres is stopped, is how most small deployments are backed up",
)
def test_cold_copy_of_the_data_is_the_whole_memory(
    keepsakes: Keepsakes, letta_client: httpx.Client, letta_second: SecondStarter
) -> None:
    """A server on a cold copy of the data folder has every agent, block, passage and message, and goes on there."""
    _judge(keepsakes, letta_second("copy"), letta_client, "of the cold copy")


def _judge(keepsakes: Keepsakes, restored: httpx.Client, original: httpx.Client, where: str) -> None:
    keepsakes.must_be_at(restored, where)
    keepsakes.must_go_on_at(restored, where)
    # Else it was no other database that was judged.
    keepsakes.must_be_at(original, f"of the original after a turn {where}")
