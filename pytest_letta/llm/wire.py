"""Write answers in OpenAI's shapes: completions, stream chunks, embeddings, models, errors."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from pytest_letta.llm.embedding import pack
from pytest_letta.llm.prompt import texts
from pytest_letta.llm.reply import Reply, split
from pytest_letta.llm.request import ChatRequest, EmbeddingsRequest
from pytest_letta.llm.script import Turn

MODELS = ("gpt-4o-mini", "gpt-4o", "text-embedding-3-small")
CREATED = 1_700_000_000
_FINGERPRINT = "fp_pytest_letta"
_ERROR_TYPES = {
    401: ("authentication_error", "invalid_api_key"),
    403: ("permission_error", None),
    429: ("rate_limit_error", "rate_limit_exceeded"),
}


def models() -> dict[str, Any]:
    """Return the list of models."""
    data = [{"id": name, "object": "model", "created": CREATED, "owned_by": "pytest-letta"} for name in MODELS]
    return {"object": "list", "data": data}


def error(status: int, message: str, *, param: str | None = None, code: str | None = None) -> dict[str, Any]:
    """Return OpenAI's error object for a status; ``code`` None is the usual one of that status."""
    other = "server_error" if status >= 500 else "invalid_request_error"
    kind, usual = _ERROR_TYPES.get(status, (other, None))
    return {"error": {"message": message, "type": kind, "param": param, "code": code or usual}}


def embeddings(request: EmbeddingsRequest) -> dict[str, Any]:
    """Return the vectors of an embeddings call."""
    data = [
        {"object": "embedding", "index": index, "embedding": pack(vector) if request.base64 else vector}
        for index, vector in enumerate(request.vectors)
    ]
    usage = {"prompt_tokens": request.words, "total_tokens": request.words}
    return {"object": "list", "data": data, "model": request.model, "usage": usage}


def completion(request: ChatRequest, turn: Turn) -> dict[str, Any]:
    """Return the whole answer of a call that is not streamed."""
    reply = turn.reply
    message: dict[str, Any] = {"role": "assistant", "content": reply.text, "refusal": None}
    if reply.kind == "call_tool":
        # A call without words has null content, as OpenAI's own.
        message["content"] = reply.text or None
        message["tool_calls"] = [_tool_call(turn, reply.arguments or "")]
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": _finish(reply)}
    answer = _envelope(request, turn, "chat.completion")
    return {**answer, "choices": [choice], "usage": usage(request, reply)}


def stream(request: ChatRequest, turn: Turn) -> Iterator[tuple[str, int]]:
    """Yield the data of each event, with the number of tokens that are spoken once it is out.

    A `cut` ends with its last token and a `malformed` with a broken chunk; the others end in ``[DONE]``.
    """
    reply = turn.reply
    # Made once, for its id is a hash of the whole reply.
    shared = _envelope(request, turn, "chat.completion.chunk")
    if request.include_usage:
        shared["usage"] = None
    yield _chunk(shared, {"role": "assistant", "content": ""}), 0
    if reply.kind == "malformed":
        yield _chunk(shared, {"content": "This chunk breaks off"})[:-40], 0
        return
    for count, delta in _deltas(turn):
        yield _chunk(shared, delta), count
    if reply.kind == "cut":
        return
    yield _chunk(shared, {}, _finish(reply)), reply.spoken
    if request.include_usage:
        yield json.dumps({**shared, "choices": [], "usage": usage(request, reply)}), reply.spoken
    yield "[DONE]", reply.spoken


def usage(request: ChatRequest, reply: Reply) -> dict[str, Any]:
    """Count tokens in the model's own way: a token is a word."""
    said = (text for message in request.messages for text in texts(message.get("content")))
    prompt = sum(len(split(text)) for text in said)
    return {
        "prompt_tokens": prompt,
        "completion_tokens": reply.spoken,
        "total_tokens": prompt + reply.spoken,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
    }


def _envelope(request: ChatRequest, turn: Turn, kind: str) -> dict[str, Any]:
    return {
        "id": turn.make_id("chatcmpl-"),
        "object": kind,
        "created": CREATED,
        "model": request.model,
        "system_fingerprint": _FINGERPRINT,
    }


def _deltas(turn: Turn) -> Iterator[tuple[int, dict[str, Any]]]:
    reply = turn.reply
    said = reply.tokens[: reply.after_tokens]
    for count, token in enumerate(said, 1):
        yield count, {"content": token}
    if reply.kind == "call_tool":
        yield len(said), {"tool_calls": [{"index": 0, **_tool_call(turn, "")}]}
        for count, piece in enumerate(reply.fragments, len(said) + 1):
            yield count, {"tool_calls": [{"index": 0, "function": {"arguments": piece}}]}


def _chunk(shared: dict[str, Any], delta: dict[str, Any], finish: str | None = None) -> str:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
    return json.dumps({**shared, "choices": [choice]})


def _tool_call(turn: Turn, arguments: str) -> dict[str, Any]:
    function = {"name": turn.reply.name, "arguments": arguments}
    return {"id": turn.make_id("call_"), "type": "function", "function": function}


def _finish(reply: Reply) -> str:
    return "tool_calls" if reply.kind == "call_tool" else "stop"
