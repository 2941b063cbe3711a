"""Say what the model answers, and look at the prompt that it was given."""

from pytest_letta.llm import call_tool, say


def test_the_block_is_in_the_prompt(letta_agent, letta_llm):
    script = letta_llm.script(say("Hello, Ada."))
    letta_agent.edit_block("human", "Name: Ada.")

    answer = letta_agent.send(script.prompt("Who am I?"))

    assert answer["messages"][-1]["content"] == "Hello, Ada."
    assert "Name: Ada." in letta_llm.last_system_prompt(script)


def test_the_model_edits_its_memory(letta_agent, letta_llm):
    edit = {"label": "human", "old_string": "Name unknown.", "new_string": "Name: Ada."}
    script = letta_llm.script(call_tool("memory_replace", edit), say("Noted."))

    letta_agent.send(script.prompt("I am Ada."))

    assert letta_agent.block("human")["value"] == "Name: Ada."
