"""The server: which release it is, that it migrates and listens, and that it reads what it is told."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pytest_letta.compose.file import ComposeFile, image_of, line_of_variable
from pytest_letta.compose.isolation import replicas
from pytest_letta.compose.place import Finding, Place
from pytest_letta.compose.server import is_bare_server, is_loopback, pools_connections, runs_start_script

_PROVIDERS = re.compile(
    r"(OPENAI|ANTHROPIC|GEMINI|GROQ|AZURE|OLLAMA|VLLM|LMSTUDIO|OPENROUTER|TOGETHER|DEEPSEEK|XAI)_(API_KEY|API_BASE|BASE_URL)"
)
#: Name that is copied around -> what the server reads in its place (settings.py and startup.sh, 0.11.7 to 0.16.8).
_IGNORED = {
    "CORS_ORIGINS": "ACCEPTABLE_ORIGINS",
    "LETTA_DATA_DIR": "LETTA_DIR",
    "LETTA_LOG_LEVEL": "LETTA_LOGGING_LOG_LEVEL",
    "LETTA_POOL_SIZE": "LETTA_PG_POOL_SIZE with LETTA_DISABLE_SQLALCHEMY_POOLING=false",
    "LETTA_REDIS_URL": "LETTA_REDIS_HOST and LETTA_REDIS_PORT",
    "LETTA_SECURE_MODE": "SECURE=true",
    "LETTA_SERVER_CORS_ORIGINS": "ACCEPTABLE_ORIGINS",
    "LETTA_SERVER_HOST": "HOST",
    "LETTA_SERVER_LOG_LEVEL": "LETTA_LOGGING_LOG_LEVEL",
    "LETTA_SERVER_PASS": "LETTA_SERVER_PASSWORD",
    "LETTA_SERVER_PORT": "PORT",
    "REDIS_URL": "LETTA_REDIS_HOST and LETTA_REDIS_PORT",
}
_POOL = ("LETTA_PG_POOL_SIZE", "LETTA_PG_MAX_OVERFLOW", "LETTA_PG_POOL_TIMEOUT", "LETTA_PG_POOL_RECYCLE")
#: First release that makes a connection for each session unless it is told to pool.
_WITHOUT_POOL = (0, 12, 0)
_FOR_SERVER = re.compile("LETTA_SERVER_PASSWORD|LETTA_SERVER_SECURE|LETTA_PG_URI|LETTA_REDIS_HOST")


def images_are_pinned(file: ComposeFile) -> Iterator[Finding]:
    """Find a part of the stack whose image is another one after the next pull."""
    for role, name in file.roles.items():
        body = file.services[name]
        repository, tag = image_of(body)
        if file.has_own_image(name) or "@" in str(body.get("image")) or not repository:
            continue
        if not re.search(r"\d", tag):
            shown = f"the tag {tag!r}, which moves" if tag else "no tag, which means latest"
            yield file.finding(f"the image of {name} ({role}) has {shown}: name a version or a digest", name, "image")


def database_is_migrated(file: ComposeFile) -> Iterator[Finding]:
    """Find a command that runs the server without the migration that the image's own start does."""
    if not is_bare_server(file):
        return
    letta = file.roles["letta"]
    if any("alembic" in file.command_text(name) or "startup.sh" in file.command_text(name) for name in file.services):
        return
    yield file.finding(
        "`letta server` alone does not migrate: an empty database ends it, and an older schema answers 500 to "
        "writes; leave command and entrypoint to the image, or run `alembic upgrade head` before",
        letta,
        "command" if "command" in file.letta else "entrypoint",
    )


def replicas_take_turns(file: ComposeFile) -> Iterator[Finding]:
    """Find several replicas that all migrate the database when they start, at once."""
    letta = file.roles["letta"]
    count = replicas(file.letta)
    jobs = [
        name
        for name, how in (file.letta.get("depends_on") or {}).items()
        if how.get("condition") == "service_completed_successfully" and "alembic" in file.command_text(name)
    ]
    if count > 1 and runs_start_script(file) and not jobs and not _comes_back(file.letta):
        key = "scale" if "scale" in file.letta else "deploy"
        yield file.finding(
            f"{count} replicas of {letta} migrate the database at once, and on an empty one all but the first end "
            "for good (duplicate key: alembic_version): let a service with `command: alembic upgrade head` go "
            "before, by depends_on with condition: service_completed_successfully, or have them restart",
            letta,
            key,
        )


def listens_beyond_its_container(file: ComposeFile) -> Iterator[Finding]:
    """Find a server that listens on its own loopback address, where no port leads."""
    letta = file.roles["letta"]
    said = file.command_text(letta)
    if is_bare_server(file):
        host = re.search(r"--host[ =](\S+)", said)
        if host is None or (is_loopback(host[1]) and host[1] != "0.0.0.0"):
            yield file.finding(
                "`letta server` listens on localhost inside of its container unless it is given --host 0.0.0.0",
                letta,
                "command" if "command" in file.letta else "entrypoint",
            )
        return
    bound = file.environment(letta).get("HOST", "0.0.0.0")
    if not said and is_loopback(bound) and bound != "0.0.0.0":
        yield Finding(
            file.place_of_variable(letta, "HOST"),
            f"HOST={bound} makes the server listen inside of its container only",
        )


def variables_are_read(file: ComposeFile) -> Iterator[Finding]:
    """Find a variable of Letta's container that the server does not read."""
    letta = file.roles["letta"]
    for name in file.environment(letta):
        instead = _IGNORED.get(name)
        if name.startswith("LETTA_") and _PROVIDERS.fullmatch(name.removeprefix("LETTA_")):
            instead = name.removeprefix("LETTA_")
        if instead is not None:
            place = file.place_of_variable(letta, name)
            yield Finding(place, f"{name} is not read by the server: what it reads is {instead}")
        elif name in _POOL and not pools_connections(file) and _release(file) >= _WITHOUT_POOL:
            place = file.place_of_variable(letta, name)
            yield Finding(place, f"{name} is not read since 0.12.0, unless LETTA_DISABLE_SQLALCHEMY_POOLING is false")


def env_file_reaches_it(file: ComposeFile) -> Iterator[Finding]:
    """Find a variable for the server in ``.env`` that no container gets: compose only fills ``${NAME}`` from it."""
    path = file.path.parent / ".env"
    if not path.is_file():
        return
    text = "\n".join(source.path.read_text(encoding="utf-8", errors="replace") for source in file.sources)
    passed = {name for service in file.services for name in file.environment(service)}
    # A key of a provider may be there for a program on the host, unless the server is given none at all.
    has_key = any(_PROVIDERS.fullmatch(name) for name in file.environment(file.roles["letta"]))
    set_there = re.findall(r"^\s*(?:export\s+)?(\w+)\s*=", path.read_text(errors="replace"), re.MULTILINE)
    for name in dict.fromkeys(set_there):
        is_meant = _FOR_SERVER.fullmatch(name) or (not has_key and _PROVIDERS.fullmatch(name))
        is_used = name in passed or re.search(rf"\$\{{?{name}\b", text)
        if is_meant and not is_used:
            yield Finding(
                Place(path, line_of_variable(path, name)),
                f"{name} never reaches {file.roles['letta']}: .env only fills in ${{...}} in the compose file; "
                "pass it under environment, or name the file under env_file",
            )


def _comes_back(body: Mapping[str, Any]) -> bool:
    """Tell whether the engine starts a container again that ended with an error."""
    policy = ((body.get("deploy") or {}).get("restart_policy") or {}).get("condition", body.get("restart", "no"))
    return str(policy).partition(":")[0] in {"always", "unless-stopped", "on-failure", "any"}


def _release(file: ComposeFile) -> tuple[int, ...]:
    """Return the release that the image's tag names; the newest when it names none."""
    numbers = re.match(r"v?(\d+)\.(\d+)\.(\d+)", image_of(file.letta)[1])
    return tuple(map(int, numbers.groups())) if numbers else (99,)
