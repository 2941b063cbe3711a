"""The sample of the documented architecture, with three replicas of Letta and an application beside them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from live_agents import block_value, call, make_agent

from pytest_letta.agent import Agent
from pytest_letta.compose.reading import has_compose, read
from pytest_letta.llm import ModelControl, say
from pytest_letta.stack.compose import ComposeStack
from pytest_letta.stack.containers.compose_service import SERVICE_LABEL
from pytest_letta.stack.containers.engine import Engine
from pytest_letta.stack.containers.labels import RUN
from pytest_letta.streaming import StreamOpener, payloads, text_of

pytestmark = pytest.mark.skipif(not has_compose(), reason="the plugin `docker compose` is not installed")

_SAMPLE = Path(__file__).parents[2] / "examples" / "compose"
#: What could break when one replica does not know what another did.
_CONTRACTS = "MEM-PROMPT or MEM-HISTORY or SSE-RESUME or SSE-BACK or SSE-TEXT-001"
_SETTINGS = {"LETTA_REPLICAS": "3", "LETTA_PORTS": "8290-8292", "COMPOSE_PROFILES": "proxy,monitoring"}


@pytest.fixture(scope="module")
def sample(images: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[ComposeStack]:
    """A healthy copy of the sample, as somebody has it who has filled in its ``.env``."""
    folder = tmp_path_factory.mktemp("sample") / "compose"
    shutil.copytree(_SAMPLE, folder)
    settings = dict(line.split("=", 1) for line in (folder / ".env.example").read_text().splitlines() if "=" in line)
    (folder / ".env").write_text("".join(f"{name}={value}\n" for name, value in (settings | _SETTINGS).items()))
    with ComposeStack(read(folder / "compose.yml")) as stack:
        yield stack


def containers_of(engine: Engine, stack: ComposeStack, service: str) -> dict[str, str]:
    """Return id -> start of the containers of a service."""
    chosen = {"label": [f"{RUN}={stack.run_id}", f"{SERVICE_LABEL}={service}"]}
    return {str(one.id): one.attrs["State"]["StartedAt"] for one in engine.client.containers.list(filters=chosen)}


def test_all_of_it_runs(sample: ComposeStack, engine: Engine) -> None:
    assert set(sample.services) == {"postgres", "redis", "letta", "nginx", "llm", "app", "letta-monitor"}
    assert len(containers_of(engine, sample, "letta-server")) == 3
    assert len({str(address) for address in sample.replicas("letta")}) == 3


def test_restarts_of_the_application_never_touch_letta(sample: ComposeStack, engine: Engine) -> None:
    before = containers_of(engine, sample, "letta-server")
    (app,) = sample.replicas("app")
    assert httpx.post(f"http://{app}/", content="milk", timeout=30).text == "milk\n"

    sample.restart("app")
    sample.recreate("app")

    (app,) = sample.replicas("app")
    assert httpx.post(f"http://{app}/", content="bread", timeout=30).text == "milk\nbread\n"
    assert len(call(sample.url, "GET", "/v1/agents/?name=notebook-app")) == 1
    assert containers_of(engine, sample, "letta-server") == before


def test_a_block_edited_through_one_replica_is_read_through_the_others(sample: ComposeStack) -> None:
    urls = [f"http://{address}" for address in sample.replicas("letta")]
    agent = make_agent(sample)

    for turn, url in enumerate(urls):
        call(url, "PATCH", f"/v1/agents/{agent}/core-memory/blocks/human", json={"value": f"Ann {turn}"})

        assert [block_value(other, agent) for other in urls] == [f"Ann {turn}"] * 3


def test_a_background_stream_of_one_replica_is_resumed_on_another(sample: ComposeStack) -> None:
    first, second, _ = (f"http://{address}" for address in sample.replicas("letta"))
    model = ModelControl(str(sample.llm_url))
    words = " ".join(f"word{number}" for number in range(20))
    script = model.script(say(words, pace_s=0.1))
    state = call(first, "GET", f"/v1/agents/{make_agent(sample)}")
    with httpx.Client(base_url=first) as here, httpx.Client(base_url=second) as there:
        agent = Agent(state["id"], state, here)
        with StreamOpener(here, 60)(agent, script.prompt(), tokens=True, background=True) as stream:
            begun = stream.read(6)
        last = max(one["seq_id"] for one in payloads(begun) if one.get("seq_id"))
        run = payloads(begun)[-1]["run_id"]
        with StreamOpener(there, 60).resume(run, last) as stream:
            rest = stream.read_all()

    assert text_of(begun) != ""
    assert text_of(begun) + text_of(rest) == words
    assert rest[-1].is_done


@pytest.mark.slow
def test_contracts_hold_whichever_replica_answers(sample: ComposeStack, pytester: pytest.Pytester) -> None:
    result = pytester.runpytest_subprocess(
        *("-p", "no:schemathesis", f"--letta-url={sample.proxy_url}", f"--letta-llm={sample.llm_url}"),
        *("--letta-suite=memory", "--letta-suite=streaming", "--letta-report=report.json", f"-k={_CONTRACTS}"),
    )

    assert result.ret == 0, result.stdout.str()
    summary = json.loads(Path("report.json").read_text())["summary"]
    assert summary["pass"] > 15
    assert summary["fail"] == summary["could-not-run"] == summary["error"] == 0
