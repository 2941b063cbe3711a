"""What contracts about a compose file need, known from the file alone, before anything is started."""

from __future__ import annotations

from pytest_letta.capabilities import Capability
from pytest_letta.compose.file import ComposeFile
from pytest_letta.compose.nginx_file import NginxSyntaxError, nginx_configuration
from pytest_letta.errors import SettingsError

NEEDS = frozenset({"compose_file", "compose_postgres", "compose_redis", "compose_nginx"})


def capability(need: str, file: ComposeFile | None) -> Capability:
    """Return whether `file` (``None``: no file was given) has what a contract needs; the reason says how to give it.

    `need` is one of NEEDS; raises SettingsError for another.
    """
    if need not in NEEDS:
        raise SettingsError(
            f"{need!r} is not the name of a capability; of a file these are: {', '.join(sorted(NEEDS))}"
        )
    reason = _lack(need.removeprefix("compose_"), file)
    return Capability(need, reason is None, reason or "given")


def _lack(part: str, file: ComposeFile | None) -> str | None:
    if file is None:
        return "no compose file was given: use --letta-compose FILE"
    if part == "file":
        return None
    if part not in file.roles:
        return (
            f"no service of {file.path.name} that is active is recognised as {part}: name it with "
            f"--letta-compose-service {part}=SERVICE, or give its profile in COMPOSE_PROFILES"
        )
    return _unread(file) if part == "nginx" else None


def _unread(file: ComposeFile) -> str | None:
    name = file.roles["nginx"]
    try:
        found = nginx_configuration(file, name)
    except NginxSyntaxError as error:
        return f"the nginx configuration of {name} cannot be read: {error}"
    return None if found else f"{file.path.name} mounts no nginx configuration into {name}, so it cannot be read"
