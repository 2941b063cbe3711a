"""Check the bodies that OpenAI's API takes, and refuse the others as it does."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pytest_letta.errors import ModelError
from pytest_letta.llm.embedding import DIMENSIONS, embed, embed_words

MAX_DIMENSIONS = 8192
_NATIVE_DIMENSIONS = {"text-embedding-3-large": 3072}


class RefusedError(ModelError):
    """A call that is answered with a 4xx; ``param`` is the field at fault, None where it is none."""

    def __init__(self, message: str, *, param: str | None = None, status: int = 400, code: str | None = None) -> None:
        super().__init__(message)
        self.param = param
        self.status = status
        self.code = code


@dataclass(frozen=True)
class ChatRequest:
    """What a chat completion asks for, of the fields that change the answer.

    `required_tools` are the functions by name where one of them must be called, else none.
    """

    model: str
    messages: list[dict[str, Any]]
    stream: bool
    include_usage: bool
    required_tools: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def read_chat(body: object) -> ChatRequest:
    """Read the body of POST /v1/chat/completions. Any model name is taken. Raises RefusedError."""
    fields = _object(body)
    options = fields.get("stream_options") or {}
    if not isinstance(options, dict):
        raise RefusedError("stream_options must be an object.", param="stream_options")
    _check_tools(fields.get("tools"))
    return ChatRequest(
        model=_model(fields),
        messages=_messages(fields.get("messages")),
        stream=_flag(fields, "stream"),
        include_usage=_flag(options, "include_usage"),
        required_tools=_required_tools(fields),
    )


@dataclass(frozen=True)
class EmbeddingsRequest:
    """What an embeddings call asks for; one vector for each input, in their order."""

    model: str
    vectors: list[list[float]]
    words: int
    base64: bool


def read_embeddings(body: object) -> EmbeddingsRequest:
    """Read the body of POST /v1/embeddings and embed its inputs. Raises RefusedError."""
    fields = _object(body)
    model = _model(fields)
    encoding = fields.get("encoding_format") or "float"
    if encoding not in ("float", "base64"):
        raise RefusedError("encoding_format must be 'float' or 'base64'.", param="encoding_format")
    dimensions = fields.get("dimensions")
    if dimensions is None:
        dimensions = _NATIVE_DIMENSIONS.get(model, DIMENSIONS)
    if type(dimensions) is not int or not 1 <= dimensions <= MAX_DIMENSIONS:
        raise RefusedError(f"dimensions must be from 1 to {MAX_DIMENSIONS}.", param="dimensions")
    inputs = _inputs(fields.get("input"))
    vectors = [
        embed(item, dimensions) if isinstance(item, str) else embed_words(map(str, item), dimensions)
        for item in inputs
    ]
    words = sum(len(item.split()) if isinstance(item, str) else len(item) for item in inputs)
    return EmbeddingsRequest(model, vectors, words, encoding == "base64")


def _object(body: object) -> dict[str, Any]:
    if not isinstance(body, dict):
        raise RefusedError("The body must be a JSON object.")
    return body


def _model(fields: Mapping[str, Any]) -> str:
    model = fields.get("model")
    if not isinstance(model, str) or not model:
        raise RefusedError("You must provide a model parameter.", param="model")
    return model


def _flag(fields: Mapping[str, Any], name: str) -> bool:
    value = fields.get(name)
    if value is not None and not isinstance(value, bool):
        raise RefusedError(f"{name} must be true, false or null.", param=name)
    return bool(value)


def _messages(messages: object) -> list[dict[str, Any]]:
    if not isinstance(messages, list) or not messages:
        raise RefusedError("messages must be a list with at least one message.", param="messages")
    for index, message in enumerate(messages):
        where = f"messages[{index}]"
        if not isinstance(message, dict) or not isinstance(message.get("role"), str):
            raise RefusedError(f"{where} must be an object with a role.", param=where)
        if not isinstance(message.get("content"), str | list | None):
            raise RefusedError(f"{where}.content must be a string, a list or null.", param=f"{where}.content")
    return messages


def _check_tools(tools: object) -> None:
    if tools is None:
        return
    if not isinstance(tools, list):
        raise RefusedError("tools must be a list.", param="tools")
    for index, tool in enumerate(tools):
        function = tool.get("function") if isinstance(tool, dict) else None
        name = function.get("name") if isinstance(function, dict) else None
        if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", name):
            where = f"tools[{index}].function.name"
            raise RefusedError(f"{where} must be 1 to 64 letters, digits, '_' or '-'.", param=where)


def _required_tools(fields: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    if fields.get("tool_choice") != "required":
        return {}
    return {tool["function"]["name"]: tool["function"] for tool in fields.get("tools") or ()}


def _inputs(value: object) -> list[str] | list[list[int]]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, list) and value:
        if all(isinstance(item, str) for item in value):
            return value
        if _are_tokens(value):
            return [value]
        if all(_are_tokens(item) for item in value):
            return value
    raise RefusedError("input must be a string, a list of strings, or token ids.", param="input")


def _are_tokens(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(type(item) is int for item in value)
