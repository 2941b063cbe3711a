"""What the environment and the command of a compose file make of the Letta server, as its image reads them.

The rules are those of the image's ``letta/server/startup.sh`` and of ``letta/settings.py``, 0.11.7 to 0.16.8.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote, urlsplit

from pytest_letta.errors import ComposeFileError

if TYPE_CHECKING:
    from pytest_letta.compose.file import ComposeFile

PG_URI = "LETTA_PG_URI"
REDIS_HOST = "LETTA_REDIS_HOST"
POSTGRES_PORT = 5432
REDIS_PORT = 6379
_PORT = "8283"
_LOOPBACK = re.compile(r"localhost|127\.\d+\.\d+\.\d+|::1|0\.0\.0\.0")

_TRUE = "true"


@dataclass(frozen=True, slots=True)
class DatabaseUri:
    """The parts of ``LETTA_PG_URI``; an empty part is one that it does not have."""

    host: str
    port: int
    user: str
    database: str
    options: Mapping[str, str]
    password: str = field(repr=False)


def database_uri(file: ComposeFile) -> DatabaseUri | None:
    """Return the database that Letta is told to use, ``None`` when it is told none.

    Raises ValueError, without the text, which may hold a password, for what is no URI.
    """
    text = file.environment(file.roles["letta"]).get(PG_URI, "")
    if not text:
        return None
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host or not parts.scheme.startswith("postgres"):
        raise ValueError("is no URI such as postgresql://user:password@host:5432/database") from None
    return DatabaseUri(
        host=host,
        port=port or POSTGRES_PORT,
        user=unquote(parts.username or ""),
        database=unquote(parts.path.lstrip("/")),
        options=dict(parse_qsl(parts.query, keep_blank_values=True)),
        password=unquote(parts.password or ""),
    )


def runs_start_script(file: ComposeFile) -> bool:
    """Tell whether Letta's container is seen to run the image's start script, which migrates and then serves."""
    said = file.command_text(file.roles["letta"])
    return not said or "startup.sh" in said


def has_inner_database(file: ComposeFile) -> bool:
    """Tell whether the start script runs a Postgres inside of Letta's container: it does when it is given no URI."""
    return not file.environment(file.roles["letta"]).get(PG_URI) and runs_start_script(file)


def is_bare_server(file: ComposeFile) -> bool:
    """Tell whether the file has the container run the server without the start script."""
    return re.search(r"\bletta\s+server\b", file.command_text(file.roles["letta"])) is not None


def is_secured(file: ComposeFile) -> bool:
    """Tell whether the server asks for a password: each switch counts only when it is exactly ``true``."""
    variables = file.environment(file.roles["letta"])
    by_script = variables.get("SECURE") == _TRUE and not is_bare_server(file)
    by_flag = "--secure" in file.command_text(file.roles["letta"]).split()
    return variables.get("LETTA_SERVER_SECURE") == _TRUE or by_script or by_flag


def password_of(file: ComposeFile) -> str | None:
    """Return the password that the server asks for; ``None`` when it asks for none.

    Raises ComposeFileError when it asks for one that it makes up itself.
    """
    if not is_secured(file):
        return None
    name = file.roles["letta"]
    password = file.environment(name).get("LETTA_SERVER_PASSWORD")
    if not password:
        raise ComposeFileError(
            f"{file.place(name, 'environment')}: {name} asks for a password, and is given no LETTA_SERVER_PASSWORD, "
            "so that it makes one up: set it there, or give --letta-token."
        )
    return password


def port_of(file: ComposeFile) -> int:
    """Return the port on which the server listens in its container."""
    name = file.roles["letta"]
    flag = re.search(r"--port[ =](\d+)", file.command_text(name))
    variable = file.environment(name).get("PORT", _PORT) if not is_bare_server(file) else _PORT
    text = flag[1] if flag else variable
    return int(text) if text.isdigit() else int(_PORT)


def pools_connections(file: ComposeFile) -> bool:
    """Tell whether the server keeps a pool of connections, which since 0.12.0 is off unless asked for."""
    said = file.environment(file.roles["letta"]).get("LETTA_DISABLE_SQLALCHEMY_POOLING", _TRUE)
    return said.strip().lower() in {"false", "0", "no", "off", "f", "n"}


def is_loopback(host: str) -> bool:
    """Tell whether `host` means the container itself."""
    return _LOOPBACK.fullmatch(host) is not None
