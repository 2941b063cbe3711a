"""Reads the text of a setting: each function returns the value, or raises ValueError with what is allowed."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import urlsplit

IMAGE_SERVICES = ("postgres", "redis", "letta", "nginx")
COMPOSE_ROLES = ("letta", "postgres", "redis", "nginx")
#: In the place of a role: the service is not started.
WITHOUT = "without"
REPORT_FORMATS = (".json",)


def text(raw: str) -> str:
    """Take any text but an empty one."""
    if not raw.strip():
        raise ValueError("must not be empty")
    return raw


def flag(raw: str) -> bool:
    """Read true or false, in the words that are usual."""
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


def seconds(raw: str) -> float:
    """Read a positive number of seconds."""
    try:
        value = float(raw)
    except ValueError:
        value = -1.0
    if not 0 < value < float("inf"):
        raise ValueError("must be a positive number of seconds")
    return value


def url(raw: str) -> str:
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


def origin(raw: str) -> str:
    """Check the shape of what browsers send as ``Origin``: scheme, host and port."""
    value = url(raw)
    if urlsplit(value).path:
        raise ValueError("must be an origin such as https://ade.example, without a path")
    return value


def file(raw: str) -> Path:
    """Name a file that exists."""
    path = Path(raw)
    if not path.is_file():
        raise ValueError("must be a file that exists")
    return path


def report(raw: str) -> Path:
    """Name a file that a report can be written to."""
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


def image(raw: str) -> str:
    """Read ``SERVICE=REFERENCE``."""
    service, separator, reference = raw.partition("=")
    if not separator or service not in IMAGE_SERVICES or not reference:
        raise ValueError(f"must be SERVICE=REFERENCE, with one of {', '.join(IMAGE_SERVICES)}")
    return raw


def compose_service(raw: str) -> str:
    """Read ``ROLE=SERVICE``; the service may be missing, which says that none has the role."""
    role, separator, service = raw.partition("=")
    if not separator or role not in {*COMPOSE_ROLES, WITHOUT} or (role == WITHOUT and not service):
        raise ValueError(f"must be ROLE=SERVICE, with one of {', '.join((*COMPOSE_ROLES, WITHOUT))}")
    return raw


def one_of(*choices: str) -> Callable[[str], str]:
    """Return a parser that takes one of `choices`."""

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
