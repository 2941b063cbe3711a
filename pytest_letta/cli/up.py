"""Start a stack of Letta and keep it: in the foreground until Ctrl-C, or with --detach until `pytest-letta down`."""

from __future__ import annotations

import argparse
import json
import os
import shlex
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from pytest_letta.errors import SettingsError
from pytest_letta.options import OPTIONS, Option
from pytest_letta.settings import Settings, resolve

if TYPE_CHECKING:
    from pytest_letta.stack.description import Description

NAME = "up"
SUMMARY = "start a stack and keep it"

#: The rows of the OPTIONS table that make a stack; the others are about a test run.
_OPTIONS = ("stack", "version", "image", "compose", "compose_service", "token")
_PROVIDER: Final = "local"
#: What only some providers read.
_PROVIDERS_OF = {"version": ("local", "docker"), "image": ("docker",), "compose": ("compose",)}
#: Where what is said of a row to pytest is not what a person with a stack needs to hear.
_HELP = {
    "stack": "What the stack runs in: local (processes from PyPI wheels), docker (containers), or compose (an "
    f"isolated copy of the services of --compose). Default: {_PROVIDER}, and compose with --compose.",
    "token": "Password that the server asks for; better in the environment, as LETTA_API_KEY, than in the list of "
    "processes. Default: it asks for none.",
    "compose": "Compose file of yours, of which an isolated copy is started.",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `run` reads; each option of a stack also has the name that it has in pytest."""
    for option in sorted((one for one in OPTIONS if one.name in _OPTIONS), key=lambda one: _OPTIONS.index(one.name)):
        parser.add_argument(
            *_flags(option),
            dest=f"letta_{option.name}",
            action="append" if option.repeatable else "store",
            metavar=option.metavar,
            help=_help(option),
        )
    parser.add_argument(
        "-d", "--detach", action="store_true", help="Return when the stack is up; `pytest-letta down` ends it."
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="Print one JSON object instead of text.")
    form.add_argument(
        "--shell",
        action="store_true",
        help='Print lines for a shell, as in eval "$(pytest-letta up --shell)"; implies --detach.',
    )
    parser.epilog = (
        "Progress goes to standard error, the result to standard output. An option wins over its variable "
        "PYTEST_LETTA_... in the environment; ini files are not read."
    )


def run(arguments: argparse.Namespace) -> int:
    """Start the stack, tell about it, and hold it if asked to; return the exit code."""
    detach = arguments.detach or arguments.shell
    settings = settings_of(arguments, keep=detach)
    from pytest_letta.cli import holding
    from pytest_letta.report.progress import StreamProgress
    from pytest_letta.session import stack_opener
    from pytest_letta.stack import requirements
    from pytest_letta.stack.managed import ManagedStack

    requirements.check(settings.stack, settings.version)
    with holding.interruptible():
        stack = stack_opener(settings, StreamProgress(sys.stderr))({})
        assert isinstance(stack, ManagedStack)
        with stack:
            told = stack.give_to_person()
            if settings.token is not None:
                _say("the server asks for the password that you gave; clients look for it in LETTA_API_KEY.")
            if detach:
                print(shown(told, arguments), flush=True)
            else:
                _say(holding.hold(told, lambda: print(shown(told, arguments), flush=True)))
    return 0


def settings_of(arguments: argparse.Namespace, *, keep: bool) -> Settings:
    """Return the settings of the stack; raise SettingsError for what no stack can be made of."""
    settings = resolve(_Given(vars(arguments)), only=_OPTIONS)
    source = settings.sources.get("stack")
    if settings.stack == "none":
        if source == "--letta-stack":
            raise SettingsError("--stack none starts nothing: give local, docker or compose.")
        settings = replace(settings, stack=_PROVIDER)
    for option in OPTIONS:
        providers = _PROVIDERS_OF.get(option.name, (settings.stack,))
        if getattr(arguments, f"letta_{option.name}", None) is not None and settings.stack not in providers:
            raise SettingsError(
                f"{_flags(option)[0]} is of no use to the stack {settings.stack} (from {source or 'default'}): "
                f"give --stack {' or '.join(providers)} too, or leave it out."
            )
    return replace(settings, keep=keep)


class _Given:
    """The options of this command, as `resolve` asks for them."""

    def __init__(self, values: dict[str, Any]) -> None:
        self._values = values

    def getoption(self, name: str, /, default: Any) -> Any:
        return self._values.get(name, default)

    def getini(self, name: str, /) -> Any:
        return None


def _flags(option: Option) -> tuple[str, ...]:
    # `--version` would be taken for a question about this script.
    short = option.flag.replace("--letta-", "--")
    return (option.flag,) if option.name == "version" else (short, option.flag)


def _help(option: Option) -> str:
    text = _HELP.get(option.name, option.help)
    default = f" Default: {option.default}." if option.name == "version" else ""
    return (text + default).replace("--letta-compose", "--compose")


def shown(told: Description, arguments: argparse.Namespace) -> str:
    if arguments.json:
        return json.dumps({**told.as_dict(), "pytest": pytest_arguments(told), "environment": environment(told)})
    if arguments.shell:
        return shell_lines(told)
    return text(told, is_held=not arguments.detach)


def pytest_arguments(told: Description) -> list[str]:
    """Return what points pytest at the stack."""
    pairs = (("--letta-url", told.url), ("--letta-proxy-url", told.proxy_url), ("--letta-llm", told.llm_url))
    return [word for flag, value in pairs if value is not None for word in (flag, value)]


def environment(told: Description) -> dict[str, str | None]:
    """Return the variables that point Letta's SDK and pytest at the stack; ``None`` for one that must not be set."""
    return {
        "LETTA_BASE_URL": told.url,
        "PYTEST_LETTA_URL": told.url,
        "PYTEST_LETTA_PROXY_URL": told.proxy_url,
        "PYTEST_LETTA_LLM": told.llm_url,
        "PYTEST_LETTA_STACK_ID": told.id,
    }


def shell_lines(told: Description) -> str:
    """Return lines for a POSIX shell to evaluate."""
    return "\n".join(
        f"unset {name}" if value is None else f"export {name}={shlex.quote(value)}"
        for name, value in environment(told).items()
    )


def text(told: Description, *, is_held: bool) -> str:
    """Return what a person reads."""
    places = (
        ("letta", told.url),
        ("proxy", told.proxy_url),
        ("https", told.tls_url and f"{told.tls_url} (trust {told.ca_file})"),
        ("model", told.llm_url),
        ("postgres", told.postgres_dsn),
        ("redis", told.redis_url),
        ("logs", _logs(told)),
    )
    rows = "\n".join(f"  {name:<9} {value}" for name, value in places if value is not None)
    end = f"Ctrl-C, or pytest-letta down {told.id}" if is_held else f"pytest-letta down {told.id}"
    version = f" {told.version}" if told.version else ""
    return (
        f"Letta{version} ({told.provider}) is up: {told.id}\n\n{rows}\n\n"
        f"Test it:  pytest {shlex.join(pytest_arguments(told))}\nEnd it:   {end}"
    )


def _logs(told: Description) -> str | None:
    folder = os.path.join(told.folder, "logs")
    return folder if os.path.isdir(folder) and os.listdir(folder) else None


def _say(text: str) -> None:
    print(f"letta: {text}", file=sys.stderr, flush=True)
