"""The compose provider on a real engine: a copy that works, beside an original that it does not touch."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import httpx
import pytest
from live_agents import block_value, call, make_agent, send
from owner_of_a_stack import Owner

from pytest_letta.compose.reading import has_compose, read
from pytest_letta.errors import ServiceError, StackError
from pytest_letta.stack.compose import ComposeStack
from pytest_letta.stack.containers.engine import Engine
from pytest_letta.stack.containers.labels import RUN
from pytest_letta.stack.ports import consecutive_ports

pytestmark = pytest.mark.skipif(not has_compose(), reason="the plugin `docker compose` is not installed")

_FREE = {"model": "letta/letta-free", "embedding": "letta/letta-free"}


@pytest.fixture(scope="module")
def owner(engine: Engine, images: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Owner]:
    """Somebody whose file is read here; his own stack does not run."""
    one = Owner(engine, tmp_path_factory.mktemp("owner"))
    with pytest.MonkeyPatch.context() as patch:
        for name, value in one.variables.items():
            patch.setenv(name, value)
        yield one
    one.leave()


@pytest.fixture(scope="module")
def copy(owner: Owner, engine: Engine) -> Iterator[ComposeStack]:
    """A healthy copy of the owner's stack, with two replicas of Letta, whose first choice of ports was taken."""
    rows: list[list[int]] = []
    with ExitStack() as held:

        def ports(count: int) -> list[int]:
            rows.append(consecutive_ports(count))
            if len(rows) == 1:
                held.enter_context(taken(engine, rows[0][:2]))
            return rows[-1]

        text = owner.file.read_text()
        owner.file.write_text(text.replace("    container_name: ${OWNER}-server\n", "    deploy: {replicas: 2}\n"))
        file = read(owner.file)
        owner.file.write_text(text)
        with ComposeStack(file, ports=ports) as stack:
            assert len(rows) == 2
            yield stack


@contextmanager
def taken(engine: Engine, ports: list[int]) -> Iterator[None]:
    """Have a container publish `ports`."""
    published: Any = {f"{number}/tcp": ("127.0.0.1", port) for number, port in enumerate(ports, start=80)}
    run = engine.client.containers.run
    one = run("python:3.11-slim", ["sleep", "600"], entrypoint=[], ports=published, detach=True)
    try:
        yield
    finally:
        one.remove(force=True)


def left(engine: Engine, run: str) -> list[str]:
    """Name what is labelled as of `run`."""
    chosen = {"label": f"{RUN}={run}"}
    client = engine.client
    found = [*client.containers.list(all=True, filters=chosen), *client.networks.list(filters=chosen)]
    return [
        str(one.name) for one in [*found, *client.volumes.list(filters=chosen), *client.images.list(filters=chosen)]
    ]


def test_a_copy_has_no_second_server(copy: ComposeStack) -> None:
    assert not copy.can("second")
    with pytest.raises(StackError, match="the compose provider cannot start 'a second letta'"):
        copy.start_second()


def test_a_copy_touches_nothing_of_its_owner(owner: Owner, engine: Engine) -> None:
    """Made, used, destroyed in parts and closed beside the running original, which notices none of it."""
    owner.start()
    id = call(owner.url, "POST", "/v1/agents/", json={"name": "of-the-owner", **_FREE})["id"]
    agent = call(owner.url, "GET", f"/v1/agents/{id}")
    before = owner.state()

    with ComposeStack(read(owner.file)) as copy:
        assert call(copy.url, "GET", "/v1/agents/") == []
        call(copy.url, "DELETE", f"/v1/agents/{make_agent(copy)}")
        copy.execute("postgres", ["psql", "-U", "letta", "-c", "DROP TABLE agents CASCADE"])
        copy.execute("redis", ["redis-cli", "flushall"])
        copy.kill("redis")
        copy.stop("postgres")
        run = copy.run_id

    assert owner.state() == before
    assert call(owner.url, "GET", f"/v1/agents/{id}") == agent
    assert left(engine, run) == []


def test_every_service_answers_where_the_copy_says(copy: ComposeStack) -> None:
    assert copy.services == ("postgres", "redis", "letta", "nginx", "job", "llm")
    assert call(copy.url, "GET", "/v1/health/")["status"] == "ok"
    assert call(str(copy.proxy_url), "GET", "/v1/agents/?limit=1") == []
    assert httpx.get(f"{copy.llm_url}/health").status_code == 200
    assert "done" in copy.execute("redis", ["redis-cli", "get", "job"]).output
    assert copy.hostname("postgres") == "db"


def test_letta_asks_the_scripted_model(copy: ComposeStack) -> None:
    agent = make_agent(copy)

    assert send(copy.url, agent, "Hello.") == ["You said: Hello."]


def test_what_one_replica_is_told_the_other_knows(copy: ComposeStack) -> None:
    first, second = (f"http://{address}" for address in copy.replicas("letta"))
    agent = make_agent(copy)

    call(second, "PATCH", f"/v1/agents/{agent}/core-memory/blocks/human", json={"value": "Bea"})

    assert [block_value(url, agent) for url in (first, second, str(copy.proxy_url))] == ["Bea"] * 3


def test_data_outlive_new_containers(copy: ComposeStack) -> None:
    agent = make_agent(copy)

    copy.recreate("postgres")
    copy.recreate("letta")

    assert block_value(copy.url, agent) == "Ann"
    assert block_value(str(copy.proxy_url), agent) == "Ann"


def test_a_folder_of_data_is_not_the_owners(copy: ComposeStack, owner: Owner) -> None:
    assert "kept-by-the-owner" not in copy.execute("redis", ["ls", "/data"]).output
    assert any(owner.variables["STORE"] in note for note in copy.notes)


def test_a_stack_that_does_not_become_healthy_says_all_that_is_known(owner: Owner, engine: Engine) -> None:
    text = owner.file.read_text()
    owner.file.write_text(text.replace("Elephants@", "Camels@"))
    file = read(owner.file)
    owner.file.write_text(text)
    stack = ComposeStack(file)

    with pytest.raises(ServiceError) as caught:
        stack.open()

    assert "letta ended with 1" in str(caught.value)
    assert 'password authentication failed for user "letta"' in str(caught.value)
    assert left(engine, stack.run_id) == []


@pytest.mark.slow
def test_a_service_of_the_owner_that_ends_says_how_to_leave_it_out(owner: Owner, engine: Engine) -> None:
    text = owner.file.read_text()
    owner.file.write_text(text.replace('"set", "job", "done"', '"--nonsense"'))
    file = read(owner.file)
    owner.file.write_text(text)
    stack = ComposeStack(file)

    with pytest.raises(ServiceError) as caught:
        stack.open()

    assert "job ended with" in str(caught.value)
    assert "without=job" in str(caught.value)
    assert left(engine, stack.run_id) == []
