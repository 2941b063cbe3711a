"""Named capabilities of a deployment, and how each is known."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Capability:
    """Whether a deployment can do something. `reason` says why, and how to enable what is not available."""

    name: str
    available: bool
    reason: str


@dataclass(frozen=True)
class _Route:
    """A capability that the server has when it serves some operations.

    `since` is the Letta version from which on it does. `with_model`: it is of use only where a model answers.
    """

    name: str
    since: str
    operations: tuple[str, ...]
    with_model: bool = False


_AGENT = "/v1/agents/{agent_id}"
#: The operations by name, as the routers of Letta 0.5.0 to 0.16.8 declare them.
_ROUTES: Final = (
    _Route("agents", "0.5.0", ("GET /v1/agents/", "POST /v1/agents/")),
    _Route("agent_file", "0.6.40", (f"GET {_AGENT}/export", "POST /v1/agents/import")),
    _Route("blocks", "0.5.0", ("GET /v1/blocks/", "POST /v1/blocks/")),
    _Route(
        "core_memory",
        "0.6.14",
        (f"GET {_AGENT}/core-memory/blocks", f"PATCH {_AGENT}/core-memory/blocks/{{block_label}}"),
    ),
    _Route("archival", "0.6.14", (f"GET {_AGENT}/archival-memory", f"POST {_AGENT}/archival-memory")),
    _Route("archival_search", "0.11.7", (f"GET {_AGENT}/archival-memory/search",)),
    _Route("archives", "0.12.0", ("GET /v1/archives/", "POST /v1/archives/")),
    _Route(
        "archive_passages",
        "0.16.5",
        ("POST /v1/archives/{archive_id}/passages", "POST /v1/archives/{archive_id}/passages/batch"),
    ),
    _Route("passages", "0.15.0", ("POST /v1/passages/search",)),
    _Route("tools", "0.5.0", ("GET /v1/tools/", "POST /v1/tools/")),
    _Route("folders", "0.9.0", ("GET /v1/folders/", "POST /v1/folders/")),
    _Route("users", "0.5.0", ("GET /v1/admin/users/", "POST /v1/admin/users/")),
    _Route("messages", "0.5.0", (f"GET {_AGENT}/messages", f"POST {_AGENT}/messages"), with_model=True),
    _Route("streaming", "0.6.0", (f"POST {_AGENT}/messages/stream",), with_model=True),
    _Route("async", "0.6.2", (f"POST {_AGENT}/messages/async",), with_model=True),
    _Route("cancel", "0.8.9", (f"POST {_AGENT}/messages/cancel",), with_model=True),
    # Background streams also need Redis, of which a server tells nothing until it is asked for one.
    _Route("background", "0.11.5", ("POST /v1/runs/{run_id}/stream",), with_model=True),
    _Route("resume", "0.11.5", ("POST /v1/runs/{run_id}/stream",), with_model=True),
    _Route("runs", "0.6.10", ("GET /v1/runs/",), with_model=True),
    _Route("approvals", "0.11.7", (f"PATCH {_AGENT}/tools/approval/{{tool_name}}",), with_model=True),
    _Route("conversations", "0.16.2", ("GET /v1/conversations/", "POST /v1/conversations/"), with_model=True),
    _Route("chat_completions", "0.13.0", ("POST /v1/chat/completions",), with_model=True),
    _Route("conversation_deletion", "0.16.5", ("DELETE /v1/conversations/{conversation_id}",)),
)
_READY = "GET /v1/ready/"

_NO_MODEL = (
    "no model is known that answers: give --letta-model HANDLE, or run `python -m pytest_letta.llm`, set "
    "OPENAI_API_BASE of the server to it, and give --letta-llm URL"
)
_NO_PASSWORD = "no password was given: use --letta-token or LETTA_API_KEY"
#: Why what writes is not applicable then.
READ_ONLY = "this run only reads: leave out --letta-read-only"
_OWN_STACK = "pytest-letta can {} only a stack that it started: use --letta-stack local in place of --letta-url"
_CONTAINERS = "only a stack of containers can {}: use --letta-stack docker, or compose with a file of yours"
#: What the harness knows or may do by itself: the reason when it does not, and what holds when nobody says.
_EXTRAS: Final[Mapping[str, tuple[str, bool]]] = {
    "execute": (_CONTAINERS.format("run a command beside the server"), False),
    "kill": (_OWN_STACK.format("kill"), False),
    "llm": (
        "the server does not use the scripted model: run `python -m pytest_letta.llm`, set OPENAI_API_BASE of the "
        "server to it, and give --letta-llm URL",
        False,
    ),
    "logs": (_OWN_STACK.format("read the logs of"), False),
    "model": (_NO_MODEL, False),
    "origin": (
        "no origin is known that the server was configured to allow: give the one in its ACCEPTABLE_ORIGINS with "
        "--letta-origin",
        False,
    ),
    "partition": (_CONTAINERS.format("take a service off its network"), False),
    "pause": (_OWN_STACK.format("pause"), False),
    "query": (_OWN_STACK.format("look into the database of"), False),
    "recreate": (_CONTAINERS.format("be put into new containers"), False),
    "reload": (_OWN_STACK.format("reload the proxy of"), False),
    "restart": ("nothing is known that restarts this server: give --letta-restart COMMAND", False),
    "second": ("only the stacks local and docker can have a second server: use --letta-stack local or docker", False),
    "tls": (
        "no address with https is known: give one with --letta-url or --letta-proxy-url, or use --letta-stack local "
        "or docker, whose proxy has one",
        False,
    ),
    "write": (READ_ONLY, True),
}


def capabilities(
    has: Callable[[str], bool],
    *,
    extras: Mapping[str, bool | str],
    has_proxy: bool,
    has_token: bool,
    version: str | None = None,
) -> dict[str, Capability]:
    """Return every capability by name.

    `has` tells whether the server serves an operation, given as `GET /v1/agents/{agent_id}`. `extras` says what
    only the harness knows: those of _EXTRAS, such as kill, llm or restart, and any further names; a text, such as the
    handle of the model, means yes. `version` is None when it is unknown.
    """
    found = [_extra(name, extras) for name in sorted({*_EXTRAS, *extras})]
    found += [_route(route, has, extras, version) for route in _ROUTES]
    found += [
        _choice("ready", has(_READY), f"{_READY} is served", _missing([_READY], "0.16.7", version)),
        _choice("proxy", has_proxy, "a proxy URL is known", "no proxy is known: give --letta-proxy-url URL"),
        _choice("password", has_token, "a password was given", _NO_PASSWORD),
    ]
    return {each.name: each for each in sorted(found, key=lambda each: each.name)}


def _choice(name: str, available: bool, yes: str, no: str) -> Capability:
    return Capability(name, available, yes if available else no)


def _extra(name: str, extras: Mapping[str, bool | str]) -> Capability:
    without, default = _EXTRAS.get(name, (f"{name} was not enabled for this run", False))
    value = extras.get(name, default)
    return _choice(name, bool(value), f"given: {value}" if isinstance(value, str) else "given", without)


def _route(
    route: _Route, has: Callable[[str], bool], extras: Mapping[str, bool | str], version: str | None
) -> Capability:
    missing = [operation for operation in route.operations if not has(operation)]
    if missing:
        return Capability(route.name, False, _missing(missing, route.since, version))
    if not extras.get("write", True):
        return Capability(route.name, False, READ_ONLY)
    if route.with_model and not extras.get("model", False):
        return Capability(route.name, False, _NO_MODEL)
    return Capability(route.name, True, f"{', '.join(route.operations)} served")


def _missing(operations: list[str], since: str, version: str | None) -> str:
    server = "this server" if version is None else f"this server (Letta {version})"
    return f"{server} does not serve {', '.join(operations)}; Letta {since} and later do"
