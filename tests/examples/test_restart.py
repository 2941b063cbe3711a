"""Restart the server of a stack that this run started."""

import pytest


def test_memory_survives_a_restart(letta_stack, letta_agent):
    if not letta_stack.can("restart"):
        pytest.skip("this deployment is not ours to restart")
    letta_agent.edit_block("human", "Name: Ada.")

    letta_stack.restart("letta")

    assert letta_agent.block("human")["value"] == "Name: Ada."
