"""A promise of one's own, judged beside the shipped ones under --letta-contracts."""

from pytest_letta import contract, must
from pytest_letta.conformance.checks import equal


@contract("SHOP-AGENTS-001", needs=["agents"], because="our shop shows the description of an agent")
def test_description_is_kept(make_letta_agent):
    """An agent keeps the description that it was created with."""
    agent = make_letta_agent(description="sells tea")

    must(equal("sells tea", agent.state["description"], "description"))
