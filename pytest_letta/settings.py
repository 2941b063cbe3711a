"""The OPTIONS table, and its resolution to frozen Settings: option > environment > ini > default."""

from __future__ import annotations

import os
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol
from urllib.parse import urlsplit

from pytest_letta.errors import SettingsError

if TYPE_CHECKING:
    import pytest

DEFAULT_VERSION = "0.16.8"
LEVELS = ("must", "should", "may")
IMAGE_SERVICES = ("postgres", "redis", "letta", "nginx")
COMPOSE_ROLES = ("letta", "postgres", "redis", "nginx")
#: In the place of a role: the service is not started.
WITHOUT = "without"
REPORT_FORMATS = (".json",)
#: The suite that judges a file and needs no deployment.
_FILE_SUITE = "compose"

#: Above the 60 s at which a server without uvloop stalls, so that such a stall is seen and named.
DEFAULT_TIMEOUT_S = 75.0


def _text(raw: str) -> str:
    if not raw.strip():
        raise ValueError("must not be empty")
    return raw


def _flag(raw: str) -> bool:
    words = {
        "1": True,
        "true": True,
        "yes": True,
        "on": True,
        "0": False,
        "false": False,
        "no": False,
        "off": False,
    }
    if raw.strip().lower() not in words:
        raise ValueError("must be true or false")
    return words[raw.strip().lower()]


def _seconds(raw: str) -> float:
    try:
        value = float(raw)
    except ValueError:
        value = -1.0
    if not 0 < value < float("inf"):
        raise ValueError("must be a positive number of seconds")
    return value


def _url(raw: str) -> str:
    """Check the shape of a base URL; a path prefix is legitimate and kept, without its trailing slash."""
    try:
        parts = urlsplit(raw.strip())
        parts.port  # noqa: B018 - raises ValueError when it is no number or out of range
    except ValueError as error:
        raise ValueError(f"must be a URL such as http://localhost:8283 ({error})") from None
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("must be a URL with its scheme, such as http://localhost:8283")
    if parts.username is not None or parts.password is not None:
        raise ValueError("must not hold credentials: give the password with --letta-token or LETTA_API_KEY")
    if parts.query or parts.fragment:
        raise ValueError("must not have a query or a fragment")
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"


def _file(raw: str) -> Path:
    path = Path(raw)
    if not path.is_file():
        raise ValueError("must be a file that exists")
    return path


def _report(raw: str) -> Path:
    path = Path(raw)
    if path.suffix not in REPORT_FORMATS:
        raise ValueError(f"must end in {' or '.join(REPORT_FORMATS)}")
    if path.is_dir():
        raise ValueError("must be a file, but is a folder")
    if not path.parent.is_dir():
        raise ValueError(f"cannot be written: there is no folder {path.parent}")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise ValueError("cannot be written: permission denied")
    return path


def _image(raw: str) -> str:
    service, separator, reference = raw.partition("=")
    if not separator or service not in IMAGE_SERVICES or not reference:
        raise ValueError(f"must be SERVICE=REFERENCE, with one of {', '.join(IMAGE_SERVICES)}")
    return raw


def _compose_service(raw: str) -> str:
    role, separator, service = raw.partition("=")
    if not separator or role not in {*COMPOSE_ROLES, WITHOUT} or (role == WITHOUT and not service):
        raise ValueError(f"must be ROLE=SERVICE, with one of {', '.join((*COMPOSE_ROLES, WITHOUT))}")
    return raw


def _one_of(*choices: str) -> Callable[[str], str]:
    def parse(raw: str) -> str:
        if raw not in choices:
            raise ValueError(f"must be one of {', '.join(choices)}{did_you_mean(raw, choices)}")
        return raw

    return parse


def did_you_mean(word: str, choices: Sequence[str]) -> str:
    """Return ``"; did you mean 'x'?"`` for the nearest choice, or nothing when none is near."""
    import difflib

    near = difflib.get_close_matches(word, choices, n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


@dataclass(frozen=True, slots=True)
class Option:
    """One row of the OPTIONS table.

    ``url`` is ``--letta-url``, ini ``letta_url`` and environment ``PYTEST_LETTA_URL``. `parse` turns the
    text into the value, or raises ValueError with what is allowed ("must be ...").
    """

    name: str
    help: str
    parse: Callable[[str], Any] = _text
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
        return self.parse is _flag


OPTIONS: tuple[Option, ...] = (
    Option("url", "Base URL of the deployment to test.", _url, "URL"),
    Option("proxy_url", "URL of the SSE proxy in front of that deployment.", _url, "URL"),
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
        _one_of("local", "docker", "compose", "none"),
        "PROVIDER",
        "none",
    ),
    Option("version", "Letta release that the stack runs.", metavar="VERSION", default=DEFAULT_VERSION),
    Option(
        "image",
        "Image of a service of the docker stack, such as postgres=pgvector/pgvector:pg17 (repeatable).",
        _image,
        "SERVICE=REFERENCE",
        (),
        repeatable=True,
    ),
    Option(
        "compose",
        "Compose file of yours: the suite compose judges it; an isolated copy of it is the stack, if none is named.",
        _file,
        "FILE",
    ),
    Option(
        "compose_service",
        "Service of that file by its role, such as letta=my-server, where it is not recognised; without=SERVICE "
        "leaves one out (repeatable).",
        _compose_service,
        "ROLE=SERVICE",
        (),
        repeatable=True,
    ),
    Option("contracts", "Run the shipped contract suites too.", _flag, default=False),
    Option(
        "suite",
        "Run this contract suite only (repeatable; implies --letta-contracts).",
        metavar="NAME",
        default=(),
        repeatable=True,
    ),
    Option("level", "Lowest level of contract to run: must, should or may.", _one_of(*LEVELS), "LEVEL", "may"),
    Option("known", "YAML file with known issues of your own, beside the shipped ones.", _file, "FILE"),
    Option("report", "Write the results to FILE.json (repeatable).", _report, "FILE", (), repeatable=True),
    Option(
        "restart",
        "Shell command that restarts the deployment; makes the persistence contracts applicable.",
        metavar="CMD",
    ),
    Option("read_only", "Send only requests with safe methods.", _flag, default=False),
    Option(
        "model",
        "Model handle for agents, such as openai/gpt-4o-mini; your provider bills the turns.",
        metavar="HANDLE",
    ),
    Option("embedding", "Embedding handle for agents.", metavar="HANDLE"),
    Option("llm", "URL of a scripted model (python -m pytest_letta.llm) that the deployment uses.", _url, "URL"),
    Option("keep", "Leave the stack running and the created agents in place.", _flag, default=False),
    Option("timeout", "Seconds that one request may take.", _seconds, "SECONDS", DEFAULT_TIMEOUT_S),
    Option("allow_incomplete", "End with 0 although some contracts could not run.", _flag, default=False),
)

_NAMES = tuple(option.name for option in OPTIONS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a run was asked to do, checked; `sources` tells where each value that was set came from."""

    url: str | None
    proxy_url: str | None
    token: str | None = field(repr=False)
    stack: Literal["local", "docker", "compose", "none"]
    image: tuple[str, ...]
    compose: Path | None
    compose_service: tuple[str, ...]
    version: str
    contracts: bool
    suite: tuple[str, ...]
    level: Literal["must", "should", "may"]
    known: Path | None
    report: tuple[Path, ...]
    restart: str | None
    read_only: bool
    model: str | None
    embedding: str | None
    llm: str | None
    keep: bool
    timeout: float
    allow_incomplete: bool
    cache_dir: Path
    sources: Mapping[str, str]

    @property
    def is_used(self) -> bool:
        """Whether the run names a target, or asks for contracts."""
        return self.contracts or self.url is not None or self.stack != "none" or self.compose is not None


def add_options(parser: pytest.Parser) -> None:
    """Register each option on the command line and in the ini file."""
    group = parser.getgroup("letta", "Letta deployments (pytest-letta)")
    for option in OPTIONS:
        text = f"{option.help} [env {option.env[-1]}]"
        if option.is_switch:
            group.addoption(option.flag, action="store_true", default=None, help=text)
        else:
            action = "append" if option.repeatable else "store"
            group.addoption(option.flag, action=action, default=None, metavar=option.metavar, help=text)
        parser.addini(option.ini, f"{option.help} [{option.flag}]", default=None)


class Given(Protocol):
    """What the command line and the ini file say; a `pytest.Config` is one."""

    def getoption(self, name: str, /, default: Any) -> Any:
        """Return the value of an option, such as ``letta_url``; `default` when it was not given."""

    def getini(self, name: str, /) -> Any:
        """Return the value of the same name in the ini file, or ``None``."""


def resolve(
    config: Given, environ: Mapping[str, str] | None = None, *, only: Container[str] = frozenset(_NAMES)
) -> Settings:
    """Return the settings of a run; raise SettingsError in one line for the first that is wrong.

    Options that are not in `only` have their defaults, whatever anybody says.
    """
    environ = os.environ if environ is None else environ
    values: dict[str, Any] = {}
    sources: dict[str, str] = {}
    for option in OPTIONS:
        raw, source = _raw(option, config, environ) if option.name in only else (None, "default")
        values[option.name] = option.default if raw is None else _parsed(option, raw, source)
        if raw is not None:
            sources[option.name] = source
    values["contracts"] = values["contracts"] or bool(values["suite"])
    _apply_compose(values, sources)
    settings = Settings(**values, cache_dir=_cache_dir(environ), sources=sources)
    _check_together(settings)
    return settings


def _apply_compose(values: dict[str, Any], sources: dict[str, str]) -> None:
    """Let a compose file be the deployment when none is named, and be judged alone when there is to be none."""
    if values["compose"] is None or values["url"] is not None:
        return
    if "stack" not in sources and values["suite"] != (_FILE_SUITE,):
        values["stack"], sources["stack"] = "compose", sources["compose"]
    elif values["stack"] == "none" and values["contracts"] and not values["suite"]:
        values["suite"] = (_FILE_SUITE,)


def _raw(option: Option, config: Given, environ: Mapping[str, str]) -> tuple[Any, str]:
    given = config.getoption(f"letta_{option.name}", default=None)
    if given is not None:
        return given, option.flag
    for name in option.env:
        if environ.get(name):
            return environ[name], f"env {name}"
    written = config.getini(option.ini)
    return (written, f"ini {option.ini}") if written is not None else (None, "default")


def _parsed(option: Option, raw: Any, source: str) -> Any:
    if isinstance(raw, bool):
        return raw
    try:
        if option.repeatable:
            words = raw if isinstance(raw, list) else raw.replace(",", " ").split()
            return tuple(option.parse(word) for word in words)
        return option.parse(raw)
    except ValueError as error:
        # What stands before an @ may be a password.
        shown = "" if option.secret or "@" in str(raw) else f", got {raw!r}"
        raise SettingsError(f"{option.ini} {error}{shown} (from {source}).") from None


def _check_together(settings: Settings) -> None:
    if settings.url and settings.stack != "none":
        raise SettingsError(
            f"letta_url (from {settings.sources['url']}) and letta_stack={settings.stack} "
            f"(from {settings.sources['stack']}) exclude each other: test a deployment that exists, or start one."
        )
    if settings.stack == "compose" and not settings.compose:
        raise SettingsError("letta_stack=compose needs letta_compose: give --letta-compose FILE.")
    if settings.compose_service and not settings.compose:
        raise SettingsError("letta_compose_service needs letta_compose: it names services of that file.")
    if settings.contracts and not settings.url and settings.stack == "none" and settings.suite != (_FILE_SUITE,):
        raise SettingsError(
            "contracts were asked for, but there is no deployment to test: "
            "give --letta-url URL, or --letta-stack local to start one."
        )
    if settings.proxy_url and not settings.url:
        raise SettingsError("letta_proxy_url needs letta_url: a proxy is compared with the server behind it.")


def _cache_dir(environ: Mapping[str, str]) -> Path:
    """Follow the XDG base directory specification."""
    base = environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "pytest-letta"
