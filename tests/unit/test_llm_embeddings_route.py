"""The embeddings route takes every form of input and gives floats or base64."""

from __future__ import annotations

import base64
import struct
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from pytest_letta.llm import ModelControl, fail, say, serve
from pytest_letta.llm.embedding import cosine, embed


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    with serve() as server, httpx.Client(base_url=server.base_url, trust_env=False, timeout=30) as client:
        yield client


def vectors(client: httpx.Client, value: Any, **fields: Any) -> list[Any]:
    body = {"model": "text-embedding-3-small", "input": value, **fields}
    answer = client.post("/embeddings", json=body).raise_for_status().json()
    assert [item["index"] for item in answer["data"]] == list(range(len(answer["data"])))
    return [item["embedding"] for item in answer["data"]]


def test_one_text_gives_one_vector_of_1536(client: httpx.Client) -> None:
    (vector,) = vectors(client, "green tea")

    assert len(vector) == 1536
    assert vector == embed("green tea")


def test_texts_give_vectors_in_their_order(client: httpx.Client) -> None:
    assert vectors(client, ["green tea", "", "black"]) == [embed("green tea"), embed(""), embed("black")]


def test_token_ids_are_words(client: httpx.Client) -> None:
    one = vectors(client, [11, 22, 33])
    two = vectors(client, [[33, 22, 11], [44]])

    assert one == two[:1]
    assert cosine(two[0], two[1]) < 0.5


def test_base64_holds_the_same_floats(client: httpx.Client) -> None:
    (packed,) = vectors(client, "green tea", encoding_format="base64")
    (plain,) = vectors(client, "green tea", encoding_format="float")

    assert struct.unpack("<1536f", base64.b64decode(packed)) == pytest.approx(plain, abs=1e-7)


@pytest.mark.parametrize(
    ("fields", "length"),
    [({"dimensions": 8}, 8), ({"dimensions": None}, 1536), ({"model": "text-embedding-3-large"}, 3072)],
)
def test_dimensions_are_those_asked_for_or_the_model_s(
    client: httpx.Client, fields: dict[str, Any], length: int
) -> None:
    assert [len(vector) for vector in vectors(client, "tea", **fields)] == [length]


def test_usage_counts_the_words(client: httpx.Client) -> None:
    body = {"model": "text-embedding-3-small", "input": ["green tea", "black"]}

    assert client.post("/embeddings", json=body).json()["usage"] == {"prompt_tokens": 3, "total_tokens": 3}


def test_text_with_the_marker_of_a_failing_script_fails_as_it_says(client: httpx.Client) -> None:
    control = ModelControl(str(client.base_url))
    script = control.script(fail(429, "Too many texts."))
    body = {"model": "text-embedding-3-small", "input": ["green tea", script.prompt("black tea")]}

    answer = client.post("/embeddings", json=body)

    assert (answer.status_code, answer.json()["error"]["message"]) == (429, "Too many texts.")


def test_marker_of_any_other_script_is_text(client: httpx.Client) -> None:
    control = ModelControl(str(client.base_url))
    text = control.script(say("Hello.")).prompt("green tea")

    assert vectors(client, [text, "[[script:unheard-of]]"]) == [embed(text), embed("[[script:unheard-of]]")]
