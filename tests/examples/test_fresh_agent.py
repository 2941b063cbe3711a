"""An agent for one test, in two lines; it is removed afterwards."""


def test_my_bot_remembers(letta_agent):
    letta_agent.edit_block("human", "Name: Ada.")

    assert letta_agent.block("human")["value"] == "Name: Ada."


def test_several_agents(make_letta_agent):
    first, second = make_letta_agent(), make_letta_agent(description="the other one")

    assert first.id != second.id
    assert second.state["description"] == "the other one"
