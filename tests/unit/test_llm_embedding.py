"""Embeddings are an oracle: texts that share words are nearer than texts that do not."""

from __future__ import annotations

import base64
import math
import struct
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_letta.llm.embedding import DIMENSIONS, cosine, embed, pack

WORDS = [f"{stem}{ending}" for stem in ("bal", "cor", "dim", "fen", "gul", "hav") for ending in "aeiouxyz"]
PLACES_OF_TEA = [62, 89, 625, 650, 731, 804, 808, 1027]


@given(st.lists(st.sampled_from(WORDS), min_size=8, max_size=8, unique=True))
def test_texts_that_share_words_are_nearer(words: list[str]) -> None:
    query, near, far = words[:4], [*words[:2], *words[4:6]], words[4:]

    def nearness(text: list[str]) -> float:
        return cosine(embed(" ".join(query)), embed(" ".join(text)))

    assert nearness(query) > nearness(near) > nearness(far)


@given(st.permutations(WORDS[:6]), st.sampled_from([" ", ", ", "\n"]))
def test_order_case_and_punctuation_do_not_count(words: list[str], separator: str) -> None:
    assert embed(separator.join(words).upper()) == embed(" ".join(WORDS[:6]))


@given(st.text(), st.integers(1, 64))
def test_every_vector_has_length_one(text: str, dimensions: int) -> None:
    vector = embed(text, dimensions)

    assert len(vector) == dimensions
    assert math.isclose(cosine(vector, vector), 1)


@pytest.mark.parametrize("text", ["", "   ", "?!"])
def test_text_without_a_word_gives_the_first_unit_vector(text: str) -> None:
    assert embed(text) == [1.0] + [0.0] * (DIMENSIONS - 1)


def test_vectors_are_the_same_in_another_process() -> None:
    code = "from pytest_letta.llm.embedding import embed, pack; print(pack(embed('Grüner tea, twice: tea')))"
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert other.stdout.strip() == pack(embed("Grüner tea, twice: tea"))


def test_vectors_are_the_same_in_every_release() -> None:
    places = [index for index, value in enumerate(embed("tea")) if value]

    assert places == PLACES_OF_TEA


def test_packed_vector_is_little_endian_floats() -> None:
    assert struct.unpack("<3f", base64.b64decode(pack([1.0, -0.5, 0.0]))) == (1.0, -0.5, 0.0)
