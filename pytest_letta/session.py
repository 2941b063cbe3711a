"""What one pytest session shares: settings, the stack, the deployment, the recorder, its own name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pytest

from pytest_letta.errors import StackError
from pytest_letta.telling import printable
from pytest_letta.turns import Turns

if TYPE_CHECKING:
    import httpx

    from pytest_letta.client import Recorder
    from pytest_letta.compose.file import ComposeFile
    from pytest_letta.deployment import Deployment
    from pytest_letta.handles import Handles
    from pytest_letta.ownership import Ledger
    from pytest_letta.settings import Settings
    from pytest_letta.stack.hosting import HostAddress
    from pytest_letta.stack.progress import Progress
    from pytest_letta.stack.stack import Stack

SESSION = pytest.StashKey["LettaSession"]()

#: Servers that a request passes; their logs belong to a failure.
_TAIL_SERVICES = ("letta", "nginx")


_HOW = "give --letta-url URL, or --letta-stack local to start one (docs: README, Options)"


def session_of(config: pytest.Config) -> LettaSession:
    """Return the session of a run; a test that asks for it in a run without a deployment fails with the remedy."""
    if SESSION not in config.stash:
        pytest.fail(f"this test needs a Letta deployment: {_HOW}.", pytrace=False)
    return config.stash[SESSION]


class LettaSession:
    """Opens each shared thing at its first use and closes them together; works without pytest.

    `host` is where another process of this run serves the stack (xdist); ``None`` in the only process.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        run_id: str,
        turns: Turns,
        progress: Progress | None = None,
        host: HostAddress | None = None,
    ) -> None:
        self.settings = settings
        self.run_id = run_id
        self.turns = turns
        self.leftovers: list[str] = []
        self._progress = progress
        self._host = host
        self._stack: Stack | None = None
        self._owns_stack = True
        self._stack_failure: StackError | None = None
        self._deployment: Deployment | None = None

    @cached_property
    def recorder(self) -> Recorder:
        from pytest_letta.client import Recorder

        return Recorder()

    @property
    def progress(self) -> Progress:
        """What shows what takes long; it shows nothing where nobody looks."""
        from pytest_letta.stack.progress import Silence

        return self._progress or Silence()

    @cached_property
    def compose_file(self) -> ComposeFile | None:
        """The user's compose file, or ``None`` when none was given; raises ComposeFileError."""
        if self.settings.compose is None:
            return None
        from pytest_letta.compose.reading import read

        return read(self.settings.compose, self.settings.compose_service)

    def adopt(self, stack: Stack) -> None:
        """Use a stack that somebody else opened and closes."""
        self._stack = stack
        self._owns_stack = False

    def stack(self, stack_args: Mapping[str, Any]) -> Stack:
        """Return the stack, started at the first call; raise StackError, the same one, at each call after."""
        if self._stack_failure is not None:
            raise self._stack_failure
        if self._stack is None:
            try:
                self._stack = self._open_stack(stack_args)
            except StackError as error:
                self._stack_failure = error
                raise
        return self._stack

    def _open_stack(self, stack_args: Mapping[str, Any]) -> Stack:
        from pytest_letta.stack.external import ExternalStack
        from pytest_letta.stack.hosting import HostedStack

        settings = self.settings
        if settings.url is not None:
            return ExternalStack(settings.url, settings.proxy_url, settings.restart)
        if settings.stack == "none":
            raise StackError("there is no deployment: give --letta-url URL, or --letta-stack local to start one.")
        if self._host is not None:
            return HostedStack(self._host, stack_args)
        return stack_opener(settings, self._progress)(stack_args)

    def deployment(self, stack_args: Mapping[str, Any]) -> Deployment:
        """Return the deployment under test, probed at the first call.

        Raises StackError or TargetError when there is none.
        """
        if self._deployment is None:
            from pytest_letta.target import probe_target

            stack = self.stack(stack_args)
            with self.turns.take(alone=False):
                self._deployment = probe_target(self.settings, stack)
        return self._deployment

    @property
    def deployment_if_probed(self) -> Deployment | None:
        return self._deployment

    @property
    def llm_url(self) -> str | None:
        """URL of the scripted model that the deployment uses, or ``None`` when it uses another."""
        return self.settings.llm or getattr(self._stack, "llm_url", None)

    def client(self, url: str, **client_args: Any) -> httpx.Client:
        """Return an unopened client of `url` that records, is bounded in time and holds the password."""
        from pytest_letta.client import open_client

        return open_client(url, **self._client_args(client_args))

    def async_client(self, url: str, **client_args: Any) -> httpx.AsyncClient:
        """Return the same for asyncio."""
        from pytest_letta.client import open_async_client

        return open_async_client(url, **self._client_args(client_args))

    def _client_args(self, client_args: dict[str, Any]) -> dict[str, Any]:
        return {
            "token": self.settings.token,
            "timeout_s": self.settings.timeout,
            "recorder": self.recorder,
            "read_only": self.settings.read_only,
            **client_args,
        }

    def ledger(self) -> Ledger:
        """Return a new ledger whose leftovers are reported at the end of the run."""
        from pytest_letta.ownership import Ledger

        return Ledger(self.run_id, self.leftovers)

    def handles(self, client: httpx.Client) -> Handles:
        """Return the handles of new agents; raise TargetError when the server lists no model."""
        from pytest_letta.handles import choose_handles

        settings = self.settings
        return choose_handles(
            client, model=settings.model, embedding=settings.embedding, is_scripted=self.llm_url is not None
        )

    @property
    def kept_hint(self) -> str | None:
        """How to end a stack that goes on after this run, in one line; ``None`` when none does."""
        return getattr(self._stack, "kept_hint", None)

    def log_tail(self, lines: int) -> str:
        """Return the last `lines` log lines of the servers that a request passes, where we can see them."""
        if self._stack is None or not self._stack.can("logs"):
            return ""
        tails = [(name, self._stack.logs(name, lines)) for name in _TAIL_SERVICES if name in self._stack.services]
        return "\n".join(f"[{name}]\n{printable(tail).rstrip()}" for name, tail in tails if tail.strip())

    def redact(self, text: str) -> str:
        """Return `text` without the credentials of this run."""
        self.recorder.hide(self.settings.token)
        return self.recorder.redactor.redact(text)

    def close(self) -> None:
        """Close the stack, if this process opened one."""
        if self._stack is not None and self._owns_stack:
            self._stack.close()
        self._stack = None


def stack_opener(settings: Settings, progress: Progress | None) -> Callable[[Mapping[str, Any]], Stack]:
    """Return a function that starts the stack of the settings with the arguments of the fixture ``letta_stack_args``.

    A token in the settings secures the server with it, and an origin in the settings is allowed by it, but for a file
    of the user's, which says by itself what it allows.
    """
    start = {"local": _open_local, "docker": _open_docker, "compose": _open_compose}[settings.stack]

    def open_stack(stack_args: Mapping[str, Any]) -> Stack:
        args = {"version": settings.version, "letta_env": {}, **stack_args}
        if settings.token is not None:
            secured = {"LETTA_SERVER_SECURE": "true", "LETTA_SERVER_PASSWORD": settings.token}
            args["letta_env"] = {**args["letta_env"], **secured}
        if settings.origin is not None and settings.stack != "compose":
            args["letta_env"] = {**args["letta_env"], "ACCEPTABLE_ORIGINS": settings.origin}
        return start(settings, {**args, "keep": settings.keep, "progress": progress})

    return open_stack


def _open_local(settings: Settings, args: Mapping[str, Any]) -> Stack:
    from pytest_letta.stack.local import LocalStack

    return LocalStack(**args, cache_dir=settings.cache_dir).open()


def _open_docker(settings: Settings, args: Mapping[str, Any]) -> Stack:
    from pytest_letta.stack.docker import DockerStack

    images = dict(pair.split("=", 1) for pair in settings.image)
    return DockerStack(**{"images": images, **args}, token=settings.token).open()


def _open_compose(settings: Settings, args: Mapping[str, Any]) -> Stack:
    from pytest_letta.compose.reading import read
    from pytest_letta.compose.roles import left_out
    from pytest_letta.stack.compose import ComposeStack

    assert settings.compose is not None
    file = read(settings.compose, settings.compose_service)
    # A file names the release itself, and who names a model of a provider wants that one.
    wanted = {name: value for name, value in args.items() if name != "version"}
    without = frozenset(left_out(settings.compose_service))
    return ComposeStack(
        file, **{"without": without, "scripted": settings.model is None, **wanted}, token=settings.token
    ).open()
