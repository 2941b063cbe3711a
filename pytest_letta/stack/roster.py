"""Which stacks of this user there are, whoever started them, how they are, and how they are ended by hand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

from pytest_letta.errors import EngineError, MissingExtraError, StackError
from pytest_letta.stack import reaper
from pytest_letta.stack.asking import ask
from pytest_letta.stack.description import Description, read
from pytest_letta.stack.rundir import CONTAINERS, KEPT, LOCK, PREFIX, has_living_owner
from pytest_letta.stack.service import Address

_ANSWER_LIMIT_S = 3.0


class State(StrEnum):
    """Why a stack is there."""

    STARTING = "starting"  #: somebody is starting it, or failing to
    TESTING = "test run"  #: a test run holds it and will end it
    HELD = "held"  #: a person holds it in the foreground
    KEPT = "kept"  #: it goes on without the process that started it
    STALE = "stale"  #: its owner was killed, or nothing of it runs any more


@dataclass(frozen=True, slots=True)
class Found:
    """One stack; `description` is ``None`` before it is healthy, and where nobody can read it any more.

    `folder` is ``None`` when it was removed, and only containers of the run `id` are left.
    """

    id: str
    folder: Path | None
    state: State
    description: Description | None

    @property
    def belongs_to_run(self) -> bool:
        """Whether a test run, or a start that may be one, relies on it."""
        return self.state in {State.STARTING, State.TESTING}


def find(parent: Path | None = None) -> list[Found]:
    """Return the stacks whose folders are in `parent` (``None``: the system's temporary folder), oldest first.

    Those of which an engine has containers are found wherever their folders are or were.
    """
    places: dict[Path, str] = dict.fromkeys(reaper.run_folders(parent), "")
    if parent is None:
        places = {folder: run for run, folder in _labelled().items()} | places
    found = [one for path, run in places.items() if (one := _found(path, run)) is not None]
    return sorted(found, key=lambda one: (one.description.started_at if one.description else "~", one.id))


def find_in(folder: Path) -> Found | None:
    """Return the stack of the run `folder`, or ``None`` when that is none."""
    return _found(folder.resolve(), "") if (folder / LOCK).is_file() else None


def problem_of(found: Found) -> str | None:
    """Ask the servers of a stack: ``None`` when all answer as they should, else which does not and what came.

    Each may take some seconds.
    """
    told = found.description
    if told is None:
        return "nothing tells where it listens"
    for name, url, path in _questions(told):
        answer = _asked(url, path)
        if answer is not None:
            return f"{name}: {answer}"
    return None


def end(found: Found) -> None:
    """End all of a stack, whoever holds it: processes, containers, folder; raise StackError when something stays."""
    if found.folder is None:
        reaper.end_containers(found.id)
        return
    if left := reaper.end(found.folder):
        raise StackError(f"of the stack {found.id} this is still there: {', '.join(left)}.")


def _found(folder: Path, labelled: str) -> Found | None:
    """Look at one folder; `labelled` is the run of the containers that name it, which may be all that is left."""
    if not (folder / LOCK).exists():
        # Just being made, unless there are containers of it.
        return Found(labelled, None, State.STALE, None) if labelled else None
    told = read(folder)
    name = told.id if told else folder.name.removeprefix(PREFIX)
    return Found(name, folder, _state(folder, told), told)


def _state(folder: Path, told: Description | None) -> State:
    if (folder / KEPT).exists():
        is_there = (folder / CONTAINERS).exists() or _has_services(folder)
        return State.KEPT if is_there else State.STALE
    if not has_living_owner(folder):
        return State.STALE
    if told is None:
        return State.STARTING
    return State.HELD if told.holder == "person" else State.TESTING


def _has_services(folder: Path) -> bool:
    if find_spec("psutil") is None:
        raise MissingExtraError.of("local", f"telling what runs in {folder}", "psutil")
    return bool(reaper.services(folder))


def _labelled() -> dict[str, Path]:
    """Return what the engine tells of our runs; nothing without the extra, or where no engine answers."""
    if find_spec("docker") is None:
        return {}
    from pytest_letta.stack.containers.engine import Engine

    try:
        engine = Engine.connect()
    except (EngineError, MissingExtraError):
        return {}
    import docker.errors
    import requests.exceptions

    from pytest_letta.stack.containers import reaper as containers_reaper

    try:
        return containers_reaper.folders(engine)
    except (docker.errors.DockerException, requests.exceptions.RequestException) as error:
        raise EngineError(f"the container engine does not tell what runs there: {error}.") from error
    finally:
        engine.close()


def _questions(told: Description) -> Iterator[tuple[str, str, str]]:
    yield "letta", told.url, "/v1/health/"
    yield "letta", told.url, "/v1/agents/?limit=1"  # health alone is 200 with a dead database
    if told.llm_url is not None:
        yield "model", told.llm_url, "/health"
    if told.proxy_url is not None:
        yield "proxy", told.proxy_url, "/v1/health/"


def _asked(url: str, path: str) -> str | None:
    parts = urlsplit(url)
    if parts.scheme != "http" or parts.hostname is None:
        return None  # behind a certificate that we have no reason to trust
    answer = ask(Address(parts.hostname, parts.port or 80), parts.path + path, _ANSWER_LIMIT_S)
    # A server that asks for its password is well; we have none.
    return None if answer is not None and answer.startswith("401 ") else answer
