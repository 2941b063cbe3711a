"""Rows of a stack's database: every one of them, and many of somebody else's at once."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from typing import NamedTuple

from pytest_letta.stack import wheels
from pytest_letta.stack.stack import Stack


class Row(NamedTuple):
    """A row by its table, how it begins, and a digest of all of it."""

    table: str
    start: str
    digest: str


def rows(stack: Stack, leave_out: Mapping[str, str]) -> set[Row]:
    """Return every row of every table, but for those that `leave_out` names by table and condition."""
    tables = _psql(stack, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'").split("\x1e")
    selects = (
        f"SELECT '{name}', left(t::text, 200), md5(t::text) FROM \"{name}\" t "
        f"WHERE ({leave_out.get(name, 'false')}) IS NOT TRUE"
        for name in tables
    )
    lines = _psql(stack, " UNION ALL ".join(selects)).split("\x1e")
    return {Row(*line.split("\x1f")) for line in lines if line}


def copy_agent(stack: Stack, agent: str, copies: int) -> None:
    """Copy an agent with its blocks, tags, tools, messages, passages, runs and steps, each under ids of its own."""
    numbers = f"generate_series(1, {copies}) n"
    own = f"agent_id = '{agent}'"
    blocks = f"(SELECT block_id FROM blocks_agents WHERE {own})"
    archives = f"(SELECT archive_id FROM archives_agents WHERE {own})"
    message_ids = (
        "regexp_replace(t.message_ids::text, '.{6}\"(?=[],])', 'ff' || lpad(to_hex(n), 4, '0') || '\"', 'g')::jsonb"
    )
    plan = (
        ("agents", f"id = '{agent}'", {"id": "", "message_ids": message_ids}),
        ("block", f"id IN {blocks}", {"id": "", "value": "t.value || n"}),
        ("blocks_agents", own, {"agent_id": "", "block_id": ""}),
        ("agents_tags", own, {"agent_id": ""}),
        ("tools_agents", own, {"agent_id": ""}),
        ("archives", f"id IN {archives}", {"id": ""}),
        ("archives_agents", own, {"agent_id": "", "archive_id": ""}),
        ("archival_passages", f"archive_id IN {archives}", {"id": "", "archive_id": ""}),
        ("runs", own, {"id": "", "agent_id": ""}),
        ("steps", own, {"id": "", "agent_id": "", "run_id": ""}),
        (
            "messages",
            own,
            {"id": "", "agent_id": "", "run_id": "", "step_id": "", "sequence_id": "nextval('message_seq_id')"},
        ),
    )
    statements = (
        f"INSERT INTO {table} SELECT (jsonb_populate_record(t, jsonb_build_object({_fields(fields)}))).* "
        f"FROM {table} t, {numbers} WHERE {where}"
        for table, where, fields in plan
    )
    _psql(stack, "; ".join(statements))


def age(stack: Stack, table: str, hours: int) -> None:
    """Make all rows of a table that much older."""
    _psql(stack, f"UPDATE {table} SET created_at = created_at - interval '{hours} hours'")


def _fields(fields: dict[str, str]) -> str:
    """Write new values as SQL: an expression, or for none the id with its last six digits counted up."""
    counted = "left(t.{name}, -6) || 'ff' || lpad(to_hex(n), 4, '0')"
    return ", ".join(f"'{name}', {value or counted.format(name=name)}" for name, value in fields.items())


def _psql(stack: Stack, sql: str) -> str:
    command = [
        str(wheels.postgres_home() / "bin" / "psql"),
        "-XAtq",
        "-v",
        "ON_ERROR_STOP=1",
        "-F",
        "\x1f",
        "-R",
        "\x1e",
    ]
    done = subprocess.run(
        [*command, "-c", sql, str(stack.postgres_dsn)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.rstrip("\n")
