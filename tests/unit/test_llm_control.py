"""The control client scripts a running model and reads what reached it, from any process."""

from __future__ import annotations

import multiprocessing
import pickle
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from pytest_letta.errors import ModelError
from pytest_letta.llm import ModelControl, call_tool, say, serve
from pytest_letta.llm.control import Script


@pytest.fixture(scope="module")
def control() -> Iterator[ModelControl]:
    with serve() as server:
        yield ModelControl(server.url)


def chat(control: ModelControl, *contents: str, system: Any = "Be kind.") -> str:
    users = [{"role": "user", "content": content} for content in contents]
    body = {"model": control.handle, "messages": [{"role": "system", "content": system}, *users]}
    answer = httpx.post(f"{control.base_url}/chat/completions", json=body, trust_env=False, timeout=30)
    return str(answer.raise_for_status().json()["choices"][0]["message"]["content"])


def embed(control: ModelControl, text: str) -> None:
    body = {"model": "text-embedding-3-small", "input": text}
    httpx.post(f"{control.base_url}/embeddings", json=body, trust_env=False, timeout=30).raise_for_status()


def run_scripts(control: ModelControl, name: str) -> list[str]:
    """Script, ask and read back in turn: what one of several processes or threads does."""
    seen = []
    for index in range(10):
        script = control.script(say(f"{name} {index}"))
        seen.append(chat(control, script.prompt()))
        assert len(control.requests(script)) == 1
        control.forget(script)
    return seen


def test_prompt_of_a_script_gets_its_reply(control: ModelControl) -> None:
    script = control.script(say("Scripted."))

    assert chat(control, script.prompt("Hi")) == "Scripted."
    assert script.prompt("Hi") == f"Hi [[script:{script.key}]]"


def test_keys_are_unique_unless_given(control: ModelControl) -> None:
    first, second = control.script(say("1")), control.script(say("2"))

    assert first.key != second.key
    assert control.script(say("3"), key="mine") == Script("mine")
    assert control.script(say("4"), key="mine") == Script("mine")
    assert chat(control, Script("mine").prompt()) == "4"


def test_requests_are_those_of_the_script(control: ModelControl) -> None:
    script = control.script(say("1"))
    chat(control, script.prompt("One"))
    embed(control, script.prompt("Two"))
    chat(control, script.prompt("Three"))
    chat(control, "Four")

    one, three = control.requests(script)
    assert one.body["messages"][1]["content"].startswith("One")
    assert (one.key, one.path) == (script.key, "/v1/chat/completions")
    assert [request.number for request in control.requests(script.key, since=one.number)] == [three.number]
    assert [request.body["input"] for request in control.requests(script, "/v1/embeddings")] == [script.prompt("Two")]
    assert len(control.requests(script, None)) == 3
    assert control.requests()[-1].body["messages"][1]["content"] == "Four"
    assert one.at <= three.at


@pytest.mark.parametrize("system", ["Be brief.", [{"type": "text", "text": "Be brief."}]])
def test_last_system_prompt_is_the_newest(control: ModelControl, system: Any) -> None:
    script = control.script(say("1"))
    chat(control, script.prompt(), system="Old.")
    chat(control, script.prompt(), system=system)

    assert control.last_system_prompt(script) == "Be brief."


def test_last_system_prompt_without_a_request_is_an_error(control: ModelControl) -> None:
    script = control.script(say("1"))

    with pytest.raises(ModelError, match=f"no chat request of script '{script.key}'"):
        control.last_system_prompt(script)


def test_forgotten_script_is_gone_with_its_requests(control: ModelControl) -> None:
    script, other = control.script(say("1")), control.script(say("2"))
    chat(control, script.prompt())
    chat(control, other.prompt())
    control.forget(script)
    control.forget(script)

    assert control.requests(script) == []
    assert len(control.requests(other)) == 1
    with pytest.raises(httpx.HTTPStatusError, match="400"):
        chat(control, script.prompt())


def test_control_takes_either_form_of_the_url(control: ModelControl) -> None:
    assert ModelControl(f"{control.url}/v1/").url == control.url
    assert ModelControl(control.url).base_url == f"{control.url}/v1"


def test_several_processes_script_one_model_at_once(control: ModelControl) -> None:
    control = pickle.loads(pickle.dumps(control))
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(3, mp_context=spawn) as pool:
        results = list(pool.map(run_scripts, [control] * 3, "abc"))

    assert results == [[f"{name} {index}" for index in range(10)] for name in "abc"]


def test_many_threads_are_answered_each_its_own(control: ModelControl) -> None:
    names = [f"t{index}" for index in range(8)]
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(run_scripts, [control] * 8, names))

    assert results == [[f"{name} {index}" for index in range(10)] for name in names]


def test_refusal_is_told_in_the_server_s_words(control: ModelControl) -> None:
    with pytest.raises(ModelError, match="must have at least one reply"):
        control.script()
    with pytest.raises(ModelError, match="key must be 1 to 64"):
        control.script(say("1"), key="a b")
    with pytest.raises(ModelError, match="key must be 1 to 64"):
        control.forget("")


def test_nobody_at_the_url_is_told_with_the_remedy() -> None:
    with serve() as server:
        url = server.url

    with pytest.raises(ModelError, match=r"no scripted model answers at .*start one with `python -m"):
        ModelControl(url).script(call_tool("f", {}))


def test_something_else_at_the_url_is_told(control: ModelControl) -> None:
    with pytest.raises(ModelError, match="Unknown request URL"):
        ModelControl(f"{control.url}/v2").script(say("1"))
