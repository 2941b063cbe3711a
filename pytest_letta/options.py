"""The OPTIONS table: every setting by its name, with its parser, its default and what a user reads of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pytest_letta import parsing

DEFAULT_VERSION = "0.16.8"
#: The suite that judges a file and needs no deployment.
FILE_SUITE = "compose"
LEVELS = ("must", "should", "may")
#: The Hypothesis profile under which contracts of random sequences run long.
THOROUGH = "letta-thorough"
#: Above the 60 s at which a server without uvloop stalls, so that such a stall is seen and named.
DEFAULT_TIMEOUT_S = 75.0


@dataclass(frozen=True, slots=True)
class Option:
    """One row of the OPTIONS table.

    ``url`` is ``--letta-url``, ini ``letta_url`` and environment ``PYTEST_LETTA_URL``. `parse` turns the
    text into the value, or raises ValueError with what is allowed ("must be ...").
    """

    name: str
    help: str
    parse: Callable[[str], Any] = parsing.text
    metavar: str | None = None
    default: Any = None
    repeatable: bool = False
    also_env: tuple[str, ...] = ()
    secret: bool = False

    @property
    def flag(self) -> str:
        return f"--letta-{self.name.replace('_', '-')}"

    @property
    def ini(self) -> str:
        return f"letta_{self.name}"

    @property
    def env(self) -> tuple[str, ...]:
        return (f"PYTEST_LETTA_{self.name.upper()}", *self.also_env)

    @property
    def is_switch(self) -> bool:
        return self.parse is parsing.flag


OPTIONS: tuple[Option, ...] = (
    Option("url", "Base URL of the deployment to test.", parsing.url, "URL"),
    Option("proxy_url", "URL of the SSE proxy in front of that deployment.", parsing.url, "URL"),
    Option(
        "token",
        "Password of the server, sent as a bearer token to its origin only.",
        metavar="TOKEN",
        also_env=("LETTA_API_KEY",),
        secret=True,
    ),
    Option(
        "stack",
        "Start a stack for this run: local (real services from PyPI wheels), docker (containers), compose (an "
        "isolated copy of the services of --letta-compose) or none.",
        parsing.one_of("local", "docker", "compose", "none"),
        "PROVIDER",
        "none",
    ),
    Option("version", "Letta release that the stack runs.", metavar="VERSION", default=DEFAULT_VERSION),
    Option(
        "image",
        "Image of a service of the docker stack, such as postgres=pgvector/pgvector:pg17 (repeatable).",
        parsing.image,
        "SERVICE=REFERENCE",
        (),
        repeatable=True,
    ),
    Option(
        "compose",
        "Compose file of yours: the suite compose judges it; an isolated copy of it is the stack, if none is named.",
        parsing.file,
        "FILE",
    ),
    Option(
        "compose_service",
        "Service of that file by its role, such as letta=my-server, where it is not recognised; without=SERVICE "
        "leaves one out (repeatable).",
        parsing.compose_service,
        "ROLE=SERVICE",
        (),
        repeatable=True,
    ),
    Option("contracts", "Run the shipped contract suites too.", parsing.flag, default=False),
    Option(
        "suite",
        "Run this contract suite only (repeatable; implies --letta-contracts).",
        metavar="NAME",
        default=(),
        repeatable=True,
    ),
    Option("level", "Lowest level of contract to run: must, should or may.", parsing.one_of(*LEVELS), "LEVEL", "may"),
    Option("known", "YAML file with known issues of your own, beside the shipped ones.", parsing.file, "FILE"),
    Option("report", "Write the results to FILE.json (repeatable).", parsing.report, "FILE", (), repeatable=True),
    Option(
        "origin",
        "Origin of pages that the server was configured to allow, as in its ACCEPTABLE_ORIGINS; a stack is given it.",
        parsing.origin,
        "ORIGIN",
    ),
    Option(
        "restart",
        "Shell command that restarts the deployment; makes the persistence contracts applicable.",
        metavar="CMD",
    ),
    Option("read_only", "Send only requests with safe methods.", parsing.flag, default=False),
    Option(
        "model",
        "Model handle for agents, such as openai/gpt-4o-mini; your provider bills the turns.",
        metavar="HANDLE",
    ),
    Option("embedding", "Embedding handle for agents.", metavar="HANDLE"),
    Option(
        "llm", "URL of a scripted model (python -m pytest_letta.llm) that the deployment uses.", parsing.url, "URL"
    ),
    Option("keep", "Leave the stack running and the created agents in place.", parsing.flag, default=False),
    Option("timeout", "Seconds that one request may take.", parsing.seconds, "SECONDS", DEFAULT_TIMEOUT_S),
    Option("allow_incomplete", "End with 0 although some contracts could not run.", parsing.flag, default=False),
)
