"""Embeddings with an oracle: hashed bags of words, so texts that share words are near."""

from __future__ import annotations

import base64
import hashlib
import math
import re
import struct
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache

DIMENSIONS = 1536
# One coordinate a word would let two unrelated words coincide completely once in 1,536 pairs; spread over
# eight, an accident costs an eighth of that.
_SPREAD = 8


def embed(text: str, dimensions: int = DIMENSIONS) -> list[float]:
    """Embed a text by its words, without regard to case, order and punctuation.

    Returns a vector of length 1, the same in every process and on every machine; a text without a word
    gives the first unit vector.
    """
    return embed_words(re.findall(r"\w+", text.casefold()), dimensions)


def embed_words(words: Iterable[str], dimensions: int = DIMENSIONS) -> list[float]:
    """Embed words that are split already, as token ids are."""
    vector = [0] * dimensions
    for word, count in Counter(words).items():
        for place, sign in _places(word):
            vector[place % dimensions] += sign * count
    norm = math.sqrt(sum(value * value for value in vector))
    if norm == 0:
        return [1.0] + [0.0] * (dimensions - 1)
    return [value / norm if value else 0.0 for value in vector]


def cosine(left: Sequence[float], right: Sequence[float]) -> float:
    """Return how near two vectors of length 1 are: 1 the same, about 0 unrelated."""
    return sum(a * b for a, b in zip(left, right, strict=True))


def pack(vector: Sequence[float]) -> str:
    """Encode a vector as OpenAI's base64 form does: little-endian 32-bit floats."""
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode("ascii")


@lru_cache(maxsize=65_536)
def _places(word: str) -> tuple[tuple[int, int], ...]:
    # blake2b, because hash() of a str differs from process to process.
    digest = hashlib.blake2b(word.encode("utf-8", "surrogatepass"), digest_size=4 * _SPREAD).digest()
    numbers = struct.unpack(f"<{_SPREAD}I", digest)
    return tuple((number >> 1, 1 if number & 1 else -1) for number in numbers)
