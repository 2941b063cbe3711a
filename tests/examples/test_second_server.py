"""Judge a backup: a second server on a dump of the database, or a cold copy of its data folder."""

import pytest


def test_a_dump_holds_the_memory(letta_deployment, letta_second, letta_agent):
    if not letta_deployment.capabilities["second"].available:
        pytest.skip(letta_deployment.capabilities["second"].reason)
    letta_agent.edit_block("human", "Name: Ada.")

    restored = letta_agent.at(letta_second("dump"))

    assert restored.block("human")["value"] == "Name: Ada."
