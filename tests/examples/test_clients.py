"""The plain clients: httpx, asynchronous httpx, the URLs."""

import asyncio


def test_an_httpx_client(letta_client):
    assert letta_client.get("/v1/health/").json()["status"] == "ok"


def test_an_asynchronous_client(letta_async_client):
    async def count():
        async with letta_async_client as client:
            answer = await client.get("/v1/agents/count")
            return answer.json()

    assert asyncio.run(count()) >= 0


def test_the_urls(letta_url, letta_proxy_url, letta_deployment):
    assert letta_url.startswith("http")
    assert letta_proxy_url is None or letta_proxy_url != letta_url
    assert letta_deployment.can("agents")
