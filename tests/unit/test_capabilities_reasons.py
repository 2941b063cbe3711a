"""Capabilities follow from what is served and what was given; their reasons say how to enable them."""

from __future__ import annotations

import pytest

from pytest_letta.capabilities import Capability, capabilities


def found(
    *missing: str, extras: dict[str, bool | str] | None = None, proxy: bool = True, token: bool = True
) -> dict[str, Capability]:
    return capabilities(
        lambda operation: operation not in missing,
        extras=extras or {},
        has_proxy=proxy,
        has_token=token,
        version="0.11.6",
    )


def available(names: dict[str, Capability]) -> set[str]:
    return {name for name, capability in names.items() if capability.available}


def test_names_that_contracts_ask_for_exist() -> None:
    asked = "agents blocks core_memory archival archival_search archives messages streaming background resume"
    asked += " conversations runs proxy password llm model restart kill pause query second write ready"

    assert set(asked.split()) <= set(found())
    assert all(name == capability.name and capability.reason for name, capability in found().items())


def test_server_that_serves_all_with_a_model_can_do_all_but_what_needs_a_stack() -> None:
    everything = found(extras={"model": "openai/gpt-4o-mini"})

    of_a_stack = {"execute", "kill", "logs", "partition", "pause", "query", "recreate", "reload", "restart", "second"}
    assert set(everything) - available(everything) == {"llm", "origin", "tls", *of_a_stack}
    assert everything["model"].reason == "given: openai/gpt-4o-mini"


def test_missing_operation_is_named_with_the_version_that_has_it() -> None:
    capability = found("GET /v1/agents/{agent_id}/archival-memory/search")["archival_search"]

    assert not capability.available
    assert capability.reason == (
        "this server (Letta 0.11.6) does not serve GET /v1/agents/{agent_id}/archival-memory/search; "
        "Letta 0.11.7 and later do"
    )


def test_messages_need_a_model_but_memory_does_not() -> None:
    without = available(found())

    assert not {"messages", "streaming", "background", "resume", "runs", "conversations"} & without
    assert {"agents", "blocks", "core_memory", "archival", "archival_search"} <= without
    assert "--letta-model HANDLE" in found()["messages"].reason
    assert "--letta-llm URL" in found()["llm"].reason


def test_background_and_resume_depend_on_the_path_of_the_resume() -> None:
    without = available(found("POST /v1/runs/{run_id}/stream", extras={"model": True}))

    assert not {"background", "resume"} & without
    assert {"messages", "streaming", "runs"} <= without


def test_run_that_only_reads_claims_nothing_that_writes() -> None:
    names = found(extras={"write": False, "model": True})

    assert available(names) == {"model", "password", "proxy", "ready"}
    assert "--letta-read-only" in names["agents"].reason


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("proxy", "--letta-proxy-url URL"),
        ("password", "--letta-token or LETTA_API_KEY"),
        ("restart", "--letta-restart COMMAND"),
        ("kill", "--letta-stack local"),
    ],
)
def test_reason_of_what_is_missing_says_how_to_enable_it(name: str, remedy: str) -> None:
    capability = found(proxy=False, token=False)[name]

    assert not capability.available
    assert remedy in capability.reason


def test_extras_of_other_names_become_capabilities() -> None:
    names = found(extras={"tls": True, "ipv6": False, "restart": "docker compose restart letta"})

    assert (names["tls"].available, names["ipv6"].available) == (True, False)
    assert names["restart"] == Capability("restart", True, "given: docker compose restart letta")
